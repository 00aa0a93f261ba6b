"""Which cells are forked, and what `grid.start=fork` cannot have."""

from __future__ import annotations

import sys

import pytest

from wisesr.errors import UserError
from wisesr.grid.slots import Slot
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
