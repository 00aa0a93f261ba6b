"""What fits a terminal: sentences folded by whole words, tables whose columns go on below where they do not fit. No torch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.style import Style
from rich.table import Table
from rich.text import Text

from wisesr.wording import folded

GAP = 2
"""Blanks between two columns of a table."""


class Column(NamedTuple):
    """A column of `tables`."""

    title: str
    name: bool = False
    """Whether it names the row: it stands in each part, on the left, and may be folded at blanks."""
    tail: bool = False
    """Whether it is text behind the figures, which may be folded at blanks, too."""


def tell(console: Console, text: str, style: str | None = None) -> None:
    """Print a text in which nothing is markup: folded on a terminal, elsewhere as it is, for whoever searches it."""
    console.print(
        folded(text, console.width) if console.is_terminal else text, style=style, markup=False, emoji=False, soft_wrap=True
    )


def tell_place(console: Console, path: Path) -> None:
    """Print where a file is: on a terminal a link that opens it (OSC 8), elsewhere its path. It is not broken into lines.

    https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
    """
    link = Style(link=path.absolute().as_uri()) if console.is_terminal else Style.null()
    console.print(Text(str(path), style=link), soft_wrap=True)


def tables(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int, *, title: str = "") -> list[Table]:
    """A table in as many parts as a terminal of `width` characters asks for: each has the names, and figures that fit.

    Where that makes fewer parts, the names of a row stand below one another in one column. No word is broken.

    Args:
        columns: names first.
        rows: texts of each row, in markup; of several lines, if need be.
        width: in characters.
        title: above the table, of further parts with "continued"; in markup.
    """
    parts = _parts(columns, rows, width)
    stacked, below = _stack(columns, rows)
    if len(parts) > 1 and len(fewer := _parts(stacked, below, width)) < len(parts):
        columns, rows, parts = stacked, below, fewer
    titles = [title] + [f"{title}, continued" if title else ""] * (len(parts) - 1)
    drawn = []
    for own, part in zip(titles, parts, strict=True):
        texts = [[row[index] for index in part] for row in rows]
        drawn.append(_drawn(own, [columns[index] for index in part], texts, width))
    return drawn


def _stack(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> tuple[list[Column], list[list[str]]]:
    """All names in one column."""
    count = sum(column.name for column in columns)
    title = "\n".join(["", *(column.title for column in columns[:count])]).replace("\n", "\n  ").strip()
    below = [["\n  ".join(word for name in row[:count] for word in name.split()), *row[count:]] for row in rows]
    return [Column(title, name=True), *columns[count:]], below


STATE_COLOURS = {
    "done": "green",
    "skipped": "green",
    "failed": "red",
    "damaged": "red",
    "newer": "red",
    "interrupted": "yellow",
    "running": "yellow",
    "epoch": "yellow",
    "training": "yellow",
    "testing": "yellow",
    "starting": "yellow",
    "waiting": "dim",
    "queued": "dim",
    "missing": "dim",
}
"""By the word for a state, which stands in a text as `3 done` or `epoch 1/3`."""


def state_markup(text: str) -> str:
    """Markup for a text about a state, in the state's colour: the one that its last word for a state has."""
    words = [word for word in re.findall(r"[a-z]+", text) if word in STATE_COLOURS]
    return f"[{STATE_COLOURS[words[-1]]}]{escape(text)}[/]" if words else escape(text)


class _Size(NamedTuple):
    """Characters that a column takes."""

    least: int
    """With no word broken."""
    most: int
    """With no line folded."""


def _size(column: Column, texts: Sequence[str]) -> _Size:
    plain = [Text.from_markup(text).plain for text in texts]
    lines = [len(line) for text in plain for line in text.splitlines()]
    words = [
        len(line) - len(line.lstrip()) + max(map(len, line.split()), default=0) for text in plain for line in text.splitlines()
    ]
    title = [len(word) for word in column.title.split()]
    return _Size(
        max([1, *title, *(words if column.name or column.tail else lines)]),
        max([1, *map(len, column.title.splitlines()), *lines]),
    )


def _parts(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[list[int]]:
    """Columns of each part; at least one beside the names."""
    sizes = [_size(column, [row[index] for row in rows]).least + GAP for index, column in enumerate(columns)]
    names = [index for index, column in enumerate(columns) if column.name]
    parts: list[list[int]] = []
    used = width
    for index, size in enumerate(sizes[len(names) :], len(names)):
        if not parts or used + size > width - 2 + GAP:  # a blank on either side
            parts.append(list(names))
            used = sum(sizes[: len(names)])
        parts[-1].append(index)
        used += size
    return parts or [names]


def _drawn(title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, GAP - 1, 0, 0), title=title or None, title_justify="left")
    table.title_style = "bold"
    sizes = _widths(columns, rows, width)
    if (whole := sum(sizes) + GAP * (len(sizes) - 1) + 2) > width:
        table.width = whole  # a long name stands out of the terminal, where Rich would cut it
    for column, size in zip(columns, sizes, strict=True):
        left = column.name or column.tail
        table.add_column(escape(column.title), justify="left" if left else "right", width=size, overflow="fold")
    names = sum(column.name for column in columns)
    for row in rows:
        if any(row[names:]) or names == len(row):
            table.add_row(*row)
    return table


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Of each column: what it needs, and as many columns as possible what keeps their lines whole."""
    sizes = [_size(column, [row[index] for row in rows]) for index, column in enumerate(columns)]
    widths = [size.least for size in sizes]
    room = width - 2 - sum(widths) - GAP * (len(sizes) - 1)
    wanted = [size.most - size.least for size in sizes]
    for index in sorted(range(len(sizes)), key=wanted.__getitem__):
        if wanted[index] <= room:
            widths[index] += wanted[index]
            room -= wanted[index]
    texts = [
        index for index, column in enumerate(columns) if widths[index] < sizes[index].most and (column.name or column.tail)
    ]
    if texts and room > 0:
        widths[texts[-1]] += min(room, sizes[texts[-1]].most - widths[texts[-1]])
    return widths
