"""Which cells are forked, and what `grid.start=fork` cannot have."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest

from tests.support.warm_toy import ToyParent
from wisesr.errors import UserError
from wisesr.grid import batch
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import environment
from wisesr.grid.slots import Slot
from wisesr.grid.warm.parent import WarmSlot
from wisesr.grid.warm.slots import _forks

HERE, THERE = [Slot(0, (), 1)], [Slot(0, (), 1, "slurm")]


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")
def test_what_auto_forks() -> None:
    assert _forks("auto", HERE, 2) and _forks("fork", HERE, 1)
    assert not any([_forks("auto", HERE, 1), _forks("auto", HERE, 0), _forks("auto", THERE, 2), _forks("spawn", HERE, 2)])


@pytest.mark.parametrize(
    ("system", "slots", "cells", "words"),
    [
        ("darwin", HERE, 2, "works on Linux only, and this is darwin"),
        ("linux", THERE, 2, "these cells are jobs of a cluster"),
        ("linux", HERE, 0, "each of these trains on several"),
    ],
)
def test_a_setting_that_cannot_be_had(
    monkeypatch: pytest.MonkeyPatch, system: str, slots: list[Slot], cells: int, words: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(UserError, match=f"grid.start=fork .*{words}.*grid.start=auto"):
        _forks("fork", slots, cells)
    assert not _forks("auto", slots, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")
def test_a_parent_that_is_ready_stays_so_for_the_next_batch() -> None:
    slot = WarmSlot(lambda _: ToyParent(environment()), print)
    try:
        parent = slot.ready()
        assert parent is not None and slot.ready() is parent
    finally:
        slot.drop()


def test_parents_outlive_a_batch_while_they_fit_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    @contextmanager
    def note(cells: Sequence[Any], slots: Sequence[Slot], *_: Any, more: bool, **__: Any) -> Iterator[int]:
        assert more, "a single cell is forked, too"
        made.append(f"{len(cells)} on {len(slots)}")
        yield len(made)
        made.append("ended")

    monkeypatch.setattr(batch, "warm_slots", note)
    two, cells = [Slot(0, (), 1), Slot(1, (), 1)], cast("list[Cell]", [None] * 3)
    kept = batch.KeptWarm()
    for taken, slots in ((1, two), (1, two), (2, two), (3, two), (1, two), (1, HERE)):
        with kept(cells[:taken], slots, "auto", print):
            pass
    kept.close()
    assert made == ["1 on 2", "ended", "2 on 2", "ended", "1 on 1", "ended"]
