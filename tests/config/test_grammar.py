"""Any text as a value of Hydra's grammar, held against what Hydra and OmegaConf read in it."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from wisesr.config.grammar import as_text, as_value, for_shell, is_key, is_sweep, quoted

ODD = st.text(st.sampled_from("ab \\\"'${}[](),:=#~\t\n|*?é中"), max_size=12).filter(lambda text: text != "???")
"""All but what OmegaConf calls a value that is missing, which no quotes change."""


def value_of(override: str) -> object:
    """As it is in the configuration of a cell."""
    parsed = OverridesParser.create().parse_override(override)
    config = OmegaConf.create({"x": None, "after": "${x}"})
    OmegaConf.update(config, "x", parsed.value())
    return OmegaConf.to_container(config, resolve=True)


@given(ODD | st.text(min_size=4, max_size=20))
@example('it\'s "one"')
@example('\\"')
@example("a\\")
@example("\\\\${x}\\")
@example("${a${b}}'\"\\'")
def test_a_quoted_text_is_that_text(text: str) -> None:
    for written in (quoted(text), *([as_value(text)] if text.strip() else [])):
        assert value_of(f"x={written}") == {"x": text, "after": text}


@given(ODD)
def test_it_survives_being_swept(text: str) -> None:
    """The sweeper writes each value anew for its cell."""
    swept = OverridesParser.create().parse_override(f"x={quoted(text)},b")
    first, _ = swept.sweep_string_iterator()
    assert value_of(f"x={first}") == {"x": text, "after": text}
    one = OverridesParser.create().parse_override(f"x={quoted(text)}")
    assert value_of(f"x={one.get_value_element_as_str()}") == {"x": text, "after": text}


@pytest.mark.parametrize("text", ["plain/path-1.x", "a b", "weights.pth"])
def test_what_needs_no_quotes_gets_none(text: str) -> None:
    assert as_value(text) == text


@pytest.mark.parametrize("text", ["1", "1_000", "1e3", "true", "null", "a,b", " a", "[a]", "range(3)", "${x}", '"a"', "a\\,b"])
def test_what_hydra_reads_otherwise_gets_some(text: str) -> None:
    assert as_value(text) == quoted(text)


@given(ODD.filter(str.isprintable))
def test_the_line_to_copy_is_one_word_of_a_shell(text: str) -> None:
    words = shlex.split(as_text("study", text).splitlines()[-1])
    assert len(words) == 1
    assert value_of(words[0].replace("study=", "x=", 1)) == {"x": text, "after": text}


@pytest.mark.parametrize("text", ["a\tb'c\\d", "bell\a!", "\x1b[31mred", "two\nlines", 'it\'s $HOME `x` !! "é"'])
def test_bash_reads_what_does_not_print(text: str) -> None:
    printed = subprocess.run(["bash", "-c", f"printf %s {for_shell(text)}"], capture_output=True, check=True)
    assert printed.stdout.decode() == text
    assert for_shell(text).isprintable()


def test_keys_and_sweeps() -> None:
    assert [is_key(key) for key in ("head", "a.b_c", "hydra/launcher", "", "a b", "1", "é", "a=b")] == [True] * 3 + [False] * 5
    swept = ["seed=1,2", "seed=range(3)", "head=glob(*)", "x=choice(1)"]
    single = ["seed=1", 'x="a,b"', "x=[1,2]", "~head", "hydra.x=1,2", "x=a(b"]
    assert [is_sweep(override) for override in swept + single] == [True] * 4 + [False] * 6
