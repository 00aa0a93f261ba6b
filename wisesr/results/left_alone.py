"""Cells that are left alone, damaged ones above all, as every command tells of them: by what is wrong, with the way out.

However many there are, they take a screen at most, but for `wisesr status`, to which the others send whoever wants them all.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.results.state import State
from wisesr.wording import count_of

WAY_OUT = ". Way out: "
"""Parts what is wrong from what to do about it."""
_KINDS, _CELLS = 4, 4
"""That are told of in full: kinds of damage, and cells of all of them together."""


class LeftAlone(NamedTuple):
    """A cell that nobody may train or read until somebody has looked at it."""

    name: str
    """What the command calls it; its directory, where it calls cells so."""
    directory: Path | None
    """None where a reader of the lines knows it by its name."""
    state: State
    reason: str
    """What is wrong, and the way out."""

    @property
    def what(self) -> str:
        """What is wrong, without its directory, so that cells are alike that have the same."""
        text = self.reason.partition(WAY_OUT)[0]
        return text if self.directory is None else text.replace(f"{self.directory}/", "").removeprefix(f"{self.directory}: ")

    @property
    def way_out(self) -> str:
        """What to do, where anything is known."""
        return self.reason.partition(WAY_OUT)[2]


def left_alone_lines(cells: Sequence[LeftAlone], *, listed: bool = False, more: str = "") -> list[str]:
    """What is wrong with how many cells, and the way out: the first of each kind, those that are most first.

    Args:
        cells: any number.
        listed: whether all are named, as `wisesr status` does.
        more: where the others stand; by default in what `wisesr status` prints.
    """
    kinds = _kinds(cells)
    told = kinds if listed else kinds[:_KINDS]
    each = len(cells) if listed else max(1, _CELLS // max(1, len(told)))
    lines = [line for alike in told for line in _told(alike, each)]
    if (rest := len(cells) - sum(min(each, len(alike)) for alike in told)) > 0:
        lines.append(f"and {rest:,} more: {more or f'{status_command(cells)} lists them'}")
    return lines


def left_alone_in_short(cells: Sequence[LeftAlone]) -> str:
    """`9 cells are left alone: 5 damaged (config.yaml was edited), 4 damaged (best.ckpt is missing)`.

    Args:
        cells: one at least.
    """
    if len(cells) == 1:
        return f"{cells[0].name} is left alone: {cells[0].state} ({_begins(cells[0])})"
    kinds: dict[str, int] = {}
    for cell in cells:
        kinds[f"{cell.state} ({_begins(cell)})"] = kinds.get(f"{cell.state} ({_begins(cell)})", 0) + 1
    parts = [f"{count:,} {kind}" for kind, count in sorted(kinds.items(), key=lambda item: -item[1])]
    rest = len(cells) - sum(sorted(kinds.values(), reverse=True)[:_KINDS])
    return f"{count_of(len(cells), 'cell')} are left alone: {', '.join(parts[:_KINDS])}{f', {rest:,} others' if rest else ''}"


def status_command(cells: Sequence[LeftAlone]) -> str:
    """The command that lists these cells."""
    places = [cell.directory for cell in cells if cell.directory is not None]
    if len({place.is_absolute() for place in places}) > 1:
        places = [place.absolute() for place in places]
    return f"`wisesr status {shlex.quote(os.path.commonpath(places) or '.') if places else 'DIR'}`"


def _kinds(cells: Sequence[LeftAlone]) -> list[list[LeftAlone]]:
    """Cells with which the same is wrong, the most first."""
    kinds: dict[tuple[State, str], list[LeftAlone]] = {}
    for cell in cells:
        kinds.setdefault((cell.state, cell.what), []).append(cell)
    return sorted(kinds.values(), key=len, reverse=True)


def _told(alike: Sequence[LeftAlone], shown: int) -> list[str]:
    """Lines of cells with which the same is wrong: what, then a line each."""
    first = alike[0]
    if len(alike) == 1:
        place = (
            "" if first.directory is None or str(first.directory) in f"{first.name} {first.reason}" else f" ({first.directory})"
        )
        return [f"{first.state}: {first.name}{place}: {first.reason.removeprefix(f'{first.directory}: ')}"]
    same = len({cell.way_out for cell in alike}) == 1
    head = f"{first.state}: {count_of(len(alike), 'cell')}: {first.reason if same and first.way_out else first.what}"
    return [head, *(f"  {_line(cell, '' if same else cell.way_out)}" for cell in alike[:shown])]


def _line(cell: LeftAlone, way_out: str) -> str:
    """A cell in a line that names its place once."""
    place = str(cell.directory or "")
    parts = ["" if place.endswith(cell.name) else cell.name, "" if place in way_out else place, way_out]
    return ": ".join(filter(None, parts))


def _begins(cell: LeftAlone) -> str:
    """The first words of what is wrong: `config.yaml was edited`."""
    return cell.what.partition(": ")[0].partition("; ")[0]
