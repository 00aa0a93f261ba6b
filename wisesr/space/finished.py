"""A finished cell as far as disk is concerned: what it was, when, how good. Read in a third of the time of a whole record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from wisesr.config.axes import RATES
from wisesr.config.identity import remove, without_places
from wisesr.errors import UserError
from wisesr.results.cell_files import RESULT

_REPETITIONS = ("seed", "dataset.split_seed", "dataset.fold")
"""What repetitions of one thing differ in."""


@dataclass(frozen=True)
class Finished:
    """What its `result.json` says."""

    directory: Path
    config: Mapping[str, Any]
    seed: int
    val_top1: float
    """Of the chosen epoch, from 0 to 1."""
    val_loss: float
    began: datetime
    """UTC; where an older record does not tell it, its end less the time of training."""
    ended: datetime
    """UTC."""
    head_key: str
    """Equal for cells of a study that differ in nothing but seed, split and fold."""
    row_key: str
    """Equal for cells that besides differ in nothing but the head, and in the rates that each head may need of its own."""

    @property
    def rank(self) -> tuple[float, float, int, str]:
        """Lowest for the best: by top-1, then loss of validation, then the seed. The test split has no say."""
        return -self.val_top1, self.val_loss, self.seed, str(self.directory)


def read_finished(directory: Path) -> Finished | None:
    """A finished cell; None where there is no record.

    Raises:
        UserError: there is one, of another version or damaged.
    """
    try:
        content = json.loads((directory / RESULT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{directory / RESULT} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        raise UserError(f"{directory / RESULT} is no JSON: cut short, or overwritten") from None
    try:
        return _finished(directory, content)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise UserError(f"{directory / RESULT} is no record that this version can read") from None


def _finished(directory: Path, content: Mapping[str, Any]) -> Finished:
    if content["status"] != "done":
        raise ValueError
    best, provenance, config = content["metrics"]["best"], content["provenance"], content["config"]
    ended = _time(provenance["finished"])
    spent = timedelta(seconds=float(content["cost"]["train_seconds"]))
    began = _time(provenance["started"]) if provenance.get("started") else ended - spent
    named = without_places(config)
    remove(named, _REPETITIONS)
    head_key = json.dumps([config["study"], named], sort_keys=True)
    remove(named, ("head", *RATES))
    keys = (head_key, json.dumps([config["study"], named], sort_keys=True))
    figures = (float(best["val/top1"]), float(best["val/loss"]))
    return Finished(directory, config, int(config["seed"]), *figures, began, ended, *keys)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
