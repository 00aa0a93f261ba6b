"""What a cell is called wherever it is shown, parsed once out of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wisesr.errors import UserError
from wisesr.results.checks import Check, is_count, is_group, is_text, problem


@dataclass(frozen=True)
class Labels:
    """The names and numbers of a cell that tables and messages show."""

    study: str
    dataset: str
    size: int
    """Pixels, height and width."""
    backbone: str
    head: str
    seed: int
    protocol: str
    """holdout or paper."""
    epochs: int
    """Planned."""


_CHECKS: dict[str, Check] = {
    **{f"{group}.name": is_text for group in ("dataset", "backbone", "head")},
    **dict.fromkeys(("recipe", "augment", "trainer"), is_group),
    "study": is_text,
    "resolution.size": lambda value: is_count(value) and value > 0,
    "recipe.epochs": is_count,
    "protocol": lambda value: value in ("holdout", "paper"),
    "seed": is_count,
}


def parse_labels(config: Mapping[str, Any]) -> Labels:
    """The labels of a cell from its configuration, as `config.yaml` or a record holds it.

    Raises:
        UserError: one of them is absent or cannot be; the text names the file and the key.
    """
    if wrong := problem(config, _CHECKS):
        raise UserError(f"config.yaml: {wrong}")
    return Labels(
        study=config["study"],
        dataset=config["dataset"]["name"],
        size=config["resolution"]["size"],
        backbone=config["backbone"]["name"],
        head=config["head"]["name"],
        seed=config["seed"],
        protocol=config["protocol"],
        epochs=config["recipe"]["epochs"],
    )
