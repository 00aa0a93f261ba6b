"""What finished cells of a grid's rows say on how their heads differ: on which share of images, and how much trainings vary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.grid.advice.questions import BASELINE
from wisesr.grid.advice.rows import Row, Run
from wisesr.results.predictions import read_predictions
from wisesr.results.record_file import read_record
from wisesr.statistics.crossed import interaction
from wisesr.statistics.foresight import Spread

Finished = Mapping[int, Path]
"""Directories of finished cells, by id of their configuration."""
_READ = 40
"""Cells of the baseline and of heads whose predictions are read at most, of each row: half a second."""
_LEAST = 3
"""Pairs that say on which share of images heads are unlike."""
_ENOUGH = 4
"""Degrees of freedom from which on pairs say what trainings vary."""
Values = NDArray[np.float64]


class FoundSpread(NamedTuple):
    """What was found."""

    spread: Spread
    pairs: int
    measured: bool
    """Whether `spread.trainings` is, and not assumed."""


class _Answers(NamedTuple):
    """Of a cell on its test images."""

    images: bytes
    """Their names, in order."""
    right: Values
    """1 where it is right, else 0; an image each."""


def spread_of(rows: Sequence[Row], finished: Finished, assumed: Spread) -> FoundSpread | None:
    """How finished cells differ from the baseline of the same repetition; None where there are not three such pairs.

    Args:
        rows: of a grid.
        finished: cells of these rows.
        assumed: where pairs are too few to say what trainings vary by themselves.
    """
    groups = [group for row in rows for group in _pairs(row, finished)]
    unlike = [float((pair.right != 0).mean()) for group in groups for pair in group]
    if len(unlike) < _LEAST:
        return None
    spread = assumed._replace(unlike=float(np.mean(unlike)))
    several = [group for group in groups if len(group) > 1]
    if sum(len(group) - 1 for group in several) < _ENOUGH:
        return FoundSpread(spread, len(unlike), False)
    return FoundSpread(_varying(spread, several), len(unlike), True)


def have_own_images(row: Row, finished: Finished) -> bool:
    """Whether repetitions of a row are tested on images of their own, by the first two that are finished."""
    first: dict[Run, Path] = {}
    for member in row.members:
        if (directory := finished.get(id(member.config))) is not None:
            first.setdefault(member.run, directory)
    read = [answers for directory in islice(first.values(), 2) if (answers := _answers(directory)) is not None]
    return len({answers.images for answers in read}) > 1


def _pairs(row: Row, finished: Finished) -> Iterator[list[_Answers]]:
    """Of each head its answers less the baseline's, with the same repetition on the same images."""
    heads = _best(row, finished)
    names = {member.head: member.config["head"]["name"] for member in row.members}
    base = next((cells for head, cells in heads.items() if names[head] == BASELINE), {})
    known = {run: own for run, directory in islice(base.items(), _READ) if (own := _answers(directory)) is not None}
    left = _READ
    for head, cells in heads.items():
        if names[head] != BASELINE:
            shared = {run: cells[run] for run in list(known.keys() & cells.keys())[:left]}
            left -= len(shared)
            read = ((known[run], _answers(directory)) for run, directory in shared.items())
            yield [
                _Answers(own.images, own.right - other.right)
                for other, own in read
                if own is not None and own.images == other.images
            ]


def _best(row: Row, finished: Finished) -> dict[str, dict[Run, Path]]:
    """Of each head and repetition the finished cell at its best rate, as the report chooses it."""
    ranked: dict[tuple[str, Run], list[tuple[float, float, Path]]] = {}
    for member in row.members:
        directory = finished.get(id(member.config))
        if directory is not None and (record := read_record(directory)) is not None:
            ranked.setdefault((member.head, member.run), []).append((-record.best.val_top1, record.best.val_loss, directory))
    found: dict[str, dict[Run, Path]] = {}
    for (head, run), cells in ranked.items():
        found.setdefault(head, {})[run] = min(cells)[2]
    return found


def _answers(directory: Path) -> _Answers | None:
    predictions = read_predictions(directory)
    return predictions and _Answers(predictions.ids.tobytes(), predictions.right.astype(np.float64))


def _varying(spread: Spread, groups: Sequence[Sequence[_Answers]]) -> Spread:
    """With what trainings vary by, and the share of the variance over images that lasts, where repetitions share these."""
    lasting, trainings = [], []
    for group in groups:
        means = [100.0 * float(pair.right.mean()) for pair in group]
        images = len(group[0].right)
        if len({pair.images for pair in group}) > 1:
            by_images = 100.0**2 * spread.unlike / images
        else:
            table = np.array([pair.right for pair in group])
            each = interaction(table)
            own = max(0.0, float(table.mean(axis=0).var(ddof=1)) - each / len(group))
            lasting += [own / (own + each)] if own + each > 0 else []
            by_images = 100.0**2 * each / images
        trainings.append(float(np.var(means, ddof=1)) - by_images)
    known = spread._replace(lasting=float(np.mean(lasting))) if lasting else spread
    return known._replace(trainings=max(0.0, float(np.mean(trainings))) ** 0.5)
