"""All of a picture on one sheet, as SVG and as PNG: the picture and its maps, row by row, the sums, the scales."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html import escape

import vl_convert
from PIL import Image

from wisesr.report.evidence.overlay import SIDE, colour_bar, image_element, overlay, picture_uri
from wisesr.report.evidence.rows import Explained, Row, rows, scales
from wisesr.report.evidence.scales import Kind, Scale
from wisesr.report.figures.style import FONT, INK

_MARGIN, _GAP = 28, 14
_TITLE, _HEAD, _TEXT = 20, 15, 13
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
    by_kind = scales(shown)
    columns = 1 + max((len(row.panels) for row in shown if row.maps is not None), default=1)
    sheet = _Sheet(max(columns, 2))
    for line in textwrap.wrap(explained.name, int(sheet.width / (_LETTER * _TITLE))) or [""]:
        sheet.text(line, _TITLE, bold=True)
    for row in shown:
        sheet.row(row, by_kind, smooth=smooth)
    sheet.scales(list(by_kind.values()))
    return sheet.svg(_pictures(explained))


def _pictures(explained: Explained) -> Iterator[str]:
    for number, by_run in enumerate(explained.runs):
        for grey in (False, True):
            yield image_element(picture_uri(by_run.explanation.view, grey=grey), f"{'grey' if grey else 'picture'}{number}")


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

    def row(self, row: Row, by_kind: Mapping[Kind, Scale], *, smooth: bool) -> None:
        """Title, panels with their names, and what is said of them."""
        self._top += 14
        for line in self._wrapped(row.title, _HEAD):
            self.text(line, _HEAD, bold=True)
        content = [("the picture, as the model saw it", f'<use href="#picture{row.run}"/>')] * (row.maps is not None)
        for panel in row.panels:
            laid = overlay(panel.plane, by_kind[panel.kind], smooth=smooth, hover=False)
            content.append((panel.title, f'<use href="#grey{row.run}"/>{laid}'))
        for first in range(0, len(content), self.columns):
            self._panels(content[first : first + self.columns])
        for text in row.lines:
            for line in self._wrapped(text, _TEXT):
                self.text(line, _TEXT)

    def _panels(self, content: Sequence[tuple[str, str]]) -> None:
        self._top += 2 + _TEXT
        for column, (title, drawn) in enumerate(content):
            left = _MARGIN + column * (SIDE + _GAP)
            (line, *more) = textwrap.wrap(title, int(SIDE / (_LETTER * _TEXT)))
            caption = escape(line + " …" * bool(more))
            self._parts.append(f'<text x="{left}" y="{self._top}" font-size="{_TEXT}" fill="{_SOFT}">{caption}</text>')
            self._parts.append(f'<g transform="translate({left} {self._top + 7})">{drawn}</g>')
        self._top += SIDE + 13

    def scales(self, found: Sequence[Scale]) -> None:
        """A bar for each kind of map, side by side."""
        self._top += 14
        for first in range(0, len(found), self.columns):
            self._top += _TEXT
            for column, scale in enumerate(found[first : first + self.columns]):
                left = _MARGIN + column * (SIDE + _GAP)
                words = f'<text font-size="{_TEXT}" fill="{_SOFT}">{escape(scale.unit)}</text>'
                bar = f'{words}<g transform="translate(0 8)">{colour_bar(scale, SIDE)}</g>'
                self._parts.append(f'<g transform="translate({left} {self._top})">{bar}</g>')
            self._top += 44

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
