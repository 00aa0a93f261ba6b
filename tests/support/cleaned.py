"""Finished cells with checkpoints of known size, for tests of what frees the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.studies import cell_config, write_cell
from wisesr.cli import main

BEST, LAST = 40_960, 81_920
"""Bytes of the checkpoints, whole blocks."""


def trained(root: Path, *, val_top1: float = 0.8, **given: Any) -> Path:
    """A finished cell with checkpoints, settings as of `cell_config`."""
    cell = write_cell(cell_config(root, **given), val_top1=val_top1)
    add_checkpoints(cell)
    return cell


def add_checkpoints(cell: Path) -> None:
    (cell / "best.ckpt").write_bytes(b"b" * BEST)
    (cell / "last.ckpt").write_bytes(b"l" * LAST)


def clean(*arguments: str) -> int:
    """`wisesr clean study ARGUMENTS`."""
    return main(["clean", "study", *arguments])
