"""The recipe's habits, put upon a model that has just been built: how weights start, what BatchNorm does, where it strides."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch

from wisesr.errors import UserError
from wisesr.models.backbones import TimmBackbone
from wisesr.models.classifier import Classifier
from wisesr.models.heads.base import Head
from wisesr.models.keras_habits import batch_norm_as_keras, start_as_keras
from wisesr.models.keras_structure import structure_as_keras
from wisesr.types import derive_seed


class Habits(NamedTuple):
    """What frameworks differ in."""

    init: Literal["timm", "keras"]
    """How the backbone's weights start where none are loaded."""
    batch_norm: Literal["timm", "keras"]
    """Momentum, epsilon and scale of the backbone's BatchNorm, with loaded weights too."""
    structure: Literal["timm", "keras"]
    """Where the backbone strides and how it pads, with loaded weights too."""
    head_init: Literal["normal", "torch"]
    """How the head's kernels start."""


def take_habits(model: Classifier, habits: Habits, seed: int) -> None:
    """Put them upon a model, in place; timm and normal are how it was built.

    What is drawn anew comes from the seed alone: a seed's backbone starts the same beside every head, and its head the same
    behind every start of the backbone.

    Args:
        model: as built, its backbone's weights loaded or not.
        habits: of the recipe.
        seed: of the cell.

    Raises:
        UserError: see `check_habits`.
    """
    check_habits(model, habits)
    if habits.structure == "keras":
        structure_as_keras(model.backbone.model)
    if habits.init == "keras" and model.backbone.weights_hash is None:
        torch.manual_seed(derive_seed(seed, "initialisation", "backbone"))
        start_as_keras(model.backbone.model)
    if habits.batch_norm == "keras":
        batch_norm_as_keras(model.backbone.model)
    if habits.head_init == "torch":
        torch.manual_seed(derive_seed(seed, "initialisation", "head"))
        model.head.start_as_torch()


def check_habits(model: Classifier, habits: Habits) -> None:
    """Refuse habits that the parts of a model, which may be somebody else's, cannot take.

    Raises:
        UserError: no such habit, or not for this part; all of them told.
    """
    rules: tuple[tuple[str, tuple[str, str], Any, type], ...] = (
        ("init", ("timm", "keras"), model.backbone, TimmBackbone),
        ("batch_norm", ("timm", "keras"), model.backbone, TimmBackbone),
        ("structure", ("timm", "keras"), model.backbone, TimmBackbone),
        ("head_init", ("normal", "torch"), model.head, Head),
    )
    problems = []
    for key, choices, part, kind in rules:
        value = getattr(habits, key)
        if value not in choices:
            problems.append(f"recipe.{key} must be one of {', '.join(choices)}, not {value!r}")
        elif value != choices[0] and not isinstance(part, kind):
            problems.append(f"recipe.{key} must be {choices[0]} with {type(part).__name__}, which is no {kind.__name__}")
    if problems:
        raise UserError("\n".join(problems))
