"""Overrides in messages: through a shell and Hydra to the very value."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from wisesr.data.overrides import leave_out, override, overrides

NAMES = st.lists(
    st.one_of(
        st.sampled_from(
            ["${", "$", "\\", '"', "'", ",", "=", "#", "~", "(", ")", "[", "]", "{", "}", ":", " ", "\n", "\t", "null"]
        ),
        st.sampled_from(
            ["true", "1e5", "0_1", "-", ".", "inf", "${x}", "\\${", "u\u0308", "\u00dc", "*", "?", "!", "&", ";", "`", "a"]
        ),
        st.characters(exclude_categories=("Cs", "Cc")),
    ),
    min_size=1,
    max_size=6,
).map("".join)


def taken(words: list[str]) -> dict[str, object]:
    """What a configuration holds that is composed of a command line's words."""
    parsed = [OverridesParser.create().parse_override(word) for word in words]
    config = OmegaConf.create({item.key_or_group: item.value() for item in parsed})
    found = OmegaConf.to_container(config, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


@given(name=NAMES, others=st.lists(NAMES, max_size=3))
@example(name="a\\\n", others=["2019"])
@example(name="???", others=["x\\\\${y}"])
@settings(max_examples=120)
def test_a_value_comes_back_as_it_was(name: str, others: list[str]) -> None:
    if "???" not in (name, *others):  # which OmegaConf takes for a value that is not given
        (word,) = shlex.split(override("dataset.test", name))
        assert taken([word]) == {"dataset.test": name}
        (word,) = shlex.split(leave_out([name], others))
        assert taken([word]) == {"dataset.leave_out": [name, *others]}


def test_a_real_shell_hands_them_on() -> None:
    values = {"a": 'it\'s "here"', "b": "x${y}$z", "c": ["[1]", "~", "p, q"], "d": "two\nlines", "e": None, "f": "!x`y`"}
    printed = subprocess.run(["bash", "-c", f"printf '%s\\0' {overrides(values)}"], capture_output=True, check=True).stdout
    assert taken(printed.decode().split("\0")[:-1]) == values


@pytest.mark.parametrize("name", ["train", "Train_2", "seg_train/seg_train", "/data/my-set.v2/x", "2019-05", "."])
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert override("dataset.train", name) == f"dataset.train={name}"


@pytest.mark.parametrize("name", ["2019", "1_0", "1e5", "null", "True", "nan", "-3", ".5"])
def test_names_that_hydra_would_read_as_something_else_are_texts(name: str) -> None:
    assert taken(shlex.split(override("dataset.train", name))) == {"dataset.train": name}
