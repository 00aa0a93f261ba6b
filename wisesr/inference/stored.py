"""What lies in the directory of a finished cell, read so that nothing in it runs, and held against itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from wisesr.config.check import check
from wisesr.config.files import load_cell
from wisesr.config.identity import computation
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.models.plain_file import read_plain
from wisesr.results.cell_files import BEST, CONFIG, PREDICTIONS
from wisesr.results.lock import is_running
from wisesr.results.predictions import read_predictions
from wisesr.results.record import Record
from wisesr.results.record_file import load_record
from wisesr.results.store import state_of

_AVERAGED, _PLAIN = "ema.module.", "model."
"""Beginnings of a checkpoint's names: of averaged weights, which are what was measured where there are some, and of others."""


class Stored(NamedTuple):
    """A finished cell as its directory has it."""

    directory: Path
    config: Config
    record: Record
    state: dict[str, Tensor]
    """Of the classifier, `backbone.*` and `head.*`, as it was measured."""
    class_names: tuple[str, ...]
    """In the order of the logits."""
    inputs: dict[str, Any] | None
    """What images were normalised with; None where an older checkpoint does not tell."""
    epsilons: list[float] | None
    """Of BatchNorm."""
    structure: str | None
    """`keras` where the backbone strides and pads so."""


def read_stored(directory: Path) -> Stored:
    """A finished cell's configuration, record and best weights.

    Raises:
        UserError: it is not finished, a file is absent, damaged, or does not belong to the others; what is wrong is named.
    """
    config = load_cell(directory)
    record = _record(directory)
    if computation(config) != computation(record.config):
        raise UserError(f"{directory / CONFIG} was edited since: it is not the configuration that its record was made with")
    if problems := check(config, root=False):
        raise UserError(f"{directory / CONFIG} does not fit this version of wisesr: " + "; ".join(problems))
    path = directory / BEST
    if not path.is_file():
        raise UserError(f"{directory} has no {BEST}: its weights were removed, so that there is nothing to load")
    held = read_plain(path)
    state = _classifier(held, path)
    return Stored(
        directory,
        config,
        record,
        state,
        _class_names(held, directory, _classes(state)),
        dict(held["inputs"]) if isinstance(held.get("inputs"), Mapping) else None,
        held.get("epsilons"),
        held.get("structure"),
    )


def _record(directory: Path) -> Record:
    record = load_record(directory)
    if record is None:
        state, reason = state_of(directory, running=is_running(directory))
        why = f"{state}: {reason}" if reason else state
        raise UserError(f"{directory} has no result yet ({why}); the command that began it continues it")
    return record


def _classifier(held: Any, path: Path) -> dict[str, Tensor]:
    """The measured classifier's tensors by name."""
    state = held.get("state_dict") if isinstance(held, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path} is no checkpoint of a cell: it holds no state_dict")
    for prefix in (_AVERAGED, _PLAIN):
        if own := {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}:
            return own
    raise UserError(f"{path} is no checkpoint of a cell: its state_dict has no weights of a model")


def _classes(state: Mapping[str, Tensor]) -> int | None:
    """How many logits the weights give; None where somebody's own head does not tell."""
    bias = state.get("head.classifier.bias")
    return None if bias is None else len(bias)


def _class_names(held: Mapping[str, Any], directory: Path, logits: int | None) -> tuple[str, ...]:
    """From the checkpoint, or where an older version wrote it, from the predictions."""
    names, source = held.get("class_names"), BEST
    if names is None:
        predictions, source = read_predictions(directory), PREDICTIONS
        if predictions is None:
            raise UserError(
                f"{directory}: the names of its classes are lost: {BEST} was written by an older version, and {PREDICTIONS}, "
                "which has them too, is absent or damaged"
            )
        names = predictions.classes
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{directory / source}: its class names are no list of names")
    if logits is not None and logits != len(names):
        raise UserError(f"{directory / source} names {len(names)} classes, and the head of {BEST} has {logits}")
    return tuple(names)
