"""The recipe's conventions, applied to a model just built: how weights start, what BatchNorm does, where it strides."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch

from wisesr.errors import UserError
from wisesr.models.backbones import TimmBackbone
from wisesr.models.classifier import Classifier
from wisesr.models.keras_conventions import batch_norm_as_keras, start_as_keras
from wisesr.models.keras_structure import structure_as_keras
from wisesr.types import derive_seed


class Conventions(NamedTuple):
    """What frameworks differ in."""

    init: Literal["timm", "keras"]
    """How the backbone's weights start where none are loaded."""
    batch_norm: Literal["timm", "keras"]
    """Momentum, epsilon and scale of the backbone's BatchNorm, with loaded weights too."""
    structure: Literal["timm", "keras"]
    """Where the backbone strides and how it pads, with loaded weights too."""


def apply_conventions(model: Classifier, conventions: Conventions, seed: int) -> None:
    """Apply conventions to a model, in place; timm is how it was built.

    What is drawn anew comes from the seed alone: a seed's backbone starts the same beside every head, and its head the same
    behind every start of the backbone.

    Raises:
        UserError: see `check_conventions`.
    """
    check_conventions(model, conventions)
    if conventions.structure == "keras":
        structure_as_keras(model.backbone.model)
    if conventions.init == "keras" and model.backbone.weights_hash is None:
        torch.manual_seed(derive_seed(seed, "initialisation", "backbone"))
        start_as_keras(model.backbone.model)
    if conventions.batch_norm == "keras":
        batch_norm_as_keras(model.backbone.model)


def check_conventions(model: Classifier, conventions: Conventions) -> None:
    """Refuse conventions that the parts of a model, which may be somebody else's, cannot take.

    Raises:
        UserError: no such convention, or not for this part; all of them told.
    """
    rules: tuple[tuple[str, tuple[str, str], Any, type], ...] = (
        ("init", ("timm", "keras"), model.backbone, TimmBackbone),
        ("batch_norm", ("timm", "keras"), model.backbone, TimmBackbone),
        ("structure", ("timm", "keras"), model.backbone, TimmBackbone),
    )
    problems = []
    for key, choices, part, kind in rules:
        value = getattr(conventions, key)
        if value not in choices:
            problems.append(f"recipe.{key} must be one of {', '.join(choices)}, not {value!r}")
        elif value != choices[0] and not isinstance(part, kind):
            problems.append(f"recipe.{key} must be {choices[0]} with {type(part).__name__}, which is no {kind.__name__}")
    if problems:
        raise UserError("\n".join(problems))
