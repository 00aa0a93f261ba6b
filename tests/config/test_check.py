"""What `check` refuses and how it says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import change
from tests.support.gpus import GRID
from wisesr.config.check import check, describe_problems, split_grid
from wisesr.config.options import load_option
from wisesr.config.setting_types import fits
from wisesr.errors import UserError, unknown

SGD = {"_target_": "wisesr.training.optimizers.sgd", "lr": 0.045, "momentum": 0.9, "weight_decay": 0.0}


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("head.non_negative", "banana", "one of none, projection, softplus"),
        ("head.dropout", "half", "a number"),
        ("head.pre_pool", 2.5, "a whole number or null"),
        ("recipe.epochs", 0, "a whole number at least 1"),
        ("recipe.epochs", True, "a whole number"),
        ("recipe.optimizer.lr", "fast", "a number"),
        ("recipe.ema", 1, "a number above 0 and below 1 or null"),
        ("recipe.label_smoothing", 1.0, "a number at least 0 and below 1"),
        ("recipe.mixup", -0.2, "a number at least 0"),
        ("recipe.head_lr_scale", 0, "a number above 0"),
        ("recipe.patience", 0, "a whole number at least 1 or null"),
        ("recipe.init", "he", "one of timm, keras"),
        ("recipe.batch_norm", None, "one of timm, keras"),
        ("recipe.structure", "torch", "one of timm, keras"),
        ("head.init", "keras", "one of normal, torch, average"),
        ("recipe.class_weights", "inverse", "one of none, balanced"),
        ("backbone.freeze", "some", "a whole number or one of all or null"),
        ("backbone.output_stride", 4, "one of 8, 16, 32 or null"),
        ("dataset.val_fraction", 1.0, "a number above 0 and below 1"),
        ("trainer.clip", 0, "a number above 0 or null"),
        ("trainer.precision", "bf16-true", "one of 32-true"),
        ("trainer.precision", 16, "one of 32-true"),
        ("trainer.devices", 0, "a whole number at least 1 or one of auto"),
        ("resolution.size", 4, "a whole number at least 8"),
        ("study", "a/b", "made of letters"),
        ("seed", "x", "a whole number at least 0"),
        ("protocol", "test", "one of holdout, paper"),
    ],
)
def test_a_wrong_value_is_said_with_its_key_and_the_rule(config: dict[str, Any], path: str, value: Any, rule: str) -> None:
    (problem,) = check(change(config, path, value))
    assert path in problem
    assert rule in problem
    shown = "true" if value is True else "null" if value is None else repr(value)
    assert f"not {shown}" in problem


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("head.pre_pol", 2, "no key of head is called 'pre_pol'. Did you mean pre_pool"),
        ("head._target_", "wisesr.models.heads.wise.WiseHaed", "Did you mean WiseHead"),
        ("head._target_", "wisesr.models.heads.wisdom.Head", "there is no module wisesr.models.heads.wisdom"),
        ("head", "wise", "head is missing: choose one of"),
        ("head", {"name": "x"}, "head._target_ is missing: the dotted name of what it builds"),
        ("head._target_", 3, "head._target_ must be text, not 3"),
        ("head._target_", "wise", "head._target_ must be a dotted name, as package.module.Name, not 'wise'"),
        ("head._target_", "no_such.Head", "head._target_: 'no_such.Head': there is no package or module no_such"),
        ("head._target_", "wisesr.data.digits.digits", "is no head; those of wisesr are in wisesr.models.heads"),
        ("backbone._target_", "wisesr.models.heads.wise.WiseHead", "is no backbone; those of wisesr are in wisesr.models"),
        ("dataset._target_", "wisesr.data.augmentation.Plain", "is no dataset; those of wisesr are in wisesr.data"),
        ("augment._target_", "wisesr.data.digits.digits", "is no augment; those of wisesr are in wisesr.data"),
        ("recipe.optimizer._target_", "wisesr.training.schedules.cosine", "is no optimizer; those of wisesr are in"),
        (
            "backbone.name",
            "x" * 251,
            "backbone.name and head.name make a folder's name of 264 bytes, and 255 are the most: 'xxx",
        ),
        ("dataset.name", "\u00e9" * 130, "dataset.name makes a folder's name of 263 bytes, and 255 are the most"),
        ("study", "x" * 256, "study makes a folder's name of 256 bytes, and 255 are the most: 'xxx"),
        ("seed", 2**63, "seed must be below 2^63, not 9223372036854775808"),
        ("recipe.epochs", 10**30, "recipe.epochs must be below 2^63, not 1000"),
        ("dataset.cache_dir", __file__, f"dataset.cache_dir={__file__} is a file, and must be a folder, or null"),
        ("dataset.cache_dir", "", "dataset.cache_dir must be a folder, or null, not an empty text"),
        ("recipe.epoch", 3, "Did you mean epochs"),
        ("recipe.head_init", "torch", "recipe.head_init is a setting of the head now: head.init=torch"),
        ("recipe.head_init", "normal", "recipe.head_init is a setting of the head now: head.init=normal"),
        ("recipe.optimizer.lr_in_velocity", True, "no key of recipe.optimizer is called 'lr_in_velocity'"),
        ("recipe.optimizer", SGD | {"lr_in_velocity": 1}, "recipe.optimizer.lr_in_velocity must be true or false, not 1"),
        ("trainer.max_time", "2 hours", "trainer.max_time must be null or DD:HH:MM:SS (in quotes in YAML), not '2 hours'"),
        ("trainer.max_time", 10, "trainer.max_time must be null or DD:HH:MM:SS"),
        ("trainer.max_time", "00:00:00:00", "trainer.max_time must be null or DD:HH:MM:SS"),
        ("dataset.on_bad_image", "ignore", "one of error, skip, not 'ignore'"),
        ("dataset.root", "/nowhere", "dataset.root: there is no folder /nowhere"),
        ("seeed", 1, "no key or group is called 'seeed'. Did you mean seed"),
    ],
)
def test_what_is_wrong_is_said(config: dict[str, Any], path: str, value: Any, words: str) -> None:
    (problem,) = check(change(config, path, value))
    assert words in problem


def test_a_start_that_other_heads_have(config: dict[str, Any]) -> None:
    """`head=gap,wise head.init=torch,average` is a grid with one cell that cannot be."""
    gap = change(config, "head", {"name": "gap", **load_option("head", "gap")})
    (problem,) = check(change(gap, "head.init", "average"))
    assert problem == "head.init must be one of normal, torch, not 'average' (it is of head=depthwise, wise, wise_shuffled)"
    (problem,) = check(change(gap, "head.init", "averag"))
    assert problem.endswith("not 'averag'"), "which no head has"
    assert check(change(config, "head.init", "average")) == []


def test_a_list_of_settings(config: dict[str, Any]) -> None:
    paper = load_option("augment", "paper")
    assert check(config | {"augment": paper}) == []
    wrong = config | {"augment": paper | {"zoom": 0.8}}
    (problem,) = check(wrong)
    assert "augment.zoom must be a list of numbers or null" in problem


def test_all_problems_at_once(config: dict[str, Any]) -> None:
    wrong = change(change(change(config, "head.dropout", "x"), "recipe.epochs", -1), "protocol", "y")
    assert len(check(wrong)) == 3


def test_one_problem_of_many_cells_stands_once() -> None:
    text = describe_problems([("a", "bad"), ("b", "bad"), ("c", "worse"), *[(cell, "worst") for cell in "abc"]])
    assert text == "  - bad   [a and 1 more cell]\n  - worse   [c]\n  - worst   [a and 2 more cells]"


def test_of_many_problems_a_screen_is_shown() -> None:
    lines = describe_problems([("", f"{number} {'x' * 150}") for number in range(100)]).split("\n")
    assert sum(1 + len(line) // 120 for line in lines) <= 24
    assert lines[0].startswith("  - 0 xxx")
    assert lines[-1] == f"  - and {100 - len(lines) + 1} more"
    assert describe_problems([("", "y" * 5000)]).endswith("y"), "one is shown, however long"


def test_a_foreign_target_is_left_to_its_import(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether there is such a package is seen without importing it, in the working folder as in the places of Python's."""
    mine = change(config, "head", {"name": "mine", "_target_": "my_parts.heads.Head", "whatever": 1})
    assert len(check(mine)) == 1
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_parts.py").write_text("raise SystemExit")
    assert check(mine) == []


@pytest.mark.parametrize(
    ("value", "annotation", "good"),
    [
        (1, float, True),
        (True, int, False),
        (True, float, False),
        ("1", int, False),
        (None, int | None, True),
        ([1, 2], list[int], True),
        (["a"], list[int], False),
    ],
)
def test_types(value: object, annotation: Any, good: bool) -> None:
    assert fits(value, annotation) is good


def test_the_nearest_name_and_the_list() -> None:
    assert unknown("head", "wize", ["gap", "wise"]) == "no head is called 'wize'. Did you mean wise? There are: gap, wise"
    assert unknown("class", "13", map(str, range(1, 13))).endswith("There are: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12")
    assert unknown("class", "x", map(str, range(1000))).endswith(", 98, 99 and 900 more")
    assert unknown("head", "xyz", []) == "no head is called 'xyz'. There are: none"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("slots", 0, "grid.slots must be a whole number at least 1 or one of auto, not 0"),
        ("wait", "busy", "grid.wait must be one of auto, spin, passive, not 'busy'"),
        ("retry", "all", "grid.retry must be one of none, failed, not 'all'"),
        ("stop_on", "always", "grid.stop_on must be one of never, failure, not 'always'"),
        ("force", "yes", "grid.force must be true or false, not 'yes'"),
        ("tflops", 0, "grid.tflops must be a number above 0, not 0"),
        ("zip", "head", "grid.zip must be a list of texts or a list of such lists or null, not 'head'"),
        ("exclude", [1], "grid.exclude must be a list (each text or a map) or text or null, not [1]"),
    ],
)
def test_settings_of_the_grid(config: dict[str, Any], key: str, value: Any, words: str) -> None:
    cells, found = split_grid([config | {"grid": GRID}, config | {"grid": GRID, "seed": 1}])
    assert found == GRID
    assert [cell["seed"] for cell in cells] == [0, 1]
    assert not any("grid" in cell for cell in cells), "no part of a cell"
    with pytest.raises(UserError) as error:
        split_grid([config | {"grid": GRID | {key: value}}])
    assert str(error.value) == words
    with pytest.raises(UserError, match="cannot be swept"):
        split_grid([config | {"grid": GRID}, config | {"grid": GRID | {"slots": 2}}])


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        ({"accelerator": "cpu", "devices": 2}, "must be false with trainer.accelerator=cpu"),
        ({"accelerator": "gpu", "devices": 1}, "must be false with one device"),
        ({"accelerator": "gpu", "devices": 1, "num_nodes": 2}, ""),
        ({"accelerator": "gpu", "devices": 8}, ""),
        ({"accelerator": "auto", "devices": "auto"}, ""),  # the machine tells
    ],
)
def test_batchnorm_is_synchronised_where_there_is_something_to_synchronise(
    config: dict[str, Any], trainer: dict[str, Any], words: str
) -> None:
    config["trainer"] |= {"sync_batchnorm": True, **trainer}
    problems = check(config)
    assert len(problems) == bool(words)
    assert all("trainer.sync_batchnorm" in problem and words in problem for problem in problems)
    config["trainer"]["sync_batchnorm"] = False
    assert check(config) == []


@pytest.mark.parametrize("typed", ["1..3", "1-3", "1...3", "1:3"])
def test_numbers_from_one_to_another_are_a_range(config: dict[str, Any], typed: str) -> None:
    (problem,) = check(change(config, "seed", typed))
    assert problem.endswith(f"not '{typed}': 1 to 3 are -m 'seed=range(1,4)'")


@pytest.mark.parametrize(("path", "value"), [("seed", "3-1"), ("study", "1-3"), ("protocol", "1-3"), ("seed", "x-3")])
def test_other_texts_are_no_range(config: dict[str, Any], path: str, value: str) -> None:
    assert "range(" not in " ".join(check(change(config, path, value)))


def test_a_whole_node_is_told_by_its_name(config: dict[str, Any]) -> None:
    (problem,) = check(change(config, "study", config["head"]))
    assert problem == "study must be text, not all settings of head: its name is ${head.name}"
    assert check(change(config, "study", config["recipe"])) == ["study must be text, not all settings of recipe"]
