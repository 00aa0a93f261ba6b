"""All of a picture on one sheet, as SVG and as PNG: the picture and its maps, row by row, the sums, the scales."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import vl_convert
from PIL import Image

from wisesr.report.evidence.overlay import BAR, SIDE, bar_colours, bar_numbers, image_element, overlay, picture_uri
from wisesr.report.evidence.rows import Explained, Row, rows
from wisesr.report.evidence.scales import Scale
from wisesr.report.figures.style import FONT, INK

_MARGIN, _GAP = 28, 14
_TITLE, _HEAD, _TEXT, _SMALL = 20, 15, 13, 12
"""Sizes of letters."""
_LETTER = 0.56
"""Width of a letter in sizes, on the safe side for Helvetica's like."""
_SOFT = "#5b626d"
_ZOOM = 1.5
"""Pixels of the PNG for each unit."""


def strip_png(explained: Explained, *, smooth: bool = False, each_head: bool = False) -> bytes:
    """The sheet as PNG; arguments as of `strip_svg`."""
    png: bytes = vl_convert.svg_to_png(strip_svg(explained, smooth=smooth, each_head=each_head), scale=_ZOOM)
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(file, "PNG")  # half as large: without its opacity, which is full
    return file.getvalue()


def strip_svg(explained: Explained, *, smooth: bool = False, each_head: bool = False) -> str:
    """The sheet.

    Args:
        explained: what is shown.
        smooth: bilinear between the positions, in place of cells.
        each_head: a row with each attention head, too.
    """
    shown = rows(explained, each_head=each_head)
    columns = 1 + max((len(row.panels) for row in shown if row.maps is not None), default=1)
    sheet = _Sheet(max(columns, 2))
    for line in textwrap.wrap(explained.name, int(sheet.width / (_LETTER * _TITLE))) or [""]:
        sheet.text(line, _TITLE, bold=True)
    for row in shown:
        sheet.row(row, smooth=smooth)
    return sheet.svg(_pictures(explained))


def _pictures(explained: Explained) -> Iterator[str]:
    for number, by_run in enumerate(explained.runs):
        for grey in (False, True):
            yield image_element(picture_uri(by_run.explanation.view, grey=grey), f"{'grey' if grey else 'picture'}{number}")


class _Content(NamedTuple):
    """What stands in a column."""

    title: str
    drawn: str
    scale: Scale | None


def _bar(scale: Scale) -> str:
    """Colours, and below them numbers at their ends and in the middle, with what they count."""
    numbers = "".join(
        f'<text x="{at}" y="{BAR + 13}" font-size="{_SMALL}" text-anchor="{anchor}">{number}</text>'
        for at, anchor, number in zip((0, SIDE / 2, SIDE), ("start", "middle", "end"), bar_numbers(scale), strict=True)
    )
    unit = f'<text x="{SIDE / 2}" y="{BAR + 26}" font-size="{_SMALL}" text-anchor="middle" fill="{_SOFT}">{scale.unit}</text>'
    return f'{bar_colours(scale, SIDE)}<g fill="currentColor">{numbers}{unit}</g>'


class _Sheet:
    """Parts below one another, as they come."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.width = columns * (SIDE + _GAP) - _GAP
        self._parts: list[str] = []
        self._top = _MARGIN

    def text(self, line: str, size: int, *, bold: bool = False, colour: str = "currentColor") -> None:
        """A line."""
        self._top += size
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{_MARGIN}" y="{self._top}" font-size="{size}" fill="{colour}"{weight}>{escape(line)}</text>'
        )
        self._top += round(0.45 * size)

    def row(self, row: Row, *, smooth: bool) -> None:
        """Title, panels with their names, and what is said of them."""
        self._top += 14
        for line in self._wrapped(row.title, _HEAD):
            self.text(line, _HEAD, bold=True)
        content = [_Content("the picture, as the model saw it", f'<use href="#picture{row.run}"/>', None)] * (
            row.maps is not None
        )
        for panel in row.panels:
            laid = overlay(panel.plane, panel.scale, smooth=smooth, hover=False)
            content.append(_Content(panel.title, f'<use href="#grey{row.run}"/>{laid}', panel.scale))
        for first in range(0, len(content), self.columns):
            self._panels(content[first : first + self.columns])
        for text in row.lines:
            for line in self._wrapped(text, _TEXT):
                self.text(line, _TEXT)

    def _panels(self, content: Sequence[_Content]) -> None:
        self._top += 2 + _TEXT
        for column, (title, drawn, scale) in enumerate(content):
            (line, *more) = textwrap.wrap(title, int(SIDE / (_LETTER * _TEXT)))
            caption = escape(line + " …" * bool(more))
            parts = [
                f'<text font-size="{_TEXT}" fill="{_SOFT}">{caption}</text>',
                f'<g transform="translate(0 7)">{drawn}</g>',
                f'<g transform="translate(0 {SIDE + 13})">{_bar(scale)}</g>' if scale else "",
            ]
            left = _MARGIN + column * (SIDE + _GAP)
            self._parts.append(f'<g transform="translate({left} {self._top})">{"".join(parts)}</g>')
        self._top += SIDE + 56

    def _wrapped(self, text: str, size: int) -> list[str]:
        return textwrap.wrap(text, int(self.width / (_LETTER * size)))

    def svg(self, pictures: Iterator[str]) -> str:
        """All of it, on white."""
        width, height = self.width + 2 * _MARGIN, self._top + _MARGIN - 12
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        style = f'font-family="{FONT}" color="{INK["light"]}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}><rect width="100%" height="100%" fill="#fff"/>'
            f"<defs>{''.join(pictures)}</defs>{''.join(self._parts)}</svg>\n"
        )
