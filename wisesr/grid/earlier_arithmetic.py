"""Cells that are to run, and are finished but for how their heads add up (`wisesr.models.heads.arithmetic`)."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.config.identity import cell_dir, fingerprint
from wisesr.grid.cell_dirs import Cell
from wisesr.results.record_file import read_record

_KEY, _NOW = "arithmetic", 2


def earlier_arithmetic(waiting: Sequence[Cell]) -> str:
    """A sentence where cells are to be trained that were finished before their heads had the setting; empty where none is.

    Args:
        waiting: cells that are to run.
    """
    finished = sum(_is_finished(cell) for cell in waiting)
    if not finished:
        return ""
    return (
        f"{finished:,} of these cells {'is' if finished == 1 else 'are'} finished in the arithmetic of before 2026-11-28, and "
        f"to be trained again in that of today, whose last bits differ: head.{_KEY}=1 goes on with what is there"
    )


def _is_finished(cell: Cell) -> bool:
    head = cell.config["head"]
    if head.get(_KEY) != _NOW:
        return False
    before = cell.config | {"head": head | {_KEY: 1}}
    return read_record(cell_dir(before, fingerprint(before))) is not None
