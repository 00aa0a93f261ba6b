"""One cell of a plan: built without its memory, what is wrong with it found as its own process would find it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from wisesr.build.cell import (
    Parts,
    assemble,
    build_backbone,
    build_conventions,
    build_head,
    build_loggers,
    build_optimizer,
    build_steps,
    build_trainer_settings,
)
from wisesr.build.data import build_manifest
from wisesr.config.identity import cell_dir
from wisesr.config.schema import Config
from wisesr.data.manifest import TEST, TRAIN, Manifest
from wisesr.errors import UserError
from wisesr.grid.planning.plan import Cost
from wisesr.models.backbones import TimmBackbone
from wisesr.models.classifier import Classifier
from wisesr.models.conventions import check_conventions
from wisesr.models.keras_structure import structure_as_keras
from wisesr.models.sources import IMAGENET
from wisesr.training.cost import Kind, forward_flops, kinds, parameters, state_bytes, stored_bytes
from wisesr.training.fit import make_trainer
from wisesr.types import FeatureShape

CellPlan = tuple[Cost | None, list[str]]
"""What a cell costs, and what is wrong with it."""

_STAND_IN = 2
"""Classes, where the images cannot be listed and the head is looked at all the same."""

_PER_FILE = 64 * 1024
"""Bytes of a checkpoint that are no tensor's."""

_PER_EPOCH = 2048
"""Bytes of metrics.csv, of log.txt and of the history in last.ckpt."""


class Body(NamedTuple):
    """A backbone, built for all cells that share it."""

    module: TimmBackbone
    flops: int
    features: Tensor
    """Of one image."""


class CellPlanner:
    """Looks at cells one after another and builds nothing twice that neighbours share.

    Args:
        gpus: that the grid sees; 0 for none.
    """

    def __init__(self, gpus: int) -> None:
        self._gpus = gpus
        self._kept: dict[str, tuple[str, Any]] = {}
        self._found: dict[str, CellPlan] = {}
        self._manifests: dict[str, Manifest | str] = {}
        self._states: dict[str, dict[Kind, int]] = {}

    def plan_cell(self, config: Config) -> CellPlan:
        """What a cell costs; cells that differ in no more than what costs nothing (seed, study) are looked at once."""
        key = _key(config, "backbone", "head", "dataset", "resolution", "recipe", "augment", "trainer", "logger", "protocol")
        if key not in self._found:
            self._found[key] = self._plan_cell(config)
        return self._found[key]

    def _plan_cell(self, config: Config) -> CellPlan:
        problems: list[str] = []
        manifest = self._manifest(config)
        if isinstance(manifest, str):
            problems.append(manifest)
        for problem in (self._trainer_problem(config), self._logger_problem(config)):
            if problem:
                problems.append(problem)
        classes = _STAND_IN if isinstance(manifest, str) else len(manifest.class_names)
        try:
            cost = self._cost(config, None if isinstance(manifest, str) else manifest, classes)
        except Exception as error:
            return None, [*problems, describe_error(error)]
        return cost, problems

    def _manifest(self, config: Config) -> Manifest | str:
        """The images of a cell, or what is wrong with them."""
        key = _key(config, "dataset", "protocol")
        if key not in self._manifests:
            try:
                self._manifests[key] = _undecoded(config)
            except Exception as error:
                self._manifests[key] = describe_error(error)
        return self._manifests[key]

    def _cost(self, config: Config, manifest: Manifest | None, classes: int) -> Cost | None:
        """Of the whole cell, on the meta device; what that cannot do, on the CPU.

        A foreign part may ask its tensors for their numbers, which there are none of on meta.
        """
        try:
            return self._cost_on("meta", config, manifest, classes)
        except Exception as error:
            if isinstance(error, UserError) and not _foreign(config):
                raise
        return self._cost_on("cpu", config, manifest, classes)

    def _cost_on(self, device: str, config: Config, manifest: Manifest | None, classes: int) -> Cost | None:
        size = config["resolution"]["size"]
        node, structure = config["backbone"], config["recipe"]["structure"]
        key = [node, size, structure]
        body: Body = self._once(f"body on {device}", key, lambda: _build_body(device, node, size, structure))
        with torch.device(device):
            head = build_head(config["head"], body.module.feature_shape, classes)
        if manifest is None:
            return None
        model = Classifier(body.module, head)
        check_conventions(
            model, build_conventions(config["recipe"])
        )  # no more: they cost next to nothing, and the body is shared
        parts = assemble(config, manifest, model)
        parts.module.configure_optimizers()
        self._check_devices(config, parts)
        best, state = self._checkpoint(config, parts)
        files = _predictions_bytes(manifest, classes) + config["recipe"]["epochs"] * _PER_EPOCH
        return Cost(
            backbone_parameters=parameters(body.module),
            head_parameters=parameters(head),
            flops=body.flops + forward_flops(head, body.features)[0],
            feature_map=FeatureShape(*body.module.feature_shape),
            train_images=len(manifest.indices(TRAIN)),
            steps=build_steps(config, manifest).total,
            disk=best + 2 * (best + state) + files,
            partial=best + state,
        )

    def _checkpoint(self, config: Config, parts: Parts) -> tuple[int, int]:
        """Bytes of a checkpoint's weights, and of its optimizer's state beside them."""
        node, precision = config["recipe"]["optimizer"], config["trainer"]["precision"]
        weights = sum(
            count * stored_bytes(kind) for kind, count in kinds(parts.module.state_dict().values(), precision).items()
        )
        trained = kinds((p for p in parts.module.parameters() if p.requires_grad), precision)
        known = self._states.setdefault(json.dumps(node, sort_keys=True), {})
        new = [kind for kind in trained if kind not in known]  # a step on meta takes longer than all else here
        known |= dict(zip(new, state_bytes(build_optimizer(node), new), strict=True))
        return weights + _PER_FILE, sum(count * known[kind] for kind, count in trained.items())

    def _check_devices(self, config: Config, parts: Parts) -> None:
        """What Lightning's start of training would tell. Of devices=auto no more than one is certain."""
        devices = parts.trainer.devices
        world = (devices if isinstance(devices, int) else 1) * config["trainer"]["num_nodes"]
        parts.module.check_parts(world * parts.trainer.accumulate)
        parts.data.check_devices(world)

    def _trainer_problem(self, config: Config) -> str | None:
        """What Lightning's trainer refuses; where the grid has GPUs, which this process does not see, only their number."""
        settings = config["trainer"]
        if settings["num_nodes"] > 1:
            return None  # only its nodes can tell
        if self._gpus and settings["accelerator"] != "cpu":
            wanted = settings["devices"]
            if isinstance(wanted, int) and wanted > self._gpus:
                return f"trainer.devices must be at most {self._gpus}, the GPUs that this grid sees, not {wanted}"
            return None
        return self._once("trainer", settings, lambda: _open_trainer(settings))  # type: ignore[no-any-return]

    def _logger_problem(self, config: Config) -> str | None:
        """What keeps the loggers from being had, a package that is not installed for instance. None of them is started."""

        def make() -> str | None:
            try:
                build_loggers(config, cell_dir(config))
            except Exception as error:
                return describe_error(error)
            return None

        return self._once("logger", config["logger"], make)  # type: ignore[no-any-return]

    def _once(self, kind: str, key: Any, make: Callable[[], Any]) -> Any:
        """The result of `make`, or its error, again where the key is the last one of its kind."""
        text = json.dumps(key, sort_keys=True)
        if kind not in self._kept or self._kept[kind][0] != text:
            self._kept.pop(kind, None)  # the old one first: it may hold memory
            try:
                self._kept[kind] = (text, make())
            except Exception as error:
                self._kept[kind] = (text, error)
        made = self._kept[kind][1]
        if isinstance(made, Exception):
            raise made
        return made


def _undecoded(config: Config) -> Manifest:
    """The images of a cell, none of them decoded, though the cell may do that first."""
    dataset = config["dataset"]
    if dataset.get("on_bad_image") != "skip":
        return build_manifest(config)
    dataset = dataset | {"on_bad_image": "error"}
    try:
        return build_manifest(config | {"dataset": dataset})
    except UserError as error:
        if not dataset.get("partial"):
            raise
        try:  # whole by its counts? Whether images are to be left out, which makes it a part, only decoding tells
            return build_manifest(config | {"dataset": dataset | {"partial": False}})
        except UserError:
            raise error from None


def _build_body(device: str, node: Mapping[str, Any], size: int, structure: str) -> Body:
    if node["_target_"].startswith("wisesr.") and node.get("weights") == IMAGENET:
        node = {**node, "weights": None}  # without timm's hub there is nothing to look at: the cell will tell
    with torch.device(device):
        module = build_backbone(node, size)
        if structure == "keras" and isinstance(module, TimmBackbone):  # another is refused with the other conventions
            structure_as_keras(module.model)
        return Body(module, *forward_flops(module, torch.empty(1, 3, size, size)))


def _open_trainer(settings: Mapping[str, Any]) -> str | None:
    """What Lightning says of the settings on this machine without its GPUs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make_trainer(build_trainer_settings(settings), 1, [])
    except Exception as error:
        return describe_error(error)
    return None


def _predictions_bytes(manifest: Manifest, classes: int) -> int:
    """Of predictions.npz without its compression: names (4 bytes a character), labels, probabilities."""
    tested = [len(manifest.ids[index]) for index in manifest.indices(TEST)]
    return len(tested) * (4 * max(tested, default=0) + 8 + 4 * classes)


def _foreign(config: Config) -> bool:
    return not all(config[group]["_target_"].startswith("wisesr.") for group in ("backbone", "head"))


def _key(config: Config, *groups: str) -> str:
    return json.dumps([config[group] for group in groups], sort_keys=True)


def describe_error(error: Exception) -> str:
    """An error as a cell would report it."""
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
