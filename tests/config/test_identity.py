"""What a fingerprint names: the computation, all of it, and nothing else."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import change, composed
from wisesr.config import signatures
from wisesr.config.check import check
from wisesr.config.defaults import with_defaults, without_defaults
from wisesr.config.files import load_cell, to_yaml
from wisesr.config.identity import cell_dir, computation, fingerprint
from wisesr.config.schema import SCHEMAS, RecipeSchema

BEFORE = "recipe.optimizer.weight_decay_on=all"
"""Weights and all else were decayed before there was a choice."""
PINNED = {
    BEFORE: "8aaf1683fa22e35875a1b9210b70c4674667c4adb05b86aff436e9721f974eea",
    f"{BEFORE} head=gap": "e0ebbcb7838642147352db56cad551f11e337708e6889ef8d5c5117c419397ca",
    f"{BEFORE} head=wise_dropout backbone=densenet169": "6b1bb1bfb43da69671ace72e7fc471d42c049e6111367dfea9957ead69fa9988",
    f"{BEFORE} head=wise head.pre_pool=2 head.non_negative=softplus": (
        "763e4efb269de24714ef35d382f30afe28f528ef181307a797da37a44f4d01f6"
    ),
    f"{BEFORE} head=gem head.p=4": "e75f627c77045c30f2130a8e0fa475a9591e8787290819b3a170615ecf5e642d",
    f"{BEFORE} head=simpool head.gamma=null": "d66b9face4815486c3e873d10ac6fcbcb599a814a856086b7cac60201a1362ef",
    f"{BEFORE} dataset=layouts dataset.classes=9": "e00d6900260c16b73ffe4c603c6c00d569e2b81c3ba0288c403f5c459b9a4599",
    f"{BEFORE} dataset=folder dataset.root=/nowhere/flowers": (
        "d38037985d03f2c65329b8da35e1d3a1dcdb40c866045ed74f82cf2b6ddd01ff"
    ),
    "dataset=intel recipe=paper augment=paper protocol=paper": (
        "db34110226ce4bfe8ff46f29c43411f5f83f5bbe63b0b1db14f3858af61d5160"
    ),
    "dataset=mit_indoor resolution=512 recipe=paper augment=paper backbone=xception backbone.weights=imagenet": (
        "f65d49051614a3ff51348fe1b2826bc665c6b54627188054095c9d46d40ba18e"
    ),
    f"{BEFORE} recipe=modern augment=standard": "b4f2d360014aae4e94f80cd489b0d2b10f5621327266aa60e9d4159ae2ab4977",
    "recipe=modern_sgd recipe.optimizer.lr_in_velocity=true recipe.patience=5": (
        "dc5e6bba94fcacd2e4ee59cac1be6b40976845c82709942f9b65228137ccefac"
    ),
    f"{BEFORE} trainer=ddp trainer.precision=bf16-mixed seed=3": (
        "e8f517e27cd9bad2057bb429be290c4c4304c3152797f554762b7d53d14b7f83"
    ),
    f"{BEFORE} backbone=timm backbone.model=convnext_nano backbone.freeze=2 augment=standard augment.flip=0": (
        "f17a7bb2e84417a66fe338712166e581c088a59061d74b093b61f8238d49b6f1"
    ),
}


def before(overrides: str) -> dict[str, Any]:
    """As these were composed before heads had an arithmetic to choose: with its default, the one that there was."""
    config = composed(*overrides.split())
    return change(config, "head.arithmetic", 1) if "arithmetic" in config["head"] else config


@pytest.mark.parametrize("overrides", PINNED)
def test_finished_cells_keep_their_names(overrides: str) -> None:
    """A cell is found again by its fingerprint: with another one, everybody's finished cells would be trained once more.

    One that changed here tells that a default did (of a key in its schema, of a setting in its signature), that a `_target_` or
    an option has another name, that a YAML file has another value, or that identity itself is computed otherwise. Of these
    only a new value in a YAML file is harmless, which then is another computation; whatever else it was goes back, or finished
    cells and those of the new version are told apart in CHANGELOG. A new key changes none of these if its default is what
    cells did before; and a default may never change afterwards, as its key is no part of the names of cells that had it.
    """
    assert fingerprint(before(overrides)) == PINNED[overrides]


def test_a_fingerprint_is_the_hash_of_what_is_no_default() -> None:
    """Written out by hand, as the signatures and schemas have it."""
    named = {
        "backbone": {"name": "resnet50", "_target_": "wisesr.models.backbones.TimmBackbone", "model": "resnet50"},
        "head": {
            "name": "gap_dropout",
            "_target_": "wisesr.models.heads.gap.GlobalAverageHead",
            "dropout": 0.5,
            "arithmetic": 2,
        },
        "dataset": {"name": "digits", "_target_": "wisesr.data.digits.digits", "resolution": 64},
        "resolution": {"size": 64},
        "recipe": {
            "epochs": 3,
            "batch_size": 32,
            "mixup": 1,
            "optimizer": {
                "_target_": "wisesr.training.optimizers.adamw",
                "lr": 0.001,
                "weight_decay": 0.01,
                "weight_decay_on": "weights",
            },
            "schedule": {"_target_": "wisesr.training.schedules.cosine", "warmup": 0.2},
        },
        "augment": {"_target_": "wisesr.data.augmentation.Plain"},
        "trainer": {},
        "seed": 0,
        "protocol": "holdout",
    }
    expected = hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
    assert fingerprint(composed("head=gap_dropout", "recipe.mixup=1.0")) == expected


def test_what_is_decayed_and_how_a_head_starts_are_part_of_a_computation() -> None:
    """No cell of before passes for one of now, nor one start for another."""
    names = {
        fingerprint(composed(*overrides.split()))
        for overrides in ("", BEFORE, "head.init=torch", "head=wise_average head.init=normal", "head=wise_average")
    }
    assert len(names) == 5


def test_a_key_that_has_gone_leaves_finished_cells_their_names() -> None:
    """`recipe.head_init`: at the value that says nothing, and at the other, whose cells were drawn as none is any more."""
    config = before(BEFORE)
    normal, drawn = (change(config, "recipe.head_init", value) for value in ("normal", "torch"))
    assert fingerprint(normal) == fingerprint(config) == PINNED[BEFORE]
    assert with_defaults(normal) == with_defaults(config)
    assert fingerprint(drawn) == "ec446560511ec234530eafbdeaa4af885623459e61ba0354ced338d725e98dfc"
    assert fingerprint(drawn) != fingerprint(change(config, "head.init", "torch")), "other draws"
    assert check(with_defaults(normal)) == []
    assert check(drawn, trains=False) == []
    assert check(drawn) == ["recipe.head_init is a setting of the head now: head.init=torch"]


@pytest.mark.parametrize("path", ["study", "output_dir", "dataset.root", "dataset.workers", "trainer.threads"])
def test_the_fingerprint_ignores_where_and_how_fast(config: dict[str, Any], path: str) -> None:
    assert fingerprint(change(config, path, 7)) == fingerprint(config)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((f"{group}.name", "other") for group in ("backbone", "head", "dataset")),
        ("seed", 7),
        ("protocol", "paper"),
        ("head.dropout", 0.0),
        ("head._target_", "wisesr.models.heads.depthwise.DepthwiseHead"),
        ("backbone.freeze", 1),
        ("recipe.epochs", 7),
        ("recipe.init", "keras"),
        ("recipe.ema", 0.9),
        ("recipe.optimizer.lr", 7),
        ("recipe.schedule.warmup", 0.3),
        ("trainer.precision", "64-true"),
        ("trainer.num_nodes", 2),
        ("trainer.sync_batchnorm", True),
        ("trainer.devices", True),  # which is no 1
        ("trainer.channels_last", 1),  # nor is this a true
        ("trainer.clip", 0),
        ("dataset.split_seed", 7),
        ("dataset.csv", "null"),
    ],
)
def test_the_fingerprint_sees_what_changes_numbers(config: dict[str, Any], path: str, value: Any) -> None:
    assert fingerprint(change(config, path, value)) != fingerprint(config)


def test_the_fingerprint_knows_one_number_from_its_spelling(config: dict[str, Any]) -> None:
    for zero in (0, 0.0, -0.0):
        assert fingerprint(change(config, "head.dropout", zero)) == fingerprint(change(config, "head.dropout", 0))
        assert fingerprint(change(config, "recipe.mixup", zero)) == fingerprint(config), "a default, however it is spelled"
    assert fingerprint(change(config, "recipe.optimizer.lr", 1.0)) == fingerprint(change(config, "recipe.optimizer.lr", 1))
    assert fingerprint(dict(reversed(config.items()))) == fingerprint(config)


def test_a_default_is_no_part_of_a_fingerprint_whether_it_is_written_or_not(config: dict[str, Any]) -> None:
    shorter = copy.deepcopy(config)
    for group, key in (("recipe", "init"), ("trainer", "num_nodes"), ("dataset", "val_fraction"), ("backbone", "freeze")):
        del shorter[group][key]
    assert fingerprint(shorter) == fingerprint(config)
    assert computation(shorter) == computation(config)
    del shorter["recipe"]["epochs"]
    assert fingerprint(shorter) != fingerprint(config), "it has no default"


def test_how_images_are_come_by_is_no_part_of_a_cell_unless_they_are_others(config: dict[str, Any]) -> None:
    """Decoded or kept they are the same; smaller copies, maps of half the bits and a few fixed views are not."""
    shorter = copy.deepcopy(config)
    for key in ("cache", "cache_dir", "features", "views"):
        del shorter["dataset"][key]
    names = {fingerprint(shorter), fingerprint(config)}
    for path, values in (("cache", ("auto", "on", "off")), ("features", ("auto", "on", "off")), ("cache_dir", (None, "/fast"))):
        changed = [change(config, f"dataset.{path}", value) for value in values]
        assert {cell_dir(each) for each in changed} == {cell_dir(config)}
        assert {fingerprint(each) for each in changed} == names == {fingerprint(config)}
    others = (("cache", "reduced"), ("features", "fp16"), ("views", 1), ("views", 4))
    names |= {fingerprint(change(config, f"dataset.{path}", value)) for path, value in others}
    both = change(change(config, "dataset.cache", "reduced"), "dataset.views", 4)
    assert len(names | {fingerprint(both)}) == 6
    assert with_defaults(shorter) == config, "and one that was written before there were these keys is read as before"


def test_all_settings_of_foreign_code_count(config: dict[str, Any]) -> None:
    """Its defaults are not known here, and below its `_target_` everything is its own."""
    inner = {"_target_": "wisesr.models.heads.gap.GlobalAverageHead", "dropout": 0.0}
    config["head"] = {"name": "mine", "_target_": "my.heads.Head", "dropout": 0.0, "inner": inner}
    assert without_defaults(config)["head"] == with_defaults(config)["head"] == config["head"]
    assert fingerprint(change(config, "head.inner", {"_target_": inner["_target_"]})) != fingerprint(config)
    gone = change(config, "head._target_", "wisesr.models.heads.gone.Head")
    assert without_defaults(gone)["head"] == gone["head"], "what cannot be read has no defaults either"


def test_a_key_that_comes_later_renames_no_cell(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Later(RecipeSchema):
        invented: int | None = None

    before = fingerprint(config)
    monkeypatch.setitem(SCHEMAS, "recipe", Later)
    assert fingerprint(config) == before
    later = change(config, "recipe.invented", None)
    assert check(later) == []
    assert fingerprint(later) == before
    assert fingerprint(change(config, "recipe.invented", 1)) != before
    assert check(config) != [], "it stands in the YAML, as every key does"


_TARGETS = """
def pool(images, *, size: int{settings}): ...

class Pool:
    def __init__(self, images, *, size: int{settings}) -> None: ...
"""


def forget_sources() -> None:
    for each in vars(signatures).values():
        getattr(each, "cache_clear", lambda: None)()


@pytest.mark.parametrize("name", ["pool", "Pool"])
def test_a_setting_that_comes_later_renames_no_cell(
    name: str, config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a function and of a class; of numbers, texts and lists; and none whose default the source does not show."""
    monkeypatch.setattr(signatures, "_PACKAGE", tmp_path)
    target = f"wisesr.invented.{name}"
    config["augment"] = {"_target_": target, "size": 2}
    later = {"_target_": target, "size": 2, "scale": -1.5, "mode": "all", "zoom": [0.8, 1]}
    (tmp_path / "invented.py").write_text(_TARGETS.format(settings=""))
    forget_sources()
    before = fingerprint(config)
    settings = ', scale: float = -1.5, mode: str = "all", zoom: list[float] = (0.8, 1.0), odd: float = BOUND'
    (tmp_path / "invented.py").write_text(_TARGETS.format(settings=settings))
    forget_sources()
    assert fingerprint(config) == before
    assert fingerprint(config | {"augment": later}) == before
    assert with_defaults(config)["augment"] == later
    with_defaults(config)["augment"]["zoom"].append(9)
    assert with_defaults(config)["augment"] == later, "a list that two cells shared would carry a change of one into the other"
    for key, value in (("scale", 1.5), ("mode", "some"), ("zoom", [1, 0.8]), ("odd", 1), ("size", 3)):
        assert fingerprint(config | {"augment": later | {key: value}}) != before
    forget_sources()


def test_a_cell_that_was_written_before_a_key_is_read_with_its_default(config: dict[str, Any], tmp_path: Path) -> None:
    shorter = copy.deepcopy(config)
    for group, key in (("recipe", "structure"), ("trainer", "max_time"), ("dataset", "workers"), ("head", "non_negative")):
        del shorter[group][key]
    (tmp_path / "config.yaml").write_text(to_yaml(shorter))
    assert load_cell(tmp_path) == config
    assert check(load_cell(tmp_path)) == []
    del shorter["recipe"]["batch_size"]
    (tmp_path / "config.yaml").write_text(to_yaml(shorter))
    (problem,) = check(load_cell(tmp_path))
    assert "recipe.batch_size is missing" in problem, "it has no default"


def test_the_directory_says_what_is_in_it(config: dict[str, Any]) -> None:
    path = cell_dir(change(config, "backbone.name", "hf-hub:some/model"))
    assert path.relative_to(config["output_dir"]).parts[:3] == ("tests", "corners-64", "hf-hub_some_model-wise_dropout")
    assert path.name.startswith("seed-0-")
