"""A process that makes rows is killed, wherever it is; the next one goes on, and every row is what it must be."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.rows import PIXELS, assert_right, extended, keys_of, making, segments
from wisesr.data.rows import writer
from wisesr.data.rows.keys import Keys, Positions
from wisesr.data.rows.store import Store

_FORK = multiprocessing.get_context("fork")
_BLOCK = 4000
"""Bytes: two to five rows of a test."""


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BLOCK", _BLOCK)


def _started(work: Callable[..., None], *arguments: Any) -> Any:
    process = _FORK.Process(target=work, args=arguments)
    process.start()
    return process


def _slowly(place: Path, keys: Keys, seconds: float) -> None:
    def make(positions: Positions) -> Iterator[NDArray[Any]]:
        for row in making(keys)(positions):
            time.sleep(seconds)
            yield row

    Store(place, PIXELS).extend(keys, make, what="making", about={}, row_bytes=1)


def test_the_next_one_goes_on_behind_the_last_block(tmp_path: Path) -> None:
    keys, asked = keys_of(*range(40)), list[int]()
    process = _started(_slowly, tmp_path, keys, 0.1)
    journal = Store(tmp_path, PIXELS).folder / writer.JOURNAL
    while not journal.exists() or not journal.stat().st_size:
        assert process.is_alive(), "ended before it could be killed"
        time.sleep(0.01)
    waiting = _started(_slowly, tmp_path, keys[10:], 0.0)
    process.kill()
    process.join()
    waiting.join(60)
    assert waiting.exitcode == 0
    assert_right(extended(tmp_path, keys, asked=asked), keys)
    assert 0 < len(set(asked) | set(range(10))) <= 10 and len(asked) < 10, "blocks of the one that was killed are lost"


class _Trap:
    """Kills its process at the n-th call of what changes a disk."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **settings: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **settings)

        return called


def _killed_at(place: Path, keys: Keys, number: int) -> None:
    trap = _Trap(number)
    for owner, name in (
        (os, "fdatasync"),
        (os, "fsync"),
        (os, "replace"),
        (Path, "unlink"),
        (Path, "open"),
        (Path, "write_text"),
    ):
        setattr(owner, name, trap(getattr(owner, name)))  # in this process alone
    extended(place, keys)


def test_killed_at_each_step_of_it(tmp_path: Path) -> None:
    keys, number, ended = keys_of(*range(4)), 0, False
    while not ended:
        place = tmp_path / str(number)
        process = _started(_killed_at, place, keys, number)
        process.join(60)
        ended = process.exitcode == 0
        assert ended or process.exitcode == -signal.SIGKILL
        if number % 2:  # one that wants others goes on first
            assert_right(extended(place, keys_of(50)), keys_of(50))
        assert_right(extended(place, keys), keys)
        folder = Store(place, PIXELS).folder
        names = {path.stem for path in segments(place)}
        assert {path.name for path in folder.iterdir()} == {
            *(f"{name}.{ending}" for name in names for ending in ("rows", "npz")),
            *("about.json", ".lock"),
        }
        number += 1
    assert number > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_twenty_kills_at_random_moments(tmp_path: Path, seed: int) -> None:
    """Several at a time, which want different rows; what is there in the end equals what is made undisturbed."""
    draw, keys, kills, rounds = random.Random(seed), keys_of(*range(1500)), 0, 0
    while kills < 20:
        rounds += 1
        some = keys[np.sort(np.array(draw.sample(range(1500), 1000)))]
        processes = [_started(_slowly, tmp_path, wanted, 0.001) for wanted in (some, some[::-1])]
        time.sleep(draw.uniform(0.0, 0.25))
        for process in processes[: draw.choice((1, 2))]:
            if process.is_alive():
                process.kill()
                kills += 1
        for process in processes:
            process.join(60)
            assert process.exitcode in (0, -signal.SIGKILL)
        if rounds % 5 == 0:  # begin anew with the rest
            for path in segments(tmp_path):
                path.unlink()
    assert_right(extended(tmp_path, keys), keys)
    fresh = extended(tmp_path / "fresh", keys)
    assert extended(tmp_path, keys).bytes == fresh.bytes
    assert not list(tmp_path.rglob("*.partial")) and not list(tmp_path.rglob(".building.*"))
