"""Pictures with their true classes, by the logits of a run: what an evaluation goes through."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.data.class_names import in_quotes, looks_like
from wisesr.data.folder_tree import same_name
from wisesr.errors import UserError
from wisesr.wording import some_of

ALL = "all"
"""In place of a split's name: every image of a folder."""
_SHOWN = 8


class Source(NamedTuple):
    """Where pictures come from."""

    kind: Literal["own", "folder"]
    """The dataset that the run was trained with, or another folder."""
    name: str
    root: str | None
    """Folder; None of images that lie in none."""
    split: str
    """train, val, test or all."""
    fingerprint: str
    """64 hexadecimal digits over names, contents and labels; of the run's own dataset that of its manifest."""
    unchanged: bool | None = None
    """Of the run's own dataset, whether it is what the run was trained with; None where nobody can tell."""
    notes: tuple[str, ...] = ()
    """What is to be said of them, a sentence each."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures with their labels, none decoded yet."""

    source: Source
    ids: Sequence[str]
    """One name a picture, unique."""
    labels: NDArray[np.int64]
    """(pictures,): the logit of each one's class."""
    places: NDArray[np.int64]
    """(pictures,): what `load` takes."""
    load: Callable[[int], Image.Image]
    """The RGB image at a place; raises UserError where it cannot be read."""

    def __len__(self) -> int:
        return len(self.ids)


def logit_of(names: Sequence[str], known: Sequence[str], where: str, way: Callable[[list[str]], str]) -> Mapping[str, int]:
    """The logit of each class of a dataset, matched by name to a run's classes, whatever the order of either.

    Names are compared in Unicode's normal form C; case and spaces count, since both may tell classes apart.

    Args:
        names: of the dataset's classes.
        known: of the run's classes, in the order of the logits.
        where: what messages call the dataset.
        way: of the names that do not fit, what the user can do, as a sentence without its full stop.

    Raises:
        UserError: a class that the run does not have, with the nearest that it has.
    """
    number = {same_name(name): index for index, name in enumerate(known)}
    if strange := [name for name in names if same_name(name) not in number]:
        nearest = [f"{in_quotes(name)}{_nearest(name, known)}" for name in strange]
        raise UserError(
            f"{where} has {len(strange)} of {len(names)} classes that are none of the run's: {some_of(nearest, _SHOWN)}. "
            f"Nothing was evaluated. The run's classes: {some_of(list(known), 100)}. {way(strange)}"
        )
    return {name: number[same_name(name)] for name in names}


def _nearest(name: str, known: Sequence[str]) -> str:
    by_look = {looks_like(own): own for own in known}
    near = difflib.get_close_matches(looks_like(name), by_look, 1, 0.6)
    return f" (nearest: {in_quotes(by_look[near[0]])})" if near else ""
