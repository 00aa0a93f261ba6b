"""The code of a grid's cells as it was when they were planned: who edits it while cells wait is told, before one starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wisesr.build.code import CodeNow
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.outcome import CellOutcome
from wisesr.results.code import Code, changed_files, named, read_code_of
from wisesr.results.state import State
from wisesr.wording import count_of, some_of

_KEEPS = "grid.frozen=true runs what was planned"


class PlannedCode:
    """Watches the code of cells from their plan on.

    Args:
        cells: that are to run.
        say: tells the user a sentence, in red.
    """

    def __init__(self, cells: Sequence[Cell], say: Callable[[str], None]) -> None:
        self._say, now = say, CodeNow()
        self._cells = {cell.directory: cell for cell in cells}
        self._planned = {cell.directory: now.of(cell.config) for cell in cells}
        self._started: dict[Path, Code] = {}
        """What was there when a cell was about to start."""
        self._told: set[tuple[str, str | None]] = set()
        """Files with their hashes, in every state that the user knows of."""

    def tell(self, cell: Cell) -> None:
        """Say which files of a cell that is about to start were edited since, unless that was said before."""
        if cell.directory not in self._planned:
            return
        now = self._started[cell.directory] = CodeNow().of(cell.config)
        if edited := self._unsaid(self._planned[cell.directory], now):
            self._say(
                f"{cell.label}: its code was edited since this grid was planned: {named(edited)}. It runs with it as it is "
                f"now, as do cells after it ({_KEEPS})."
            )

    def tell_all(self) -> None:
        """The same for all cells, where one that is about to start finds another state than `tell` saw."""
        now = CodeNow()
        codes = ((self._planned[place], now.of(cell.config)) for place, cell in self._cells.items())
        if edited := sorted({file for planned, code in codes for file in self._unsaid(planned, code)}):
            self._say(
                f"Code was edited since this grid was planned: {named(edited)}. Cells that start from here on run with it as "
                f"it is now ({_KEEPS})."
            )

    def tell_ended(self, outcomes: Iterable[CellOutcome]) -> None:
        """Name cells that were computed by other code than was there when they were about to start: it was edited just then."""
        found: dict[str, list[str]] = {}
        for cell in (outcome.cell for outcome in outcomes if outcome.state is State.DONE):
            started = self._started.get(cell.directory)
            noted = read_code_of(cell.directory) if started else None
            if started and noted and (edited := changed_files(started, noted)):
                found[cell.label] = edited
        if found:
            files = {file for own in found.values() for file in own}
            were = count_of(len(found), "cell was", "cells were")
            self._say(f"{were} computed by code that was edited just then: {named(files)} ({some_of([*found], 4)}).")

    def _unsaid(self, planned: Code, now: Code) -> list[str]:
        edited = {(file, now.files.get(file)) for file in changed_files(planned, now)} - self._told
        self._told |= edited
        return sorted(file for file, _ in edited)
