"""A finished cell done anew, in a directory inside its own, so that the old record stands until the new one is complete.

The new files then replace the old, `result.json` last. A kill in between leaves a complete `redo/`, from which the next
process goes on.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wisesr.results.atomic_files import write_text
from wisesr.results.cell_files import CLEANED, CONFIG, RESULT
from wisesr.results.record_file import read_record
from wisesr.results.uncommitted import DIFF

REDO = "redo"


def work_dir(directory: Path, *, force: bool) -> Path:
    """Where a cell is computed: its own directory, or beside its record if it has one and is done anew."""
    return directory / REDO if force and read_record(directory) is not None else directory


def begin_redo(directory: Path) -> Path:
    """Make or find `redo/`: a cell like any other, which continues if it was interrupted."""
    work = directory / REDO
    work.mkdir(exist_ok=True)
    if not (work / CONFIG).exists():
        write_text(work / CONFIG, (directory / CONFIG).read_text(encoding="utf-8"))
    return work


def complete_redo(directory: Path) -> None:
    """Put a finished `redo/` in the place of what the cell holds; nothing is done where there is none, or half of one."""
    work = directory / REDO
    record = read_record(work)
    if record is None:
        return
    if not record.provenance.uncommitted:  # the file is that of the old record's code
        (directory / DIFF).unlink(missing_ok=True)
    (directory / CLEANED).unlink(missing_ok=True)  # what it says was removed is there again
    for path in sorted(work.iterdir(), key=lambda path: path.name == RESULT):
        target = directory / path.name
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(path, target)
    shutil.rmtree(work)
