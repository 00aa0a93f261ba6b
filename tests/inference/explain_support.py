"""Runs without training: any backbone and head with drawn weights, and what belongs to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch

from tests.support.configs import composed
from wisesr.build.cell import make_classifier
from wisesr.build.parts import build_augmentation
from wisesr.data.images import PixelRules
from wisesr.inference.run import Run
from wisesr.results.record import Record


def drawn_run(*overrides: str, size: int = 64, classes: int = 3, spread: float = 0.3) -> Run:
    """A run whose weights were never trained; its head's are drawn wide, so that every term counts."""
    config = composed("dataset=digits", "logger=none", "augment=none", f"resolution.size={size}", *overrides)
    torch.manual_seed(0)
    model = make_classifier(config["backbone"], config["head"], classes, size)
    for parameter in model.head.parameters():
        if parameter.ndim:
            torch.nn.init.normal_(parameter, std=spread)
    if config["trainer"]["precision"] == "64-true":
        model = model.double()
    body = model.backbone
    return Run(
        directory=Path("somewhere"),
        config=cast(Any, config),
        record=cast(Record, None),
        class_names=tuple(f"class{index}" for index in range(classes)),
        image_size=size,
        model=model.eval().requires_grad_(False),
        augmentation=build_augmentation(config["augment"], size, body.mean, body.std),
        rules=PixelRules(),
    )


def toy(head: str, *overrides: str) -> Run:
    """On a toy backbone, whose map at 96 px is 3x3."""
    backbone = ("backbone=timm", "backbone.name=toy", "backbone.model=test_efficientnet")
    settings = {"fc": ("head.hidden=8",)}.get(head, ())
    return drawn_run(*backbone, f"head={head}", *settings, *overrides, size=96)
