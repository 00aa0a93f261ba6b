"""A cell built without its memory: on the meta device, which computes shapes and no numbers, to see what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from wisesr.build.cell import Parts, assemble, build_conventions
from wisesr.build.maps import why_no_maps_of
from wisesr.build.parts import build_backbone, build_head, build_optimizer
from wisesr.config.schema import Config
from wisesr.data.manifest import Manifest
from wisesr.errors import UserError
from wisesr.models.backbones import TimmBackbone
from wisesr.models.classifier import Classifier
from wisesr.models.conventions import check_conventions
from wisesr.models.keras_structure import structure_as_keras
from wisesr.models.weight_sources import IMAGENET
from wisesr.training.cost import forward_flops, head_flops
from wisesr.types import FeatureShape

_KEPT = {"meta": 8, "cpu": 1}
"""Backbones by device. The heads of one backbone ask for the same larger maps; on the CPU a backbone has its memory."""


class DryCell(NamedTuple):
    """What a cell would compute with, without its numbers."""

    parts: Parts
    optimizer: Callable[[Iterable[dict[str, Any]]], Optimizer]
    flops: int
    """Of one image's forward pass through backbone and head, a multiply-add counted as two."""
    backbone_flops: int
    """The backbone's part of them."""


class _Measured(NamedTuple):
    backbone: TimmBackbone
    flops: int
    features: Tensor
    """Of one image."""
    images: Tensor
    """That image."""


class DryRun:
    """Builds cells one after another, and once the backbone that neighbours share."""

    def __init__(self) -> None:
        self._backbones: dict[str, dict[str, _Measured | Exception]] = {"meta": {}, "cpu": {}}
        """By device, the latest: what came of what they were built from, the oldest first."""

    def build(self, config: Config, manifest: Manifest | None, num_classes: int) -> DryCell | None:
        """All of a cell on the meta device; what that cannot do, on the CPU. Nothing is decoded, computed or kept.

        A foreign part may ask its tensors for their numbers, which there are none of on meta. Without a manifest no more than
        backbone and head are built, and the answer is None.

        Raises:
            UserError: a part that cannot be had, or that does not fit the others or the devices.
            Exception: whatever a foreign part raises.
        """
        try:
            return self._build_on("meta", config, manifest, num_classes)
        except Exception as error:
            own = all(config[group]["_target_"].startswith("wisesr.") for group in ("backbone", "head"))
            if own and isinstance(error, UserError):
                raise
        return self._build_on("cpu", config, manifest, num_classes)

    def measure(self, config: Config, num_classes: int) -> tuple[FeatureShape, int]:
        """The feature map of a cell, and the FLOPs of one image's forward pass, without looking at its images.

        Raises:
            UserError, or whatever a foreign part raises: as of `build`.
        """
        measured = self._backbone("meta", config)
        with torch.device("meta"):
            head = build_head(config["head"], measured.backbone.feature_shape, num_classes)
        check_conventions(Classifier(measured.backbone, head), build_conventions(config["recipe"]))
        flops = measured.flops + head_flops(head, measured.features, measured.images)
        return FeatureShape(*measured.backbone.feature_shape), flops

    def _build_on(self, device: str, config: Config, manifest: Manifest | None, num_classes: int) -> DryCell | None:
        measured = self._backbone(device, config)
        with torch.device(device):
            head = build_head(config["head"], measured.backbone.feature_shape, num_classes)
        if manifest is None:
            return None
        model = Classifier(measured.backbone, head)
        check_conventions(model, build_conventions(config["recipe"]))  # applied they cost nothing, and the backbone is shared
        parts = assemble(config, manifest, model)
        parts.module.configure_optimizers()
        _check_devices(parts)
        why_no_maps_of(config, parts)  # tells why not, where somebody asks for maps
        flops = measured.flops + head_flops(head, measured.features, measured.images)
        return DryCell(parts, build_optimizer(config["recipe"]["optimizer"]), flops, measured.flops)

    def _backbone(self, device: str, config: Config) -> _Measured:
        """The backbone of a cell, or its error, again where one of the last cells had the same."""
        key = json.dumps([config["backbone"], config["resolution"], config["recipe"]["structure"]], sort_keys=True)
        kept = self._backbones[device]
        if key not in kept:
            while len(kept) >= _KEPT[device]:
                kept.pop(next(iter(kept)))  # before another is built: it may hold memory
            try:
                kept[key] = _measure(device, config)
            except Exception as error:
                kept[key] = error
        made = kept[key]
        if isinstance(made, Exception):
            raise made
        return made


def _measure(device: str, config: Config) -> _Measured:
    node, size = config["backbone"], config["resolution"]["size"]
    if node["_target_"] == f"{TimmBackbone.__module__}.{TimmBackbone.__name__}" and node.get("weights") == IMAGENET:
        node = {**node, "weights": None}  # without timm's hub there is nothing to look at: the cell will tell
    with torch.device(device):
        backbone = build_backbone(node, size)
        # Another's is refused with the other conventions.
        if config["recipe"]["structure"] == "keras" and isinstance(backbone, TimmBackbone):
            structure_as_keras(backbone.model)
        images = torch.zeros(1, 3, size, size)
        return _Measured(backbone, *forward_flops(backbone, images), images)


def _check_devices(parts: Parts) -> None:
    """What Lightning's start of training would tell. Of devices=auto without its GPUs one is certain."""
    world = parts.trainer.devices * parts.trainer.num_nodes
    parts.data.check_devices(world)
    parts.module.check_parts(world, parts.trainer.accumulate)
