"""How long cells take on this machine's CPU, by a few steps of each model that are done and timed beforehand.

For the planner's child alone: torch is imported on use. A model of which a step would take long is timed on few images at a
time; which model it is matters, and hardly which head it has, so each backbone, size, dataset and recipe is timed once. Where
the maps of a frozen backbone are kept, the head is all that is left: then each head is timed, on maps, and the backbone once
for what making them takes.
"""

from __future__ import annotations

import copy
import json
import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.config.schema import Config
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Pace
from wisesr.grid.planning.kept import Kept
from wisesr.grid.planning.steps import ImageTime, time_maps, time_steps

if TYPE_CHECKING:
    from wisesr.build.cell import Parts
    from wisesr.data.manifest import Manifest
    from wisesr.grid.planning.views_in_memory import ViewsInMemory

_SECONDS = 40.0
"""Of all timing; a model that is begun is finished."""
_FLOPS = 1e11
"""Of a timed step at most, where two images allow: more would take long, and memory that nobody has."""
_MAPS = 2.5e8
"""Bytes of the maps of a timed step at most."""
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
    kept: Sequence[Kept] = (),
    cores: int,
    imports: float,
    tell: Callable[[int], None],
) -> tuple[list[Pace | None], list[float | None]]:
    """What cells take, a cell each; None where that was not timed: too little time, several devices, a foreign part that fails.

    The smallest models come first, so that most of them are timed.

    Args:
        configs: of the cells.
        costs: a cell each.
        manifest_of: a cell's images.
        kept: what is made once for them.
        cores: of one cell.
        imports: seconds that those of a cell take.
        tell: called before each model, with a cell that has it.

    Returns:
        A pace each; and of `kept`, the seconds that making it takes each.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    keys: dict[int, str] = {}
    for index, (config, cost) in enumerate(zip(configs, costs, strict=True)):
        if cost is not None and _is_timed(config):
            keys[index] = f"{cost.reads} {_key(config)}"
            head = json.dumps(config["head"], sort_keys=True) if cost.reads == "maps" else ""
            groups.setdefault((keys[index], head), []).append(index)
    paces: dict[int, Pace] = {}
    timer, began = _Timer(manifest_of, cores, imports), time.monotonic()
    for (key, _), members in sorted(groups.items(), key=lambda each: (_flops(costs[each[1][0]]), *each[0])):
        if time.monotonic() - began > _SECONDS:
            break
        first = members[0]
        cost = costs[first]
        assert cost is not None
        tell(first)
        try:
            pace = timer.time(key, configs[first], cost)
        except Exception:  # of anybody's model, or for want of memory: the plan does without
            continue
        paces |= dict.fromkeys(members, pace)
    making = [_making(store, [timer.images.get(keys.get(index, "")) for index in store.cells], cores) for store in kept]
    return [paces.get(index) for index in range(len(configs))], making


def _making(store: Kept, timed: Sequence[ImageTime | None], cores: int) -> float | None:
    """Seconds of making what is missing of a store, by what the cells that want it were timed with."""
    known = next((each for each in timed if each is not None), None)
    if known is None or not store.fits:
        return None
    return store.missing * (known.measure if store.kind == "maps" else known.decode / cores)


def _flops(cost: Cost | None) -> int:
    """Of a model, by which it is small or large; heads on maps follow the backbone that makes them."""
    return cost.flops if cost else 0


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


class _Backbone(NamedTuple):
    """The latest that was built, with all around it."""

    key: str
    parts: Parts
    building: float
    """Seconds that it took."""


class _Timer:
    """Times cells one after another; those that share a backbone follow each other."""

    def __init__(self, manifest_of: Callable[[Config], Manifest], cores: int, imports: float) -> None:
        self._manifest_of, self._cores, self._imports = manifest_of, cores, imports
        self._latest: _Backbone | None = None
        self.images: dict[str, ImageTime] = {}
        """What an image takes that is decoded, and computed as a whole, by key."""

    def time(self, key: str, config: Config, cost: Cost) -> Pace:
        """What a cell takes.

        Args:
            key: the same for cells with the same backbone and images.
            config: of the cell.
            cost: of the cell.
        """
        threads = config["trainer"]["threads"]
        threads = self._cores if threads == "auto" else int(threads)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            built = self._built(key, config, cost, threads)
            train, measure = self.images[key][:2]
            tail = 0.0
            if cost.reads == "maps":
                tail = cost.train_images % int(config["recipe"]["batch_size"]) * measure
                train, measure = self._of_maps(config, cost, built.parts, threads)
        beside = _BESIDE + 4 * config["recipe"]["batch_size"] * (train + measure)  # cost.compute is measured at the end
        start = self._imports + built.building + beside
        return Pace(start, (cost.disk - cost.partial) / _WRITTEN + tail, train, measure)

    def _built(self, key: str, config: Config, cost: Cost, threads: int) -> _Backbone:
        from wisesr.build.cell import build
        from wisesr.training.trainer import silence_advice

        if self._latest is None or self._latest.key != key:
            self._latest = None  # before another is built
            silence_advice()
            began = time.monotonic()
            parts = build(_small(config, cost), self._manifest_of(config), cores=self._cores)
            self._latest = _Backbone(key, parts, time.monotonic() - began)
            views = _in_memory(parts) if cost.reads == "decoded" else {}
            parts.data.kept |= views
            self.images[key] = time_steps(parts, threads, trains=cost.reads != "maps")
            if views:
                seconds = sum(view.seconds for view in views.values()) / len(views)
                self.images[key] = self.images[key]._replace(decode=seconds)
        return self._latest

    def _of_maps(self, config: Config, cost: Cost, parts: Parts, threads: int) -> tuple[float, float]:
        """Of a cell's head, beside the backbone of another cell, seconds an image."""
        from wisesr.build.cell import assemble
        from wisesr.build.parts import build_head
        from wisesr.models.classifier import Classifier

        body, manifest = parts.module.model.backbone, parts.data.manifest
        head = build_head(config["head"], body.feature_shape, len(manifest.class_names))
        batch = min(config["recipe"]["batch_size"], max(2, int(_MAPS // (4 * math.prod(cost.feature_map)))))
        own = assemble(_of_batch(config, batch), manifest, Classifier(body, head), cores=self._cores)
        return time_maps(own, threads, batch)


def _in_memory(parts: Parts) -> dict[bool, ViewsInMemory]:
    """Views that need not be decoded, as they are kept for a cell."""
    from wisesr.grid.planning.views_in_memory import ViewsInMemory

    data = parts.data
    views = {training: data.augment.view(training=training) for training in (True, False)}
    return {training: ViewsInMemory(data.manifest, view) for training, view in views.items() if view is not None}


def _small(config: Config, cost: Cost) -> Config:
    """The cell with a batch that a timed step can afford, and without weights, which may have to be downloaded."""
    flops = cost.flops if cost.reads == "maps" else cost.train_flops
    return _of_batch(config, min(config["recipe"]["batch_size"], max(2, int(_FLOPS // max(1, flops)))))


def _of_batch(config: Config, batch: int) -> Config:
    """The cell with a batch, on the CPU, without weights."""
    changes: dict[str, Mapping[str, Any]] = {
        "recipe": {"batch_size": batch},
        "trainer": {"accumulate": 1, "accelerator": "cpu", "devices": 1},
        "dataset": {"workers": 0},
    }
    if "weights" in config["backbone"]:
        changes["backbone"] = {"weights": None}
    return config | {group: config[group] | change for group, change in changes.items()}
