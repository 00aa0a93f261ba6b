"""Words as a W&B agent writes them, made by wandb's own code, become what Hydra reads as the sweep's values."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from wisesr.config.agent_words import agent_words

AGENT = {"WANDB_RUN_ID": "abc", "WANDB_SWEEP_ID": "s"}
VALUES = {
    "head": "gap",
    "seed": 3,
    "head.bias": True,
    "head.pre_pool": None,
    "recipe.optimizer.lr": 1e-05,
    "dataset.classes": [1, "b c"],
    "head.dropout": 0.25,
}


def written(values: dict[str, Any], form: str) -> list[str]:
    words = create_sweep_command_args({"args": {name: {"value": value} for name, value in values.items()}})[form]
    assert isinstance(words, list)
    return words


def read(words: list[str]) -> dict[str, Any]:
    return {each.key_or_group: each.value() for each in OverridesParser.create().parse_overrides(words)}


@pytest.mark.parametrize("form", ["args_no_hyphens", "args_json"])
def test_hydra_reads_the_values_of_the_sweep(form: str) -> None:
    assert read(agent_words(written(VALUES, form), AGENT)) == VALUES


@pytest.mark.parametrize("form", ["args_no_hyphens", "args_json"])
def test_nested_parameters(form: str) -> None:
    nested = {"head": {"dropout": 0.5, "pre_pool": None}, "recipe": {"optimizer": {"lr": 0.1}, "epochs": 2}}
    flat = {"head.dropout": 0.5, "head.pre_pool": None, "recipe.optimizer.lr": 0.1, "recipe.epochs": 2}
    assert read(agent_words(["study=a", *written(nested, form)], AGENT)) == {"study": "a", **flat}


def test_with_hyphens_too() -> None:
    assert agent_words(written({"head.pre_pool": None, "head": {"dropout": 1}}, "args"), AGENT) == [
        "--head.pre_pool=null",
        "--head.dropout=1",
    ]


@pytest.mark.parametrize(
    "word", ["a={b: 1}", "a={'b'", "{", "{}", "a={}", "a={1: 2}", "=", "", "-m", "a='None'", "None", "[1]"]
)
def test_what_is_no_agents_stays(word: str) -> None:
    assert agent_words([word], AGENT) == [word]


@pytest.mark.parametrize("environment", [{}, {"WANDB_RUN_ID": "abc"}, {"WANDB_SWEEP_ID": "s"}])
def test_a_users_own_words_stay(environment: dict[str, str]) -> None:
    words = ["study=None", "head={'dropout': 1}", '{"head": "gap"}']
    assert agent_words(words, environment) == words
