"""Pictures in rows and columns, with words beside and below them, as one SVG or PNG: for notebooks and slides."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import vl_convert
from PIL import Image

from wisesr.report.evidence.overlay import BAR, SIDE, bar_colours, bar_numbers
from wisesr.report.evidence.scales import Scale
from wisesr.report.figures.style import FONT, INK

_TILE, _GAP, _MARGIN = 150, 14, 16
_TEXT, _LINE = 12, 16
"""Size of letters, and from one line to the next."""
_LETTER = 0.55
"""Width of a letter in sizes, on the safe side for Helvetica's like."""
_SOFT = "#5b626d"
_ZOOM = 1.5
"""Pixels of the PNG for each unit."""


class Tile(NamedTuple):
    """A picture, and what is said of it."""

    drawn: str
    """SVG of SIDE x SIDE (`wisesr.report.evidence.overlay`); empty where there is no picture."""
    lines: tuple[str, ...]
    """Below it."""
    strong: bool = False
    """Whether its first line stands out."""


class TileRow(NamedTuple):
    """Tiles beside one another."""

    label: tuple[str, ...]
    """On the left: the first line stands out."""
    tiles: tuple[Tile, ...]


def tiles_svg(
    rows: Sequence[TileRow], *, pictures: Iterable[str] = (), scale: Scale | None = None, scale_title: str = ""
) -> str:
    """The sheet, on white.

    Args:
        rows: from above.
        pictures: that tiles use by their keys (`overlay.image_element`).
        scale: of all colours, whose bar stands below; None without.
        scale_title: what the colours are, left of the bar.
    """
    left = _MARGIN + max(_width(line) for row in rows for line in row.label) + _GAP
    columns = max(len(row.tiles) for row in rows)
    parts, top = [], _MARGIN
    for row in rows:
        drawn, height = _row(row, left, top)
        parts.append(drawn)
        top += height
    if scale is not None:
        parts.append(_bar(scale, scale_title, left, top))
        top += BAR + 2 * _LINE + _GAP
    width, height = left + columns * (_TILE + _GAP) - _GAP + _MARGIN, top + _MARGIN - _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{FONT}" font-size="{_TEXT}" color="{INK["light"]}"><rect width="100%" height="100%" fill="#fff"/>'
        f"<defs>{''.join(pictures)}</defs>{''.join(parts)}</svg>\n"
    )


def png_of(svg: str) -> bytes:
    """A sheet as PNG, which every viewer of notebooks shows."""
    drawn: bytes = vl_convert.svg_to_png(svg, scale=_ZOOM)
    file = io.BytesIO()
    Image.open(io.BytesIO(drawn)).convert("RGB").save(file, "PNG", optimize=True)
    return file.getvalue()


def _width(line: str) -> int:
    return round(_LETTER * _TEXT * len(line)) + 6


def _row(row: TileRow, left: int, top: int) -> tuple[str, int]:
    """Its markup, and how high it is."""
    middle = top + (_TILE - _LINE * len(row.label)) // 2
    parts = [_texts(row.label, _MARGIN, middle, strong=True)]
    below = 0
    for column, tile in enumerate(row.tiles):
        lines = [part for line in tile.lines for part in textwrap.wrap(line, int(_TILE / (_LETTER * _TEXT)))]
        at = left + column * (_TILE + _GAP)
        shrunk = f'<g transform="translate({at} {top}) scale({_TILE / SIDE})">{tile.drawn}</g>'
        parts += [shrunk, _texts(lines, at, top + _TILE + 2, strong=tile.strong)]
        below = max(below, len(lines))
    return "".join(parts), _TILE + below * _LINE + _GAP


def _texts(lines: Sequence[str], left: int, top: int, *, strong: bool) -> str:
    """Lines below one another; the first in full ink and bold where it is strong, the others soft."""
    parts = []
    for number, line in enumerate(lines):
        look = 'fill="currentColor" font-weight="600"' if strong and number == 0 else f'fill="{_SOFT}"'
        parts.append(f'<text x="{left}" y="{top + _TEXT + number * _LINE}" {look}>{escape(line)}</text>')
    return "".join(parts)


def _bar(scale: Scale, title: str, left: int, top: int) -> str:
    """The colours, numbers at their ends and in the middle, what they count."""
    width = 2 * _TILE + _GAP
    numbers = "".join(
        f'<text x="{left + at}" y="{top + BAR + _LINE}" text-anchor="{anchor}">{number}</text>'
        for at, anchor, number in zip((0, width / 2, width), ("start", "middle", "end"), bar_numbers(scale), strict=True)
    )
    unit = f'<text x="{left + width / 2}" y="{top + BAR + 2 * _LINE}" text-anchor="middle">{scale.unit}</text>'
    bar = f'<g transform="translate({left} {top})">{bar_colours(scale, width)}</g>'
    return f'{bar}<g fill="{_SOFT}">{numbers}{unit}</g>{_texts([title], _MARGIN, top, strong=True)}'
