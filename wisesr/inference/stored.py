"""What lies in the directory of a finished cell, read so that nothing in it runs, and held against itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from wisesr.config.check import check
from wisesr.config.files import load_cell
from wisesr.config.schema import Config
from wisesr.damage import Found, examine
from wisesr.errors import UserError
from wisesr.models.plain_file import read_plain
from wisesr.results.cell_files import BEST, CONFIG, PREDICTIONS, RESULT
from wisesr.results.checkpoints import KEPT
from wisesr.results.cleaned import removed_on
from wisesr.results.lock import is_running
from wisesr.results.predictions import read_predictions
from wisesr.results.record import Record
from wisesr.results.state import State
from wisesr.results.store import state_of
from wisesr.wording import some_of

_SHOWN = 8

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
    found = examine(directory, running=is_running(directory))
    if found.state is State.NEWER or {CONFIG, RESULT} & set(found.files):
        raise UserError(f"{directory} {found.verdict}")
    config, record = load_cell(directory), found.record
    if record is None:
        raise UserError(_unfinished(directory))
    if problems := check(config, root=False, trains=False):
        raise UserError(f"{directory / CONFIG} does not fit this version of wisesr: " + "; ".join(problems))
    path = directory / BEST
    if not path.is_file():
        raise UserError(f"{directory} {found.verdict}" if BEST in found.files else _absent(directory, config))
    held = _read_weights(path, found)
    state = _classifier(held, path)
    return Stored(
        directory,
        config,
        record,
        state,
        _class_names(held, directory, _classes(state)),
        _entry(held, path, "inputs", dict),
        _entry(held, path, "epsilons", list),
        _entry(held, path, "structure", str),
    )


def _read_weights(path: Path, found: Found) -> Any:
    """What the checkpoint holds; of one that is cut short it is said as every command says it."""
    try:
        return read_plain(path)
    except UserError as error:
        if BEST in found.files and "cannot be read" in str(error):  # else it says what the file asks for
            raise UserError(f"{path.parent} {found.verdict}") from error
        raise


def _absent(directory: Path, config: Config) -> str:
    """Why there are no weights to load, and how to have them again."""
    missing = f"{directory} has no {BEST}"
    if day := removed_on(directory, BEST):
        again = f"`python -m wisesr.cell {directory} --force` trains it again"
        return f"{missing}: `wisesr clean` removed it on {day}; {again}, to the bit with the same code, data and machine"
    if BEST not in KEPT[keep := config["trainer"]["keep_checkpoints"]]:
        again = "the command that trained it, with trainer.keep_checkpoints=best grid.force=true, trains it again"
        return f"{missing}: it was trained with trainer.keep_checkpoints={keep}; {again}"
    return f"{missing}: its weights were removed, so that there is nothing to load"


def _entry(held: Mapping[str, Any], path: Path, name: str, kind: type) -> Any:
    """What a checkpoint tells besides its weights; None where an older one does not."""
    value = held.get(name)
    if value is not None and (not isinstance(value, kind) or (name == "structure" and value != "keras")):
        raise UserError(f"{path} is no checkpoint of a cell that this version can read: its {name} is {str(value)[:80]!r}")
    return value


def _unfinished(directory: Path) -> str:
    """Where a cell stands that has no record."""
    state, reason = state_of(directory, running=is_running(directory))
    why = f"{state}: {reason}" if reason else state
    return f"{directory} has no result yet ({why}); the command that began it continues it"


def _classifier(held: Any, path: Path) -> dict[str, Tensor]:
    """The measured classifier's tensors by name."""
    state = held.get("state_dict") if isinstance(held, Mapping) else None
    if not isinstance(state, Mapping) or not all(_is_weight(name, value) for name, value in state.items()):
        raise UserError(f"{path} is no checkpoint of a cell: it holds no state_dict of names and dense tensors")
    for prefix in (_AVERAGED, _PLAIN):
        if own := {name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)}:
            return own
    raise UserError(f"{path} is no checkpoint of a cell: its state_dict has no weights of a model")


def _is_weight(name: object, value: object) -> bool:
    """Whether a state_dict holds a name and a tensor with numbers; torch has others, which have none or lie otherwise."""
    if not isinstance(name, str) or not isinstance(value, Tensor):
        return False
    return value.layout is torch.strided and not value.is_meta and not value.is_quantized and not value.is_complex()


def _classes(state: Mapping[str, Tensor]) -> int | None:
    """How many logits the weights give; None where somebody's own head does not tell."""
    bias = state.get("head.classifier.bias")
    return None if bias is None or bias.ndim != 1 else len(bias)


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
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(f"{directory / source} has several classes of one name: {some_of(twice, _SHOWN)}")
    if logits is not None and logits != len(names):
        raise UserError(f"{directory / source} names {len(names)} classes, and the head of {BEST} has {logits}")
    return tuple(names)
