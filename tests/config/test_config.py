"""The configuration: what check refuses and how it says so, what a fingerprint names."""

from __future__ import annotations

import copy
import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from tests.support.configs import change, composed
from wisesr.config.check import check, describe_problems, split_grid
from wisesr.config.command_line import quote_choices
from wisesr.config.files import load_cell, to_yaml
from wisesr.config.identity import cell_dir, fingerprint
from wisesr.config.options import GROUPS, conf_dir, load_option, options
from wisesr.config.signatures import fits, target_settings
from wisesr.errors import UserError, unknown
from wisesr.types import seconds_of


def test_a_good_configuration_has_no_problems(config: dict[str, Any]) -> None:
    assert check(config) == []


SGD = {"_target_": "wisesr.training.optimizers.sgd", "lr": 0.045, "momentum": 0.9, "weight_decay": 0.0}
"""As cells had it before `lr_in_velocity`."""


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("head.non_negative", "banana", "head.non_negative must be one of none, projection, softplus, not 'banana'"),
        ("head.dropout", "half", "head.dropout must be a number, not 'half'"),
        ("head.pre_pool", 2.5, "head.pre_pool must be a whole number or null, not 2.5"),
        ("head.pre_pol", 2, "no key of head is called 'pre_pol'. Did you mean pre_pool"),
        ("head._target_", "wisesr.models.heads.wise.WiseHaed", "Did you mean WiseHead"),
        ("head._target_", "wisesr.models.heads.wisdom.Head", "there is no module wisesr.models.heads.wisdom"),
        ("head", "wise", "head is missing: choose one of"),
        ("head", {"name": "x"}, "head must be a node with a _target_"),
        ("recipe.epochs", 0, "recipe.epochs must be a whole number at least 1, not 0"),
        ("recipe.epochs", True, "recipe.epochs must be a whole number"),
        ("recipe.optimizer.lr", "fast", "recipe.optimizer.lr must be a number"),
        ("recipe.epoch", 3, "Did you mean epochs"),
        ("recipe.ema", 1, "recipe.ema must be a number above 0 and below 1 or null, not 1"),
        ("recipe.label_smoothing", 1.0, "recipe.label_smoothing must be a number at least 0 and below 1, not 1.0"),
        ("recipe.mixup", -0.2, "recipe.mixup must be a number at least 0, not -0.2"),
        ("recipe.head_lr_scale", 0, "recipe.head_lr_scale must be a number above 0, not 0"),
        ("recipe.patience", 0, "recipe.patience must be a whole number at least 1 or null, not 0"),
        ("recipe.init", "he", "recipe.init must be one of timm, keras, not 'he'"),
        ("recipe.batch_norm", None, "recipe.batch_norm must be one of timm, keras, not None"),
        ("recipe.structure", "torch", "recipe.structure must be one of timm, keras, not 'torch'"),
        ("recipe.head_init", "keras", "recipe.head_init must be one of normal, torch, not 'keras'"),
        ("recipe.optimizer.lr_in_velocity", True, "no key of recipe.optimizer is called 'lr_in_velocity'"),
        ("recipe.optimizer", SGD | {"lr_in_velocity": 1}, "recipe.optimizer.lr_in_velocity must be true or false, not 1"),
        ("recipe.class_weights", "inverse", "recipe.class_weights must be one of none, balanced, not 'inverse'"),
        ("trainer.max_time", "2 hours", "trainer.max_time must be null or DD:HH:MM:SS (in quotes in YAML), not '2 hours'"),
        ("trainer.max_time", 10, "trainer.max_time must be null or DD:HH:MM:SS"),
        ("trainer.max_time", "00:00:00:00", "trainer.max_time must be null or DD:HH:MM:SS"),
        ("backbone.freeze", "some", "backbone.freeze must be a whole number or one of all or null, not 'some'"),
        ("backbone.output_stride", 4, "backbone.output_stride must be one of 8, 16, 32 or null, not 4"),
        ("dataset.val_fraction", 1.0, "dataset.val_fraction must be a number above 0 and below 1, not 1.0"),
        ("dataset.on_bad_image", "ignore", "one of error, skip, not 'ignore'"),
        ("dataset.root", "/nowhere", "dataset.root: there is no folder /nowhere"),
        ("trainer.clip", 0, "trainer.clip must be a number above 0 or null, not 0"),
        ("trainer.precision", "bf16-true", "trainer.precision must be one of 32-true"),
        ("trainer.precision", 16, "trainer.precision must be one of 32-true"),
        ("trainer.devices", 0, "trainer.devices must be a whole number at least 1 or one of auto, not 0"),
        ("resolution.size", 4, "resolution.size must be a whole number at least 8"),
        ("study", "a/b", "study must be made of letters"),
        ("seed", "x", "seed must be a whole number at least 0, not 'x'"),
        ("protocol", "test", "protocol must be one of holdout, paper, not 'test'"),
        ("seeed", 1, "no key or group is called 'seeed'. Did you mean seed"),
    ],
)
def test_what_is_wrong_is_said(config: dict[str, Any], path: str, value: Any, words: str) -> None:
    problems = check(change(config, path, value))
    assert len(problems) == 1 or path.endswith("_target_"), problems
    assert words in problems[0]


def test_a_list_of_settings(config: dict[str, Any]) -> None:
    paper = load_option("augment", "paper")
    assert check(config | {"augment": paper}) == []
    wrong = config | {"augment": paper | {"zoom": 0.8}}
    assert check(wrong) == ["augment.zoom must be a list of numbers or null, not 0.8"]


def test_all_problems_at_once(config: dict[str, Any]) -> None:
    wrong = change(change(change(config, "head.dropout", "x"), "recipe.epochs", -1), "protocol", "y")
    assert len(check(wrong)) == 3


def test_one_problem_of_many_cells_stands_once() -> None:
    text = describe_problems([("a", "bad"), ("b", "bad"), ("c", "worse")])
    assert text == "  - bad   [a and 1 more cells]\n  - worse   [c]"


def test_a_foreign_target_is_left_to_its_import(config: dict[str, Any]) -> None:
    assert check(change(config, "head", {"name": "mine", "_target_": "my.heads.Head", "whatever": 1})) == []


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


@pytest.mark.parametrize("path", ["study", "output_dir", "dataset.root", "dataset.workers", "trainer.threads"])
def test_the_fingerprint_ignores_where_and_how_fast(config: dict[str, Any], path: str) -> None:
    assert fingerprint(change(config, path, 7)) == fingerprint(config)


@pytest.mark.parametrize(
    "path", ["seed", "head.dropout", "recipe.epochs", "trainer.precision", "dataset.split_seed", "dataset.name"]
)
def test_the_fingerprint_sees_what_changes_numbers(config: dict[str, Any], path: str) -> None:
    assert fingerprint(change(config, path, 7)) != fingerprint(config)


def test_the_fingerprint_knows_one_number_from_its_spelling(config: dict[str, Any]) -> None:
    assert fingerprint(change(config, "head.dropout", 0)) == fingerprint(change(config, "head.dropout", 0.0))
    assert fingerprint(dict(reversed(config.items()))) == fingerprint(config)


def test_the_directory_says_what_is_in_it(config: dict[str, Any]) -> None:
    path = cell_dir(change(config, "backbone.name", "hf-hub:some/model"))
    assert path.relative_to(config["output_dir"]).parts[:3] == ("tests", "corners-64", "hf-hub_some_model-wise_dropout")
    assert path.name.startswith("seed-0-")


def test_the_nearest_name_and_the_list() -> None:
    assert unknown("head", "wize", ["gap", "wise"]) == "no head is called 'wize'. Did you mean wise? There are: gap, wise"
    assert unknown("head", "xyz", []) == "no head is called 'xyz'. There are: none"


# Every YAML of conf/: tests discover them, so that a new option is one file.

OPTIONS = [(group, name) for group in GROUPS for name in options(group)]


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_every_option_composes_and_checks(group: str, name: str, images: Path) -> None:
    node = load_option(group, name)
    extra = (
        ["dataset.root=" + str(images)] if "root" in node else ["backbone.model=resnet18"] if node.get("model") == "???" else []
    )
    config = composed(f"{group}={name}", *extra)
    assert check(config) == []
    if "name" in config[group]:
        assert config[group]["name"] == {"folder": images.name, "timm": "resnet18", "torchvision": "resnet18"}.get(name, name)


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_every_setting_stands_in_the_yaml_with_the_type_that_code_reads(group: str, name: str) -> None:
    node = yaml.safe_load((conf_dir() / group / f"{name}.yaml").read_text())
    nodes = [part for part in (node, *node.values()) if isinstance(part, dict) and "_target_" in part]
    for part in nodes:
        module, _, target = part["_target_"].rpartition(".")
        read = target_settings(part["_target_"])
        assert set(read) <= set(part)
        signature = inspect.signature(getattr(import_module(module), target))
        keywords = {key for key, its in signature.parameters.items() if its.kind is inspect.Parameter.KEYWORD_ONLY}
        assert set(read) == keywords


@pytest.mark.parametrize("name", [path.stem for path in (conf_dir() / "experiment").glob("*.yaml")])
def test_every_experiment_composes_and_names_its_command(name: str, images: Path) -> None:
    text = (conf_dir() / "experiment" / f"{name}.yaml").read_text()
    root = [] if "digits" in name else [f"dataset.root={images}"]
    assert check(composed(f"experiment={name}", *root)) == []
    for word in ("Reproduces:", "Cost:", f"python train.py experiment={name}", "mode: MULTIRUN", "params:"):
        assert word in text


def test_numbers_are_choices_too() -> None:
    assert quote_choices(["resolution=112", "-m", "seed=1,2"]) == ["resolution='112'", "-m", "seed=1,2"]
    assert quote_choices(["resolution=64,224", "resolution=auto,512"]) == ["resolution='64','224'", "resolution=auto,'512'"]
    assert quote_choices(["head=wise,gap", "resolution='64'", "seed=1"]) == ["head=wise,gap", "resolution='64'", "seed=1"]
    assert composed("resolution=112")["resolution"]["size"] == 112


def test_times_are_text_on_the_command_line_too() -> None:
    assert composed("trainer.max_time=00:01:30:00")["trainer"]["max_time"] == "00:01:30:00"
    assert seconds_of("01:01:01:01") == 86400 + 3600 + 60 + 1
    assert [seconds_of(text) for text in ("90", "01:30:00", "a:b:c:d", "00:00:00:00")] == [None] * 4


def test_weights_that_are_a_file_have_their_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert composed("backbone.weights=some/w.pth")["backbone"]["weights"] == str(tmp_path / "some/w.pth")
    assert composed("backbone.weights=package")["backbone"]["weights"] == "package"


def test_loggers_add_up() -> None:
    config = composed("logger=[wandb,csv,tensorboard]")
    assert list(config["logger"]) == ["wandb", "csv", "tensorboard"]
    assert composed("logger=none")["logger"] == {}


def test_the_configuration_survives_its_file(config: dict[str, Any]) -> None:
    whole = composed("recipe.optimizer.lr=1e-5", "study=x")
    assert yaml.safe_load(to_yaml(whole)) == whole
    assert OmegaConf.create(to_yaml(whole)) == OmegaConf.create(whole)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("slots", 0, "grid.slots must be a whole number at least 1 or one of auto, not 0"),
        ("retry", "all", "grid.retry must be one of none, failed, not 'all'"),
        ("force", "yes", "grid.force must be true or false, not 'yes'"),
    ],
)
def test_settings_of_the_grid(config: dict[str, Any], key: str, value: Any, words: str) -> None:
    grid = {"slots": "auto", "gpus_per_cell": "auto", "cells_per_gpu": 1, "retry": "none", "force": False, "plan": False}
    cells, found = split_grid([config | {"grid": grid}, config | {"grid": grid, "seed": 1}])
    assert found == grid
    assert [cell["seed"] for cell in cells] == [0, 1]
    assert not any("grid" in cell for cell in cells), "no part of a cell"
    with pytest.raises(UserError) as error:
        split_grid([config | {"grid": grid | {key: value}}])
    assert str(error.value) == words
    with pytest.raises(UserError, match="cannot be swept"):
        split_grid([config | {"grid": grid}, config | {"grid": grid | {"slots": 2}}])


def test_younger_keys_do_not_rename_older_cells(config: dict[str, Any]) -> None:
    """A cell from before there were nodes is the same computation as one on one node."""
    older = copy.deepcopy(config)
    del older["trainer"]["num_nodes"]
    assert fingerprint(older) == fingerprint(config)
    assert fingerprint(change(config, "trainer.num_nodes", 2)) != fingerprint(config)
    for key, value in (("init", "keras"), ("batch_norm", "keras"), ("structure", "keras"), ("head_init", "torch")):
        assert fingerprint(change(config, f"recipe.{key}", value)) != fingerprint(config)
        del older["recipe"][key]
    # What commit ecbb30c, which had no such keys, called this cell; and the same cell with SGD.
    assert fingerprint(older) == fingerprint(config) == "33952b77782a7e8cd216f0bd60c7daf57bc08e4322bcddea82407855b66a7725"
    named = "9b11f3cbe4d1ba43f6b8a0ea7f2b2e2527e6fede233a752e68fd1c55371f1999"
    assert fingerprint(change(config, "recipe.optimizer", SGD)) == named
    assert fingerprint(change(config, "recipe.optimizer", SGD | {"lr_in_velocity": False})) == named
    assert fingerprint(change(config, "recipe.optimizer", SGD | {"lr_in_velocity": True})) != named


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_cell_of_an_older_version_is_read_with_the_groups_younger_keys(
    config: dict[str, Any], tmp_path: Path, optimizer: str
) -> None:
    """Not with those of a `_target_`, which has defaults of its own and of which there may be others."""
    if optimizer == "sgd":
        config["recipe"]["optimizer"] = SGD
    older = copy.deepcopy(config)
    for key in ("init", "batch_norm", "structure", "head_init"):
        del older["recipe"][key]
    (tmp_path / "config.yaml").write_text(to_yaml(older))
    assert load_cell(tmp_path) == config
    assert check(load_cell(tmp_path)) == []
