r"""`tables/KEY.tex`: backbones by heads, the best of a row bold, a star where a head differs from the baseline.

Heads stand in columns where all of them fit side by side, else in rows, else the table is divided. Means end at one place, as
what follows them is a column of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wisesr.report.study import Entry, ReportTable
from wisesr.report.tables.latex.escape import breakable, escape, prose
from wisesr.report.tables.latex.tabular import GAP, NOBODY, ROOM, Made, Words, name_column, narrow, row, table, tabular, width
from wisesr.report.tables.numbers import EN_DASH
from wisesr.report.tables.sentences import difference_sentences, legend
from wisesr.report.tables.table_content import MatrixPlace, TableContent, table_content
from wisesr.wording import count_of, some_of

STAR = r"$^\ast$"
_NAMED = 4
"""Cells that are named where several are left out for one reason."""
_LEAST = 60.0
"""pt that the name above a column gets before it is divided."""


class _Place(NamedTuple):
    """Where a row meets a column."""

    figure: str
    """`93.21`; empty where there is none."""
    rest: str
    """`± 0.41 (5)`, or what stands there in place of a figure."""
    bold: bool = False
    star: bool = False
    last: str = ""
    """Mean over the last epochs, under protocol=paper."""


class _Layout(NamedTuple):
    """Rows and columns by name."""

    above: tuple[str, ...]
    """What the columns of names are."""
    names: tuple[tuple[str, ...], ...]
    """Of the rows."""
    columns: tuple[str, ...]
    places: tuple[tuple[_Place, ...], ...]


def latex(of: ReportTable, made: Made = NOBODY) -> str:
    """The file of a table."""
    content = table_content(of)
    layout = _layout(content)
    parts = [_tabular(part) for part in _parts(layout)] if layout.names else []
    words = Words(
        short=f"Test {_metric(of)} on {of.title}",
        caption=_caption(content),
        notes=_notes(of),
        strong=of.warnings,
        aside=[*legend(of), *difference_sentences(of), *_left_out(content)] if of.entries else _left_out(content),
    )
    return table(of.key, made, words, parts)


def _metric(of: ReportTable) -> str:
    """`top-1 (%)`"""
    name, _, unit = of.metric.title.partition(", ")
    return f"{name} ({unit})" if unit else name


def seeds_of(entries: Sequence[Entry]) -> str:
    """`5 seeds` where all have as many; empty where they do not."""
    counts = {len(entry.cells) for entry in entries}
    return count_of(counts.pop(), "seed") if len(counts) == 1 else ""


def _caption(content: TableContent) -> str:
    of = content.table
    if not of.entries:
        return f"{prose(of.title)}: no cell of this table is finished."
    seeds = seeds_of(of.entries)
    spread = seeds if seeds == "1 seed" else rf"mean $\pm$ std over {seeds or 'seeds (their number)'}"
    best = f"bold: the {'highest' if of.metric.higher_is_better else 'lowest'} of each backbone"
    star = rf"{STAR}: differs from {prose(of.baseline)} ($p < 0.05$ after Holm)"
    signs = [best] * any(entry.best for entry in of.entries)
    signs += [star] * any(entry.difference is not None and entry.difference.significant for entry in of.entries)
    said = f" {'; '.join(signs)}." if signs else ""
    return f"Test {prose(_metric(of))} on {prose(of.title)}: {spread}.{said[:2].upper()}{said[2:]}"


def _notes(of: ReportTable) -> list[str]:
    chosen = f"Epochs: {'; '.join(of.selections)}."
    return [chosen, *of.notes] if of.entries else list(of.notes)


def _left_out(content: TableContent) -> list[str]:
    return [
        f"Not in the table, {reason} ({len(names)}): {some_of(names, _NAMED)}." for reason, names in content.left_out.items()
    ]


def _layout(content: TableContent) -> _Layout:
    """Heads in columns, unless they fit in rows alone."""
    matrix = content.matrix
    counted = not seeds_of(content.table.entries)
    places = tuple(tuple(_place(place, content.table.metric.decimals, counted) for place in one.places) for one in matrix.rows)
    names = tuple((one.backbone, *[one.settings or EN_DASH] * matrix.has_settings) for one in matrix.rows)
    wide = _Layout(("backbone", *["settings"] * matrix.has_settings), names, matrix.heads, places)
    groups = tuple(" ".join(filter(None, (one.backbone, one.settings))) for one in matrix.rows)
    tall = _Layout(("head",), tuple((head,) for head in matrix.heads), groups, tuple(zip(*places, strict=True)))
    return tall if len(list(_parts(wide))) > 1 == len(list(_parts(tall))) else wide


def _place(place: MatrixPlace, digits: int, counted: bool) -> _Place:
    entry = place.entry
    if entry is None:
        return _Place("", place.absent or EN_DASH)
    spread = f"± {entry.std:.{digits}f}" if entry.std is not None else ""
    rest = " ".join(filter(None, (spread, f"({len(entry.cells)})" if counted else "")))
    star = entry.difference is not None and entry.difference.significant
    last = f"{entry.last.mean:.{digits}f}" if entry.last else ""
    return _Place(f"{entry.mean:.{digits}f}", rest, entry.best, star, last)


def _room(layout: _Layout, index: int) -> float:
    """How wide a column's figures are, pt; a head's name above them is divided where it is longer."""
    places = [places[index] for places in layout.places]
    figures = max((width(place.figure) for place in places), default=0.0)
    rests = max((width(f" {place.rest}") for place in places if place.figure), default=0.0)
    alone = max((width(place.rest) for place in places if not place.figure), default=0.0)
    return max(figures + rests + width("*"), alone, min(width(layout.columns[index]), _LEAST))


def _parts(layout: _Layout) -> Iterator[_Layout]:
    """The table in parts that fit, each with as many columns as stand side by side."""
    names = _names_room(layout)
    start, used = 0, names
    for index in range(len(layout.columns)):
        own = _room(layout, index) + GAP
        if index > start and used + own - GAP > ROOM:
            yield _between(layout, start, index)
            start, used = index, names
        used += own
    yield _between(layout, start, len(layout.columns))


def _names_room(layout: _Layout) -> float:
    """How wide the columns of names are, with the gaps behind them, pt."""
    return sum(name_column(texts)[1] + GAP for texts in zip(layout.above, *layout.names, strict=True))


def _rooms(layout: _Layout) -> list[float]:
    """How wide each column is, pt: no name above is divided where all of them fit whole."""
    rooms = [_room(layout, index) for index in range(len(layout.columns))]
    whole = [max(room, width(name)) for room, name in zip(rooms, layout.columns, strict=True)]
    return whole if _names_room(layout) + sum(whole) + GAP * (len(whole) - 1) <= ROOM else rooms


def _between(layout: _Layout, start: int, end: int) -> _Layout:
    places = tuple(places[start:end] for places in layout.places)
    return layout._replace(columns=layout.columns[start:end], places=places)


def _tabular(layout: _Layout) -> list[str]:
    kinds = [name_column(texts)[0] for texts in zip(layout.above, *layout.names, strict=True)]
    heads = list(map(_above, layout.columns, _rooms(layout)))
    rows = []
    for names, places in zip(layout.names, layout.places, strict=True):
        rows.append(row([*map(narrow, names, kinds), *map(_cell, places)]))
        if any(place.last for place in places):
            lasts = (f"{place.last} & " if place.last else " & " for place in places)
            rows.append(row([r"\quad last epochs", *[""] * (len(names) - 1), *lasts]))
    return tabular("".join(kinds) + "r@{}l" * len(heads), [row([*map(escape, layout.above), *heads])], rows)


def _above(name: str, room: float) -> str:
    if width(name) <= room:
        return rf"\multicolumn{{2}}{{c}}{{{escape(name)}}}"
    return rf"\multicolumn{{2}}{{p{{{room:.0f}pt}}}}{{\centering\hyphenpenalty=10000 {breakable(name)}}}"


def _cell(place: _Place) -> str:
    if not place.figure:
        return rf"\multicolumn{{2}}{{c}}{{{escape(place.rest)}}}"
    figure = rf"\textbf{{{escape(place.figure)}}}" if place.bold else escape(place.figure)
    rest = f"~{escape(place.rest)}" if place.rest else ""
    return f"{figure} & {rest}{STAR * place.star}"
