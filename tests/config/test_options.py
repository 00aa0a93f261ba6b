"""Every YAML of conf/, found by itself, so that a new option is one file; and what options of a group share."""

from __future__ import annotations

import inspect
import shutil
from dataclasses import MISSING, dataclass, fields
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from hydra.types import RunMode
from omegaconf import OmegaConf

from tests.support.configs import composed, hydra_loader
from wisesr.config.check import check
from wisesr.config.command_line import quote_choices
from wisesr.config.compose import compose_cell
from wisesr.config.identity import fingerprint
from wisesr.config.options import GROUPS, conf_dir, is_option, keys_without_effect, load_option, options
from wisesr.config.schema import SCHEMAS, RecipeSchema
from wisesr.config.signatures import target_settings
from wisesr.errors import UserError

OPTIONS = [(group, name) for group in GROUPS for name in options(group)]
FILES = sorted(path for group in GROUPS for path in (conf_dir() / group).glob("*.yaml"))


_GIVEN = {"model": "resnet18", "source": "Flowers102", "file": "cells.npz"}
"""Of settings that must be given."""


def file_name(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_every_option_composes_and_checks(group: str, name: str, images: Path) -> None:
    node = load_option(group, name)
    extra = ["dataset.root=" + str(images)] if "root" in node else []
    extra += [f"{group}.{key}={_GIVEN[key]}" for key in node if node[key] == "???" and key in _GIVEN]
    config = composed(f"{group}={name}", *extra)
    assert check(config) == []
    if "name" in config[group]:
        others = {"backbone": {"timm": "resnet18", "torchvision": "resnet18"}, "dataset": {"folder": images.name}}
        others["dataset"] |= {"arrays": "cells.npz", "huggingface": "Flowers102", "torchvision": "Flowers102"}
        assert config[group]["name"] == others.get(group, {}).get(name, name)


@pytest.mark.parametrize("group", GROUPS)
def test_an_option_is_what_hydra_composes_of_it(group: str) -> None:
    with hydra_loader() as loader:
        for name in options(group):
            whole = loader.load_configuration("config", quote_choices([f"{group}={name}"]), run_mode=RunMode.RUN)
            node = OmegaConf.to_container(whole[group], resolve=False)
            assert isinstance(node, dict)
            node.pop("name", None)
            assert list(load_option(group, name).items()) == list(node.items()), "the order of keys too"


@pytest.mark.parametrize(("group", "name"), OPTIONS)
def test_every_setting_stands_in_the_yaml_with_the_type_that_code_reads(group: str, name: str) -> None:
    node = load_option(group, name)
    for part in (part for part in (node, *node.values()) if isinstance(part, dict) and "_target_" in part):
        module, _, target = part["_target_"].rpartition(".")
        read = target_settings(part["_target_"])
        assert set(read) <= set(part)
        parameters = inspect.signature(getattr(import_module(module), target)).parameters
        keywords = {key: each for key, each in parameters.items() if each.kind is inspect.Parameter.KEYWORD_ONLY}
        assert set(read) == set(keywords)
        for key, setting in read.items():
            default = keywords[key].default
            assert setting.default == (MISSING if default is inspect.Parameter.empty else default)


@pytest.mark.parametrize("name", options("experiment"))
def test_every_experiment_composes_and_names_its_command(name: str, images: Path) -> None:
    text = (conf_dir() / "experiment" / f"{name}.yaml").read_text()
    root = [] if "digits" in name or name == "quickstart" else [f"dataset.root={images}"]
    assert check(composed(f"experiment={name}", *root)) == []
    for word in ("Reproduces:", "Cost:", f"python train.py experiment={name}", "mode: MULTIRUN", "params:"):
        assert word in text


SHARED = [path for path in FILES if not is_option(path.stem)]


def test_there_are_shared_files_of_these_groups() -> None:
    assert {path.parent.name for path in SHARED} == {"backbone", "dataset", "head", "recipe", "trainer"}


@pytest.mark.parametrize("path", SHARED, ids=file_name)
def test_what_options_share_is_no_option(path: Path) -> None:
    group, name = path.parent.name, path.stem
    assert name not in options(group)
    for refused in (lambda: load_option(group, name), lambda: composed(f"{group}={name}")):
        with pytest.raises(UserError, match=f"no {group} is called '{name}'") as error:
            refused()
        assert str(error.value).endswith("There are: " + ", ".join(options(group)))
    with pytest.raises(UserError, match="There are: " + ", ".join(options(group))):  # of Hydra's own list of files
        composed(f"{group}={name[1:]}x")


@pytest.mark.parametrize("group", ["recipe", "trainer", "dataset"])
def test_a_key_stands_in_the_shared_file_with_its_default(group: str) -> None:
    """A new key that had another value there would be part of the names of all new cells, and old ones be trained again.

    What follows from `replicate` is compared as it is without one.

    Where a value of `_base.yaml` is changed one day, the default stays as it is, and this test is told of the exception:
    `train_eval_images` is part of no name, and cells from before it measured nothing.
    """
    text = (conf_dir() / group / "_base.yaml").read_text()
    node = yaml.safe_load(text.replace("${first_of:${replicate},0}", "0"))
    assert {key for key in node if isinstance(node[key], dict)} == ({"optimizer", "schedule"} if group == "recipe" else set())
    keys = {key: value for key, value in node.items() if key != "_target_" and not isinstance(value, dict)}
    defaults = {field.name: field.default for field in fields(SCHEMAS[group])}
    if group == "trainer":
        assert keys.pop("train_eval_images") == "auto" and defaults.pop("train_eval_images") == 0
    assert keys == {key: "???" if default is MISSING else default for key, default in defaults.items()}


@pytest.mark.parametrize("path", FILES, ids=file_name)
def test_no_file_says_what_another_overrides(path: Path) -> None:
    assert keys_without_effect(path) == ()


def test_a_value_where_another_file_has_the_last_word_is_refused(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever edits `folder.yaml` would else train with another share than the one that they wrote."""
    shutil.copytree(conf_dir(), tmp_path / "conf")
    edited = tmp_path / "conf" / "dataset" / "folder.yaml"
    edited.write_text(edited.read_text() + "val_fraction: 0.3\n")
    for module in ("options", "compose"):
        monkeypatch.setattr(f"wisesr.config.{module}.conf_dir", lambda: tmp_path / "conf")
    with pytest.raises(UserError, match=r"conf/dataset/folder.yaml: val_fraction has no effect there.*dataset.val_fraction="):
        compose_cell(["dataset=folder", f"dataset.root={images}"])


OWN = """
defaults: [_base]
model: resnet10t
"""

WHOLE = """
name: own
_target_: wisesr.models.backbones.TimmBackbone
model: resnet10t
weights: null
output_stride: null
freeze: null
"""


@pytest.mark.parametrize("text", [OWN, WHOLE], ids=["with _base", "without"])
def test_a_backbone_of_ones_own_is_a_file_with_or_without_the_shared_one(text: str, tmp_path: Path) -> None:
    (tmp_path / "backbone").mkdir()
    (tmp_path / "backbone" / "own.yaml").write_text(text)
    config = composed("backbone=own", f"hydra.searchpath=[file://{tmp_path}]")
    assert check(config) == []
    assert list(config["backbone"].items()) == list(yaml.safe_load(WHOLE).items())


def test_a_new_key_of_recipes_is_added_in_the_schema_and_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Later(RecipeSchema):
        invented: int = 3

    before = fingerprint(compose_cell([]))
    monkeypatch.setitem(SCHEMAS, "recipe", Later)
    shutil.copytree(conf_dir(), tmp_path / "conf")
    base = tmp_path / "conf" / "recipe" / "_base.yaml"
    base.write_text(f"{base.read_text()}invented: 3\n")
    monkeypatch.setattr("wisesr.config.compose.conf_dir", lambda: tmp_path / "conf")
    for name in options("recipe"):
        config = compose_cell([f"recipe={name}"])
        assert config["recipe"]["invented"] == 3
        assert check(config) == []
    assert fingerprint(compose_cell([])) == before
    assert fingerprint(compose_cell(["recipe.invented=4"])) != before
