"""Times a cell: the model that it trains on a few images, or its head alone, on maps. torch is imported on use."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.config.schema import Config
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Pace
from wisesr.grid.planning.steps import ImageTime, time_maps, time_steps

if TYPE_CHECKING:
    from wisesr.build.cell import Parts
    from wisesr.data.manifest import Manifest
    from wisesr.grid.planning.views_in_memory import ViewsInMemory

_FLOPS = 1e11
"""Of a timed step at most, where two images allow: more would take long, and memory that nobody has."""
_MAPS = 2.5e8
"""Bytes of the maps of a timed step at most."""
_BESIDE = 4.0
"""Seconds of a cell beside what is measured here: its log, its loggers, Lightning's start, its record."""
_WRITTEN = 3e8
"""Bytes a second: checkpoints are packed, hashed and synced."""


class _Backbone(NamedTuple):
    """The latest that was built, with all around it."""

    key: str
    parts: Parts
    building: float
    """Seconds that it took."""


class Timer:
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
