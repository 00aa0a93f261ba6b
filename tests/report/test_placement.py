"""Labels: what varies is told, shortly; what does not is not; and two different places never read alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.studies import cell_config
from wisesr.config.options import load_option
from wisesr.report.placement import is_execution, places, shared, table_of
from wisesr.report.settings import settings_of
from wisesr.report.study import Place

ROOT = Path("/nowhere")
_SETTINGS = settings_of(cell_config(ROOT))


def _places(configs: Sequence[Mapping[str, Any]]) -> list[Place]:
    return _places_of([settings_of(config) for config in configs])


def _places_of(values: Sequence[Mapping[str, Any]]) -> list[Place]:
    return places([dict(one) for one in values], [""] * len(values))


def _told(configs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(place.backbone, place.settings, place.head, place.rate) for place in _places(configs)]


def test_what_does_not_vary_is_not_told() -> None:
    configs = [cell_config(ROOT, head=head, seed=seed) for head in ("gap", "wise") for seed in (0, 1)]
    found = _places(configs)
    assert found[0] == Place("toy", 64, "holdout", "resnet18", "", "gap", "", 0)
    assert [(place.head, place.seed) for place in found] == [("gap", 0), ("gap", 1), ("wise", 0), ("wise", 1)]


def test_what_varies_is_told_where_it_belongs() -> None:
    base = {"recipe.epochs": 3, "backbone.weights": None, "head.dropout": 0.0, "dataset.split_seed": 0}
    one, other = cell_config(ROOT, changes=base), cell_config(ROOT, changes={"recipe.epochs": 9})
    assert _told([one, other]) == [("resnet18", "recipe.epochs=3", "gap", ""), ("resnet18", "recipe.epochs=9", "gap", "")]
    other = cell_config(ROOT, changes={"backbone.weights": "package"})
    assert [place.backbone for place in _places([one, other])] == ["resnet18 weights=null", "resnet18 weights=package"]
    other = cell_config(ROOT, changes={"head.dropout": 0.5})
    assert [place.head for place in _places([one, other])] == ["gap dropout=0", "gap dropout=0.5"]
    other = cell_config(ROOT, changes={"dataset.split_seed": 1})
    assert [place.dataset for place in _places([one, other])] == ["toy split_seed=0", "toy split_seed=1"]
    assert [place.head for place in _places([one, other])] == ["gap", "gap"]


def test_tables_do_not_lend_one_another_their_axes() -> None:
    """Two datasets, each with its epochs: within neither table anything varies."""
    configs = [
        cell_config(ROOT, dataset=name, epochs=epochs, head=head)
        for name, epochs in (("a", 3), ("b", 9))
        for head in ("gap", "wise")
    ]
    found = _places(configs)
    assert {place.settings for place in found} == {""}
    told = shared([settings_of(config) for config in configs], [table_of(place) for place in found])
    assert told == {("", "a", 64, "holdout"): "recipe.epochs=3", ("", "b", 64, "holdout"): "recipe.epochs=9"}


def test_a_rate_is_one_where_it_varies_within_a_group() -> None:
    lr = "recipe.optimizer.lr"
    swept = [cell_config(ROOT, changes={lr: value}) for value in (0.001, 0.01)]
    assert [place.rate for place in _places(swept)] == ["lr=0.001", "lr=0.01"]
    by_epochs = [cell_config(ROOT, changes={lr: value, "recipe.epochs": epochs}) for value, epochs in ((0.001, 3), (0.01, 9))]
    assert [(place.settings, place.rate) for place in _places(by_epochs)] == [
        ("recipe.epochs=3 recipe.optimizer.lr=0.001", ""),
        ("recipe.epochs=9 recipe.optimizer.lr=0.01", ""),
    ]
    both = [cell_config(ROOT, changes={lr: 0.001, "recipe.head_lr_scale": scale}) for scale in (1.0, 10.0)]
    assert [place.rate for place in _places([*both, *swept])] == [
        "head_lr_scale=1 lr=0.001",
        "head_lr_scale=10 lr=0.001",
        "head_lr_scale=1 lr=0.001",
        "head_lr_scale=1 lr=0.01",
    ]


def test_a_changed_part_stands_for_what_follows_from_it() -> None:
    """An optimizer of its own has other keys, too."""
    sgd = {"_target_": "wisesr.training.optimizers.sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.0}
    configs = [cell_config(ROOT), cell_config(ROOT, changes={"recipe.optimizer": sgd})]
    assert [place.settings for place in _places(configs)] == ["recipe.optimizer=adamw", "recipe.optimizer=sgd"]
    faster = cell_config(ROOT, changes={"recipe.optimizer": sgd | {"momentum": 0.95}})
    assert [place.settings for place in _places([*configs, faster])] == [
        "recipe.optimizer=adamw",
        "recipe.optimizer=sgd recipe.optimizer.momentum=0.9",
        "recipe.optimizer=sgd recipe.optimizer.momentum=0.95",
    ]


def test_options_have_the_names_that_users_gave() -> None:
    def augmented(name: str, **changes: Any) -> dict[str, Any]:
        return cell_config(ROOT, changes={"augment": load_option("augment", name) | changes})

    configs = [augmented("none"), augmented("standard"), augmented("paper")]
    assert [place.settings for place in _places(configs)] == ["augment=none", "augment=standard", "augment=paper"]
    configs = [augmented("none"), augmented("paper"), augmented("paper", contrast_stretch=False)]
    assert [place.settings for place in _places(configs)] == [
        "augment=none",
        "augment=paper augment.contrast_stretch=true",
        "augment=paper augment.contrast_stretch=false",
    ]
    configs = [augmented("none"), augmented("paper", contrast_stretch=False)]
    assert _places(configs)[1].settings == "augment=paper augment.contrast_stretch=false"


def test_an_option_that_all_cells_changed_is_not_called_as_if_they_had_not() -> None:
    def trained(name: str) -> dict[str, Any]:
        config = cell_config(ROOT)
        config["recipe"] = load_option("recipe", name) | {"epochs": 1}
        return config

    assert [place.settings.split()[0] for place in _places([trained("quick"), trained("modern")])] == [
        "recipe=quick(changed)",
        "recipe=modern(changed)",
    ]


def test_how_a_cell_is_computed_is_no_axis() -> None:
    configs = [cell_config(ROOT, changes={"trainer.accelerator": value, "trainer.threads": 1}) for value in ("auto", "cpu")]
    assert len(set(_places(configs))) == 1
    configs = [cell_config(ROOT, changes={"trainer.precision": value}) for value in ("32-true", "bf16-mixed")]
    assert [place.settings for place in _places(configs)] == ["trainer.precision=32-true", "trainer.precision=bf16-mixed"]


@pytest.mark.parametrize(
    "values", [(1, "1", True, "true", 2.5, "2.5"), (None, "null", "", "None"), ([1, 2], "[1,2]"), ("a b=1", "a")]
)
def test_values_that_differ_read_differently(values: tuple[Any, ...]) -> None:
    """Of an own class that takes any value, too."""
    found = _places_of([_SETTINGS | {"recipe.label_smoothing": value} for value in values])
    assert len({place.settings for place in found}) == len(values)


def test_paths_with_the_same_end_stay_apart() -> None:
    paths = ("/data/first/run/seed-0/best.ckpt", "/data/second/run/seed-0/best.ckpt", "/data/second/run/seed-1/best.ckpt")
    found = _places([cell_config(ROOT, changes={"backbone.weights": path}) for path in paths])
    assert len({place.backbone for place in found}) == 3


_AUGMENTS = [settings_of({"augment": load_option("augment", name)}) for name in ("none", "standard", "paper")]
# Of the settings, right or wrong: what is told apart here was accepted before, by the code that it is for.
_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "recipe.epochs": st.sampled_from([3, 9]),
        "recipe.batch_size": st.sampled_from([32, "32", 64]),
        "recipe.optimizer.lr": st.sampled_from([0.001, 0.01]),
        "recipe.head_lr_scale": st.sampled_from([1.0, 10.0]),
        "recipe.optimizer._target_": st.sampled_from(["wisesr.training.optimizers.adamw", "wisesr.training.optimizers.sgd"]),
        "recipe.batch_norm": st.sampled_from(["timm", "keras"]),
        "augment": st.sampled_from(_AUGMENTS),
        "augment.flip": st.sampled_from([0.0, 0.5]),
        "head.dropout": st.sampled_from([0.0, 0.5]),
        "head.pre_pool": st.sampled_from([None, 2, "null"]),
        "backbone.weights": st.sampled_from([None, "imagenet", "/a/b/c/d.pt", "/x/b/c/d.pt"]),
        "backbone.freeze": st.sampled_from([None, "all", 2]),
        "dataset.split_seed": st.sampled_from([0, 1]),
        "dataset.fold": st.sampled_from([None, 0, 1]),
        "trainer.precision": st.sampled_from(["32-true", "bf16-mixed"]),
        "trainer.devices": st.sampled_from([1, 2]),
        "protocol": st.sampled_from(["holdout", "paper"]),
    },
)


def _settings(changes: dict[str, Any], head: str, seed: int) -> dict[str, Any]:
    changes = dict(changes)
    augment = changes.pop("augment", _AUGMENTS[0])
    values = settings_of(cell_config(ROOT, head=head, seed=seed))
    return {key: value for key, value in values.items() if not key.startswith("augment.")} | augment | changes


@settings(max_examples=60)
@given(st.lists(st.tuples(_CHANGES, st.sampled_from(["gap", "wise"]), st.integers(0, 1)), min_size=2, max_size=7))
def test_two_computations_have_two_places_and_one_has_one(drawn: list[tuple[dict[str, Any], str, int]]) -> None:
    cells = [_settings(changes, head, seed) for changes, head, seed in drawn]
    meant = [{key: value for key, value in values.items() if not is_execution(key)} for values in cells]
    found = _places_of(cells)
    for one, place in zip(meant, found, strict=True):
        for other, its in zip(meant, found, strict=True):
            assert ({key: repr(value) for key, value in one.items()} == {key: repr(value) for key, value in other.items()}) == (
                place == its
            )
