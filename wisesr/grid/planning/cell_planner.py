"""What one cell costs, and what is wrong with it, found as its own process would find it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from wisesr.build.cell import Parts, build_trainer_settings
from wisesr.build.data import build_manifest
from wisesr.build.dry_run import DryCell, DryRun
from wisesr.build.parts import build_loggers
from wisesr.config.identity import cell_dir
from wisesr.config.schema import Config
from wisesr.data.manifest import TEST, TRAIN, VAL, Manifest, digest_of
from wisesr.data.packed import Names
from wisesr.data.train_part import draw_train_part
from wisesr.errors import UserError
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.find_kept import Wanted, Wishes, gather, reads_of
from wisesr.grid.planning.kept import Kept, with_room
from wisesr.results.cell_files import BEST, LAST
from wisesr.results.checkpoints import KEPT
from wisesr.training.cost import Kind, kinds, parameters, state_bytes, stored_bytes
from wisesr.training.trainer import make_trainer
from wisesr.types import FeatureShape

CellPlan = tuple[Cost | None, list[str]]
"""What a cell costs, and what is wrong with it."""

_COSTLY = ("backbone", "head", "dataset", "resolution", "recipe", "augment", "trainer", "logger", "protocol")
"""What a cell's plan depends on."""

_STAND_IN = 2
"""Classes, where the images cannot be listed and the head is built all the same."""

_PER_FILE = 64 * 1024
"""Bytes of a checkpoint that are no tensor's."""

_PER_EPOCH = 2048
"""Bytes of metrics.csv, of log.txt and of the history in last.ckpt."""


class CellPlanner:
    """Plans cells of a grid that sees so many GPUs, one after another; what cells have in common is found out once."""

    def __init__(self, gpus: int) -> None:
        self._gpus = gpus
        self._dry_run = DryRun()
        self._plans: dict[str, CellPlan] = {}
        self._attempts: dict[str, Any] = {}
        """Manifests, trainers and loggers, by their settings."""
        self._parts: dict[str, Parts] = {}
        """Of cells that can be built, by the same keys as their plans."""
        self._states: dict[str, dict[Kind, int]] = {}
        """By optimizer, the bytes of its state for a parameter of each kind."""

    def plan_cell(self, config: Config) -> CellPlan:
        """What a cell costs; cells that differ in no more than what costs nothing (seed, study) are planned once."""
        key = _key(config, *_COSTLY)
        if key not in self._plans:
            self._plans[key] = self._plan_cell(config, key)
        return self._plans[key]

    def share(self, configs: Sequence[Config]) -> tuple[list[CellPlan], list[Kept]]:
        """The plans of cells that were planned, now that all are known; and what they make once for all of them.

        Raises:
            UserError: `WISESR_CACHE_LIMIT` is no size.
        """
        plans, wishes = [self.plan_cell(config) for config in configs], Wishes()
        parts = [self._parts.get(_key(config, *_COSTLY)) for config in configs]
        wanted: list[list[Wanted]] = [
            wishes.of(config, own, cost) if own is not None and cost is not None else []
            for config, own, (cost, _) in zip(configs, parts, plans, strict=True)
        ]
        stores = with_room(gather(wanted))
        shared = []
        for config, own, wants, (cost, problems) in zip(configs, parts, wanted, plans, strict=True):
            if cost is not None and own is not None:
                reads = reads_of(wants, stores, own.data)
                tail = cost.train_images % int(config["recipe"]["batch_size"])
                cost = cost.of_maps(tail) if reads == "maps" else cost._replace(reads=reads)
            shared.append((cost, problems))
        return shared, list(stores.values())

    def _plan_cell(self, config: Config, key: str) -> CellPlan:
        manifest = self._once(_key(config, "dataset", "protocol"), lambda: build_manifest(config))
        loggers = self._once(_key(config, "logger"), lambda: build_loggers(config, cell_dir(config)))  # none of them is started
        parts = (manifest, self._trainer_problem(config), loggers)
        problems = [problem for problem in parts if isinstance(problem, str)]
        listed = manifest if isinstance(manifest, Manifest) else None
        classes = len(listed.class_names) if listed else _STAND_IN
        try:
            dry = self._dry_run.build(config, listed, classes)
        except Exception as error:
            return None, [*problems, describe_error(error)]
        if listed is None or dry is None:
            return None, problems
        self._parts[key] = dry.parts
        return self._cost(config, listed, dry), problems

    def _cost(self, config: Config, manifest: Manifest, dry: DryCell) -> Cost:
        model, steps = dry.parts.module.model, dry.parts.module.steps
        best, state = self._checkpoint(config, dry)
        files = _predictions_bytes(manifest) + steps.epochs * _PER_EPOCH
        most = best + 2 * (best + state) + files
        return Cost(
            backbone_parameters=parameters(model.backbone),
            head_parameters=parameters(model.head),
            flops=dry.flops,
            feature_map=FeatureShape(*model.backbone.feature_shape),
            train_images=len(manifest.indices(TRAIN)),
            steps=steps.total,
            disk=most,
            partial=most - files - _kept(config, {BEST: best, LAST: best + state}),
            train_flops=_train_flops(dry),
            measured_images=self._measured_images(config, manifest),
            test_images=len(tested := manifest.indices(TEST)),
            val_images=len(manifest.indices(VAL)) if config["protocol"] == "holdout" else 0,
            test_split=digest_of(np.asarray(tested, np.int64).tobytes()).hex(),
        )

    def _measured_images(self, config: Config, manifest: Manifest) -> int:
        """Images on which accuracy is measured after each epoch."""
        chosen, images = TEST if config["protocol"] == "paper" else VAL, config["trainer"]["train_eval_images"]
        settings = {"protocol": config["protocol"], "split_seed": config["dataset"]["split_seed"]}
        key = json.dumps([_key(config, "dataset"), images, settings])
        part = self._once(key, lambda: len(draw_train_part(manifest, images, **settings)))
        return len(manifest.indices(chosen)) + int(part)

    def _checkpoint(self, config: Config, dry: DryCell) -> tuple[int, int]:
        """Bytes of a checkpoint's weights, and of its optimizer's state beside them."""
        module, precision = dry.parts.module, config["trainer"]["precision"]
        weights = sum(count * stored_bytes(kind) for kind, count in kinds(module.state_dict().values(), precision).items())
        trained = kinds((p for p in module.parameters() if p.requires_grad), precision)
        known = self._states.setdefault(json.dumps(config["recipe"]["optimizer"], sort_keys=True), {})
        new = [kind for kind in trained if kind not in known]  # a step on meta takes longer than all else here
        known |= dict(zip(new, state_bytes(dry.optimizer, new), strict=True))
        return weights + _PER_FILE, sum(count * known[kind] for kind, count in trained.items())

    def _trainer_problem(self, config: Config) -> str | None:
        """What Lightning's trainer refuses; where the grid has GPUs, which this process does not see, only their number."""
        settings = config["trainer"]
        if settings["num_nodes"] > 1:
            return None  # only its nodes can tell
        if self._gpus and settings["accelerator"] != "cpu":
            wanted = settings["devices"]
            if isinstance(wanted, int) and wanted > self._gpus:
                return f"trainer.devices must be at most {self._gpus}, the GPUs that this grid sees, not {wanted}"
            if settings["sync_batchnorm"] and self._gpus == 1:
                return "trainer.sync_batchnorm=true needs several GPUs, not the 1 that this grid sees: leave it false"
            return None
        problem: str | None = self._once(_key(config, "trainer"), lambda: _open_trainer(settings))
        return problem

    def _once(self, key: str, attempt: Callable[[], Any]) -> Any:
        """What an attempt gives, or as a text what it raises. Attempted once for each key."""
        if key not in self._attempts:
            try:
                self._attempts[key] = attempt()
            except Exception as error:
                self._attempts[key] = describe_error(error)
        return self._attempts[key]


def _train_flops(dry: DryCell) -> int:
    """Of one image in training: backwards, a layer is passed twice, and not at all where nothing before it is trained.

    Of a backbone of which some stages are frozen all are counted: rather more than less.
    """
    backbone = dry.parts.module.model.backbone
    passes = 3 if any(parameter.requires_grad for parameter in backbone.parameters()) else 1
    return passes * dry.backbone_flops + 3 * (dry.flops - dry.backbone_flops)


def _open_trainer(settings: Mapping[str, Any]) -> None:
    """Lightning's trainer with these settings on this machine without its GPUs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_trainer(build_trainer_settings(settings), 1, [])


def _kept(config: Config, sizes: Mapping[str, int]) -> int:
    """Bytes of the checkpoints that stay, of `sizes` by their names."""
    return sum(sizes[name] for name in KEPT[config["trainer"]["keep_checkpoints"]])


def _predictions_bytes(manifest: Manifest) -> int:
    """Of predictions.npz without its compression: names (4 bytes a character), labels, probabilities."""
    tested = cast(Names, manifest.ids).lengths[manifest.indices(TEST)]
    return len(tested) * (4 * int(tested.max(initial=0)) + 8 + 4 * len(manifest.class_names))


def _key(config: Config, *groups: str) -> str:
    return json.dumps([groups, [config[group] for group in groups]], sort_keys=True)


def describe_error(error: Exception) -> str:
    """An error as a cell would report it."""
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
