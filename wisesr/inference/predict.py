"""Any number of picture files through a trained model: decoded in parallel, batched, in order, in constant memory.

Threads decode, as Pillow and torch do their work without the interpreter's lock: they need no imports, send nothing, and end at
once. Processes (a DataLoader's) are the peer in `benchmarks/predict.py`.
"""

from __future__ import annotations

import logging
import os
import stat
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wisesr.data.image_file import reading_problem
from wisesr.data.image_formats import ending_hint, ending_of
from wisesr.errors import UserError
from wisesr.inference.memory import is_lack_of_memory
from wisesr.inference.picture_paths import Found
from wisesr.inference.run import Run
from wisesr.types import usable_cores

_PROBLEMS = 1_000
"""Files that cannot be read are told after so many, where no batch fills up between them."""

_NOWHERE = logging.NullHandler()
_ONE_PIXEL = "1x1 px: a single pixel is no picture"
"""Blown up to a plane of one colour it would get an answer, as sure as any other."""


class Answer(NamedTuple):
    """What a run says of one file."""

    path: str
    probabilities: NDArray[np.float32] | None
    """(classes,), in the order of the run's `class_names`; None where the file cannot be read."""
    problem: str = ""
    """Why, without the path and without a full stop."""


_Read: TypeAlias = "Tensor | str"
"""A picture as the model's input, or why there is none."""


def predict_files(
    run: Run, pictures: Iterable[Found], *, batch_size: int = 32, workers: int | None = None
) -> Iterator[list[Answer]]:
    """An answer for each picture, in their order, as they come: those of a batch together.

    Args:
        run: the model.
        pictures: taken as they are needed, about two batches ahead.
        batch_size: pictures that go through the model together; at least 1.
        workers: threads that decode; None for one a core.

    Raises:
        UserError: a batch does not fit into memory.
    """
    logging.getLogger("PIL").addHandler(_NOWHERE)  # or what Pillow logs of a damaged TIFF goes to standard error
    waiting: list[tuple[str, _Read]] = []
    readable = 0
    with closing(_decoded(run, pictures, batch_size, workers or usable_cores())) as decoded:
        for path, read in decoded:
            waiting.append((path, read))
            readable += not isinstance(read, str)
            if readable == batch_size or len(waiting) >= batch_size + _PROBLEMS:
                yield _answers(run, waiting)
                waiting, readable = [], 0
    if waiting:
        yield _answers(run, waiting)


def _decoded(run: Run, pictures: Iterable[Found], ahead: int, workers: int) -> Generator[tuple[str, _Read], None, None]:
    """Each picture's path and what was read, in order."""
    pool = ThreadPoolExecutor(workers, "decode")
    waiting: deque[tuple[str, Future[_Read] | str]] = deque()
    try:
        for picture in pictures:
            waiting.append((picture.path, picture.problem or pool.submit(_read, run, picture.path)))
            if len(waiting) > ahead + 2 * workers:
                yield _ready(*waiting.popleft())
        while waiting:
            yield _ready(*waiting.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ready(path: str, reading: Future[_Read] | str) -> tuple[str, _Read]:
    return path, reading if isinstance(reading, str) else reading.result()


def _read(run: Run, path: str) -> _Read:
    """A file as the model's input, or why it cannot be that: one bad file ends nothing."""
    try:
        if problem := no_file(path):
            return problem
        image = run.open(path)
        return _ONE_PIXEL if image.size == (1, 1) else run.transform(image)
    except UserError as error:
        reason = reading_problem(error.__cause__ or error)
        hint = ending_hint(ending_of(path))
        return f"{reason}; {hint}" if hint else reason
    except MemoryError:
        return "too large for the memory of this machine"
    except (OSError, ValueError, RuntimeError) as error:
        return reading_problem(error)


def no_file(path: str) -> str:
    """Why a path is no file with anything in it, without opening it, since a pipe may never answer; empty where it is one.

    Raises:
        OSError: it cannot be looked at.
        ValueError: no file can be called so.
    """
    try:
        state = os.stat(path)  # noqa: PTH116 (a Path costs more than this)
    except FileNotFoundError:
        if not os.path.islink(path):  # noqa: PTH114
            raise
        return f"a link to {os.readlink(path)}, which is not there"  # noqa: PTH115
    if stat.S_ISREG(state.st_mode):
        return "" if state.st_size else "an empty file"
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a pipe, and no file"), (stat.S_ISSOCK, "a socket, and no file"))
    return next((name for is_one, name in kinds if is_one(state.st_mode)), "a device, and no file")


def _answers(run: Run, read: Sequence[tuple[str, _Read]]) -> list[Answer]:
    inputs = [one for _, one in read if not isinstance(one, str)]
    rows = iter(_probabilities(run, inputs)) if inputs else iter(())
    return [Answer(path, None, one) if isinstance(one, str) else _answer(path, next(rows)) for path, one in read]


def _answer(path: str, row: NDArray[np.float32]) -> Answer:
    if not np.isfinite(row).all():
        return Answer(path, None, "the model's answer is not a number")
    return Answer(path, row)


def _probabilities(run: Run, inputs: Sequence[Tensor]) -> NDArray[np.float32]:
    """(pictures, classes)."""
    try:
        probabilities: NDArray[np.float32] = run.logits(torch.stack(list(inputs))).softmax(dim=1).cpu().numpy()
    except (RuntimeError, MemoryError) as error:
        if not is_lack_of_memory(error):
            raise
        raise UserError(
            f"{len(inputs)} pictures of {run.image_size} px do not fit into the memory of {run.device} together: "
            "take a smaller --batch-size"
        ) from error
    return probabilities
