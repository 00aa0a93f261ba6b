"""Measurements in processes of their own, so that one that fails, hangs or spoils the card's context takes no other with it.

The parent imports everything and never touches the card; each child is forked from it, which saves the seconds of importing
torch again, and goes through the tasks in order until one fails. Another child then goes on behind it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NamedTuple

from benchmarks.on_gpu.options import Row


class Task(NamedTuple):
    """One measurement."""

    section: str
    """Key of the table that its rows belong to."""
    label: str
    """First cell of its line where it fails or is left out."""
    seconds: float
    """What it takes, about: it is left out where less is left, and ended where it takes several times as long."""
    work: Callable[[], Iterable[Row]]


class Told(NamedTuple):
    """What a child says: a row, or with `note` what became of a task instead."""

    number: int
    row: Row = ()
    note: str = ""
    over: bool = False


def run_isolated(tasks: Sequence[Task], deadline: float) -> Iterator[tuple[Task, Row, str]]:
    """Rows as they come: task, row, and in place of a row why there is none. `deadline` is of `time.monotonic`."""
    first = 0
    while first < len(tasks):
        receiver, sender = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(target=_work, args=(tasks, first, deadline, sender))
        child.start()
        sender.close()
        for told in _listen(tasks, first, deadline, receiver, child):
            if told.row or told.note:
                yield tasks[told.number], told.row, told.note
            first = told.number + told.over
        _end(child)


def _work(tasks: Sequence[Task], first: int, deadline: float, sender: Connection) -> None:
    os.setsid()
    for number in range(first, len(tasks)):
        left = deadline - time.monotonic()
        if left < tasks[number].seconds:
            sender.send(Told(number, note=f"left out: {left:.0f} s left, takes about {tasks[number].seconds:.0f}", over=True))
            continue
        try:
            for row in tasks[number].work():
                sender.send(Told(number, row))
        except BaseException as error:
            traceback.print_exc()
            sender.send(Told(number, note=f"failed: {describe(error)}", over=True))
            return
        sender.send(Told(number, over=True))


def together(works: Sequence[tuple[str, Callable[[], Iterable[Row]]]]) -> Iterator[Row]:
    """Rows of several measurements that time nothing, at once; one that fails says so in its row."""
    with ThreadPoolExecutor(len(works)) as pool:
        futures = {pool.submit(lambda work=work: list(work())): label for label, work in works}  # type: ignore[misc]
        for future in as_completed(futures):
            if (error := future.exception()) is not None:
                yield (futures[future], f"failed: {describe(error)}")
            else:
                yield from future.result()


def describe(error: BaseException) -> str:
    """An error in one cell of a table."""
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text[:240]}".replace("|", "/")


def _listen(
    tasks: Sequence[Task], number: int, deadline: float, receiver: Connection, child: multiprocessing.process.BaseProcess
) -> Iterator[Told]:
    """What the child says, until it has ended or takes too long."""
    while number < len(tasks):
        patience = min(3 * tasks[number].seconds + 20, max(1.0, deadline - time.monotonic()))
        until = time.monotonic() + patience
        told: Told | None = None
        while told is None or not told.over:
            if not receiver.poll(max(0.0, until - time.monotonic())):
                yield Told(number, note=f"ended after {patience:.0f} s", over=True)
                return
            try:
                told = receiver.recv()
            except EOFError:
                child.join()
                yield Told(number, note=f"failed: its process ended with code {child.exitcode}", over=True)
                return
            yield told
        if told.note.startswith("failed"):
            return
        number += 1


def _end(child: multiprocessing.process.BaseProcess) -> None:
    """The child and whatever it has started."""
    child.join(1)
    assert child.pid is not None
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
