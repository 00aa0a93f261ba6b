"""How a cell's batches are divided over devices, and what of its training that decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from wisesr.build.cell import Parts, build_trainer_settings


class Division(NamedTuple):
    """Of a cell's batches, for its record and its log."""

    by_part: list[str]
    """As of `training.batch_parts.sees_several`."""
    sentence: str
    """As of `training.batch_parts.describe_statistics`."""


def device_count(trainer: Mapping[str, Any]) -> int:
    """Devices of all nodes that a cell trains on here, from the trainer's node of the configuration."""
    settings = build_trainer_settings(trainer)
    return settings.devices * settings.num_nodes


def describe_division(config: Mapping[str, Any], parts: Parts, devices: int) -> Division:
    """Args: parts: before training, their modules in the modes that they train in; devices: of all nodes."""
    from wisesr.training.batch_parts import describe_statistics, sees_several

    model, synchronised = parts.module.model, parts.trainer.sync_batchnorm
    sentence = describe_statistics(
        model,
        batch_size=config["recipe"]["batch_size"],
        devices=devices,
        accumulate=parts.trainer.accumulate,
        synchronised=synchronised,
    )
    return Division(sees_several(model, mixes=parts.module.objective.mixes, synchronised=synchronised), sentence)
