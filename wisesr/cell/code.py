"""The code that this process computes a cell by: what it has imported, whatever the disk holds by the end of training."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wisesr.build.code import PROGRAM, targets_of
from wisesr.errors import UserError
from wisesr.results.code import Code, as_found, changed_files, named, read_code_of
from wisesr.results.code_files import OWN, CodeFile, Content, FoundCode, find_code, read_code
from wisesr.results.code_search import process_path
from wisesr.results.continued_code import code_of_epochs, write_attempt
from wisesr.results.provenance import package_hash

log = logging.getLogger("wisesr")

UNSURE = "edited while it was imported"
"""In the place of a hash that nobody can know."""
_OF_MAIN = "WISESR_CODE"
"""Variable with the hash of the code of a cell's first process, for those that it starts."""

_began = time.time_ns()
_held: dict[Path, Content] = {}
_looks: dict[tuple[str, ...], tuple[FoundCode, frozenset[str]]] = {}
"""Of each cell's targets the first look, and which of its labels may have been imported before."""


def hold_code(targets: tuple[str, ...]) -> None:
    """Keep the content of files that this process is about to import, for children that are forked from it.

    Args:
        targets: of cells that a child may be.
    """
    for file in find_code([PROGRAM], targets, process_path()).files.values():
        if file.module.partition(".")[0] == OWN:  # code of others each child imports itself
            _held[file.path] = read_code(file.path, calls=False)


def imported_code(config: Mapping[str, Any]) -> Code:
    """The code of a cell as this process imports it, by the first look at its files, before its parts are imported."""
    targets = targets_of(config)
    if targets not in _looks:
        found = find_code([PROGRAM], targets, process_path(), imported=_held)
        early = (label for label, file in found.files.items() if _is_edited_since_start(file))
        _looks[targets] = found, frozenset(early)
    return as_found(_looks[targets][0])


def _is_edited_since_start(file: CodeFile) -> bool:
    """Whether a module that was there before the first look may be another than the file holds."""
    if file.path in _held or file.module not in sys.modules:
        return False
    try:
        return file.path.stat().st_mtime_ns >= _began
    except OSError:  # deleted in this very moment
        return True


def settled_code(config: Mapping[str, Any]) -> Code:
    """The code of a cell once all parts are imported: of files that were edited meanwhile nobody knows what was imported."""
    first = imported_code(config)
    _, early = _looks[targets_of(config)]
    now = as_found(find_code([PROGRAM], targets_of(config), process_path(), imported=_held))
    unsure = sorted({*early, *changed_files(first, now)})
    if not unsure:
        return first
    log.warning("edited while this cell imported it: %s; its record will say so", named(unsure))
    return first._replace(files={**first.files, **dict.fromkeys(unsure, UNSURE)}, edited=tuple(unsure))


def note_code(directory: Path, code: Code, sources: Sequence[str]) -> Code:
    """Write `code.json`, in which files that were edited since its finished epochs are named, and stay so with the next one.

    Args:
        directory: of the cell.
        code: of this attempt.
        sources: hashes of the code of all attempts that this one continues, and its own.
    """
    before = code_of_epochs(directory)
    edited = {*code.edited, *(() if before is None else (*before.edited, *changed_files(before, code)))}
    if before is None and len(sources) > 1 and package_hash() not in sources:  # attempts of before 2026-11-30
        edited.add("wisesr")
    noted = code._replace(edited=tuple(sorted(edited)))
    write_attempt(directory, noted, before)
    return noted


def agree_with_main(directory: Path, code: Code, *, is_main: bool) -> None:
    """Hold the code of a cell's further processes against that of its first, which tells it to those that it starts.

    Raises:
        UserError: it was edited between the two.
    """
    if is_main:
        os.environ[_OF_MAIN] = code.source
    elif os.environ.get(_OF_MAIN, code.source) != code.source:
        before = read_code_of(directory)
        files = [] if before is None else changed_files(before, code)
        raise UserError(
            f"the code was edited while the processes of this cell began{f' ({named(files)})' if files else ''}, so that they "
            f"do not run the same: begin it again"
        )
