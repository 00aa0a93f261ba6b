"""Any number of picture files through a trained model: decoded in parallel, batched, in order, in constant memory.

Threads decode, some pictures at a time. Beside the processes of a DataLoader (two cores, photographs of 150 to 512 px, a toy
model: `benchmarks/predict.py`) they took as long; they need no shared memory, which containers lack, and end at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wisesr.errors import UserError
from wisesr.inference.memory import is_lack_of_memory
from wisesr.inference.prediction.paths import Found
from wisesr.inference.prediction.reading import NO_NUMBER, Read, read_picture
from wisesr.inference.prediction.rows import Answer
from wisesr.inference.run import Run
from wisesr.types import usable_cores
from wisesr.wording import count_of

_PROBLEMS = 1_000
"""Files that cannot be read are told after so many, where no batch fills up between them."""

_SEVERAL = 16
"""Pictures that a thread reads between two words with the others, at most."""


def predict_files(
    run: Run, pictures: Iterable[Found], *, batch_size: int = 32, workers: int | None = None
) -> Iterator[list[Answer]]:
    """An answer for each picture, in their order, as they come: those of a batch together.

    Args:
        run: the model.
        pictures: taken as they are needed, two or three batches ahead.
        batch_size: pictures that go through the model together; at least 1.
        workers: threads that decode; None for one a core.

    Raises:
        UserError: a batch does not fit into memory.
    """
    waiting: list[tuple[str, Read]] = []
    readable = 0
    with closing(_decoded(run, pictures, batch_size, workers or usable_cores())) as decoded:
        for picture, read in decoded:
            waiting.append((picture.path, read))
            readable += not isinstance(read, str)
            if readable == batch_size or len(waiting) >= batch_size + _PROBLEMS:
                yield _answers(run, waiting)
                waiting, readable = [], 0
    if waiting:
        yield _answers(run, waiting)


def _decoded(run: Run, pictures: Iterable[Found], batch_size: int, workers: int) -> Generator[tuple[Found, Read], None, None]:
    """Each picture and what was read of it, in order."""
    several = max(1, min(_SEVERAL, batch_size // workers))
    pool = ThreadPoolExecutor(workers, "decode")
    waiting: deque[tuple[list[Found], Future[list[Read]]]] = deque()
    coming = iter(pictures)
    try:
        while some := list(islice(coming, several)):
            waiting.append((some, pool.submit(_read_several, run, some)))
            if len(waiting) * several > batch_size + 2 * workers * several:
                yield from _ready(waiting.popleft())
        while waiting:
            yield from _ready(waiting.popleft())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ready(some: tuple[list[Found], Future[list[Read]]]) -> Iterable[tuple[Found, Read]]:
    return zip(some[0], some[1].result(), strict=True)


def _read_several(run: Run, pictures: Sequence[Found]) -> list[Read]:
    return [picture.problem or read_picture(run, picture.path) for picture in pictures]


def _answers(run: Run, read: Sequence[tuple[str, Read]]) -> list[Answer]:
    inputs = [one for _, one in read if not isinstance(one, str)]
    rows = iter(_probabilities(run, inputs)) if inputs else iter(())
    return [Answer(path, None, one) if isinstance(one, str) else _answer(path, next(rows)) for path, one in read]


def _answer(path: str, row: NDArray[np.float32]) -> Answer:
    if not np.isfinite(row).all():
        return Answer(path, None, NO_NUMBER)
    return Answer(path, row)


def _probabilities(run: Run, inputs: Sequence[Tensor]) -> NDArray[np.float32]:
    """(pictures, classes)."""
    try:
        probabilities: NDArray[np.float32] = run.logits(torch.stack(list(inputs))).softmax(dim=1).cpu().numpy()
    except (RuntimeError, MemoryError) as error:
        if not is_lack_of_memory(error):
            raise
        raise UserError(
            f"{count_of(len(inputs), 'picture')} of {run.image_size} px together take more memory than {run.device} has: "
            "take a smaller --batch-size"
        ) from error
    return probabilities
