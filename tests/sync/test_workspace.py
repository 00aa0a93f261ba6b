"""The workspace's specification, compared in meaning with what the studies hold."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.specs import spec_of
from tests.support.studies import cell_config
from wisesr.config.axes import leaves
from wisesr.config.identity import computation
from wisesr.sync.grouping import grouping
from wisesr.sync.workspace import make_workspace

ROOT = Path("/nowhere")
CHOICES: dict[str, list[Any]] = {
    "head": ["gap", "wise", "depthwise"],
    "backbone": ["resnet18", "densenet121"],
    "dataset": ["toy", "other"],
    "size": [64, 224],
    "seed": [0, 1, 2],
    "study": ["a"],
    "recipe.optimizer.lr": [0.1, 0.01],
    "head.dropout": [0.0, 0.5],
    "augment._target_": ["wisesr.data.augmentation.Plain", "wisesr.data.augmentation.Standard"],
}


def configs(axes: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """A cell's configuration for each combination."""
    found = []
    for values in itertools.product(*axes.values()):
        chosen = dict(zip(axes, values, strict=True))
        changes = {name: chosen.pop(name) for name in list(chosen) if "." in name}
        found.append(cell_config(ROOT, changes=changes, **chosen))
    return found


@st.composite
def studies(draw: st.DrawFn) -> list[dict[str, Any]]:
    axes = {
        name: draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)) for name, values in CHOICES.items()
    }
    return configs(axes)


def place(config: dict[str, Any], keys: list[str]) -> tuple[str, ...]:
    values = leaves(config)
    return tuple(repr(values.get(key)) for key in keys)


def without_seed(config: dict[str, Any]) -> str:
    return json.dumps({**computation(config), "seed": None}, sort_keys=True)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(studies())
def test_a_group_is_the_seeds_of_one_configuration(cells: list[dict[str, Any]]) -> None:
    """Two cells stand in one group if, and only if, they differ in nothing but the seed."""
    keys = grouping(cells)
    groups: dict[tuple[str, ...], set[str]] = {}
    for config in cells:
        groups.setdefault(place(config, keys), set()).add(without_seed(config))
    assert all(len(computations) == 1 for computations in groups.values())
    assert len(groups) == len({without_seed(config) for config in cells})
    assert "head.name" in keys
    assert "seed" not in keys
    assert all(len({place(config, [key]) for config in cells}) > 1 for key in keys if key != "head.name")


def test_replicates_and_folds_are_one_group() -> None:
    replicates = [cell_config(ROOT, seed=n, changes={"replicate": n, "dataset.split_seed": n}) for n in range(3)]
    folds = [cell_config(ROOT, changes={"dataset.fold": fold}) for fold in range(3)]
    crossed = [cell_config(ROOT, seed=n, changes={"dataset.split_seed": split}) for n in range(2) for split in range(2)]
    assert grouping(replicates) == grouping(folds) == ["head.name"]
    assert grouping(crossed) == ["dataset.split_seed", "head.name"]


def test_keys_that_vary_together_are_one() -> None:
    one = cell_config(ROOT)
    other = cell_config(ROOT, changes={"recipe.optimizer.lr": 0.5, "recipe.optimizer.weight_decay": 0.0, "recipe.epochs": 9})
    assert len(grouping([one, other])) == 2


def made(cells: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The specification of its runs, and panels by their title."""
    shown = {f"{index:08x}": config for index, config in enumerate(cells)}
    spec = spec_of(make_workspace(shown, entity="me", project="p", study="digits_heads"))
    panels = [panel for section in spec["panelBankConfig"]["sections"] for panel in section["panels"]]
    return spec, {panel["config"].get("chartTitle", panel["viewType"]): panel for panel in panels}


def test_only_the_runs_of_these_cells_are_shown() -> None:
    spec, _ = made(configs({"head": ["gap", "wise"], "seed": [0, 1]}))
    (runs,) = spec["runSets"]
    asked = {(rule["key"]["section"], rule["key"]["name"]): (rule["op"], rule["value"]) for rule in runs["filters"]["filters"]}
    assert asked == {
        ("run", "group"): ("=", "digits_heads"),
        ("run", "name"): ("IN", ["00000000", "00000001", "00000002", "00000003"]),
    }
    assert all(rule.get("connector", "AND") == "AND" and not rule["disabled"] for rule in runs["filters"]["filters"])


def test_heads_side_by_side() -> None:
    spec, panels = made(configs({"head": ["gap", "wise"], "seed": [0, 1, 2]}))
    assert spec["runSets"][0]["grouping"] == [{"section": "config", "name": "head.value.name"}]
    for title in (
        "validation top-1, mean and deviation over seeds",
        "test top-1 of the chosen epoch, mean and deviation over seeds",
    ):
        config = panels[title]["config"]
        assert (config["groupBy"], config["groupAgg"], config["groupArea"]) == ("head.value.name", "mean", "stddev")
    curve = panels["validation top-1, mean and deviation over seeds"]
    assert (curve["viewType"], curve["config"]["xAxis"], curve["config"]["metrics"]) == (
        "Run History Line Plot",
        "epoch",
        ["val/top1"],
    )
    assert curve["config"]["pointVisualizationMethod"] == spec["settings"]["pointVisualizationMethod"] == "sampling"


def test_several_axes_are_grouped_by_all_of_them_and_panels_follow() -> None:
    spec, panels = made(configs({"head": ["gap", "wise"], "backbone": ["resnet18", "densenet121"], "head.dropout": [0.0, 0.5]}))
    names = [key["name"] for key in spec["runSets"][0]["grouping"]]
    assert names == ["backbone.value.name", "head.value.name", "head.value.dropout"]
    assert spec["settings"]["useRunsTableGroupingInPanels"]
    assert not any("groupBy" in panel["config"] for panel in panels.values())
    assert panels["validation top-1, mean and deviation over seeds"]["config"]["groupArea"] == "stddev"


def test_sections() -> None:
    spec, panels = made(configs({"head": ["gap", "wise"]}))
    names = [section["name"] for section in spec["panelBankConfig"]["sections"]]
    assert names == ["Accuracy", "Losses", "What was learned", "Predictions", "Cost"]
    media = [panel["config"]["mediaKeys"] for panel in panels.values() if panel["viewType"] == "Media Browser"]
    assert media == [["kernels"], ["kernel/picture"], ["hardest"], ["confusion"]]
    scatter = panels["test top-1 against parameters of the head"]["config"]
    assert (scatter["xAxis"], scatter["yAxis"]) == ("summary:head_parameters", "summary:best/test/top1")
    assert spec["settings"]["shouldAutoGeneratePanels"] is False
