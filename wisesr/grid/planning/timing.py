"""How long cells take on this machine's CPU, by a few steps of each model that are done and timed beforehand.

For the planner's child alone: torch is imported on use. A model of which a step would take long is timed on few images at a
time; which model it is matters, and hardly which head it has, so each backbone, size, dataset and recipe is timed once.
"""

from __future__ import annotations

import copy
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wisesr.config.schema import Config
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Pace
from wisesr.grid.planning.steps import time_steps

if TYPE_CHECKING:
    from wisesr.data.manifest import Manifest

_SECONDS = 40.0
"""Of all timing; a model that is begun is finished."""
_FLOPS = 1e11
"""Of a timed step at most, where two images allow: more would take long, and memory that nobody has."""
_BESIDE = 4.0
"""Seconds of a cell beside what is measured here: its log, its loggers, Lightning's start, its record."""
_WRITTEN = 3e8
"""Bytes a second: checkpoints are packed, hashed and synced."""
_NO_MATTER = {"recipe": ("epochs", "head_lr_scale", "schedule", "patience"), "dataset": ("split_seed", "fold", "on_leak")}
"""Settings that make no step longer."""


def time_cells(
    configs: Sequence[Config],
    costs: Sequence[Cost | None],
    manifest_of: Callable[[Config], Manifest],
    *,
    cores: int,
    imports: float,
    tell: Callable[[int], None],
) -> list[Pace | None]:
    """What cells take, a cell each; None where that was not timed: too little time, several devices, a foreign part that fails.

    The smallest models come first, so that most of them are timed.

    Args:
        configs: of the cells.
        costs: a cell each.
        manifest_of: a cell's images.
        cores: of one cell.
        imports: seconds that those of a cell take.
        tell: called before each model, with a cell that has it.
    """
    groups: dict[str, list[int]] = {}
    for index, (config, cost) in enumerate(zip(configs, costs, strict=True)):
        if cost is not None and _is_timed(config):
            groups.setdefault(_key(config), []).append(index)
    paces: dict[int, Pace] = {}
    began = time.monotonic()
    for members in sorted(groups.values(), key=lambda group: _flops(costs[group[0]])):
        if time.monotonic() - began > _SECONDS:
            break
        first = members[0]
        tell(first)
        try:
            pace = _time(configs[first], costs[first], manifest_of(configs[first]), cores, imports)
        except Exception:  # of anybody's model, or for want of memory: the plan does without
            continue
        paces |= dict.fromkeys(members, pace)
    return [paces.get(index) for index in range(len(configs))]


def _flops(cost: Cost | None) -> int:
    return cost.train_flops if cost else 0


def _is_timed(config: Config) -> bool:
    trainer = config["trainer"]
    return trainer["num_nodes"] == 1 and trainer["devices"] in (1, "auto") and trainer["accelerator"] in ("auto", "cpu")


def _key(config: Config) -> str:
    """What the time of a step depends on."""
    groups = ("backbone", "resolution", "dataset", "recipe", "augment", "trainer")
    node = copy.deepcopy({group: config[group] for group in groups})
    for group, keys in _NO_MATTER.items():
        for key in keys:
            node[group].pop(key, None)
    node["recipe"]["optimizer"].pop("lr", None)
    return json.dumps(node, sort_keys=True)


def _time(config: Config, cost: Cost | None, manifest: Manifest, cores: int, imports: float) -> Pace:
    from wisesr.build.cell import build
    from wisesr.training.trainer import silence_advice

    assert cost is not None
    began = time.monotonic()
    parts = build(_small(config, cost), manifest, cores=cores)
    building = time.monotonic() - began
    threads = config["trainer"]["threads"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        silence_advice()
        train, measure = time_steps(parts, cores if threads == "auto" else int(threads))
    beside = _BESIDE + 4 * config["recipe"]["batch_size"] * (train + measure)  # cost.compute is measured at the end
    return Pace(imports + building + beside, (cost.disk - cost.partial) / _WRITTEN, train, measure)


def _small(config: Config, cost: Cost) -> Config:
    """The cell with a batch that a timed step can afford, and without weights, which may have to be downloaded."""
    batch = min(config["recipe"]["batch_size"], max(2, int(_FLOPS // max(1, cost.train_flops))))
    changes: dict[str, Mapping[str, Any]] = {
        "recipe": {"batch_size": batch},
        "trainer": {"accumulate": 1, "accelerator": "cpu", "devices": 1},
        "dataset": {"workers": 0},
    }
    if "weights" in config["backbone"]:
        changes["backbone"] = {"weights": None}
    return config | {group: config[group] | change for group, change in changes.items()}
