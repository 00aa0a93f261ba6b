"""Figures as files: SVG, and PNG and PDF made from it. No network, no browser: vl-convert carries Vega-Lite and its own engine.

The PDF is what a paper takes: it has the letters as text in fonts of its own, and says how wide it is in print.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import vl_convert

from wisesr.report.figures.column import SCALE, in_column
from wisesr.report.figures.figure import Spec
from wisesr.report.figures.style import Theme, config

FigureWidth = Literal["page", "column"]
"""For what paper a file is made: as wide as it comes, or a column of 228 pt."""
_PIXELS = 2.0
"""Pixels of the PNG for each of the figure."""
_FINE = 300 / 72
"""Pixels of the PNG for each pt of a column: 300 to the inch."""
_PAGE = 0.75
"""pt for each px of a figure that is as wide as it comes: 96 px are an inch, as on the page."""
_GROUND: dict[Theme, str] = {"light": "white", "dark": "#14171b"}
"""A file may be looked at on any ground, and its ink would not show on its own colour."""


_PADDING = {"left": 28, "right": 16, "top": 8, "bottom": 8}
"""px. An SVG is laid out with Liberation Sans, as wide as Helvetica and Arial; where none of them is installed, it is shown in
another font, DejaVu Sans for one, and long names at the left need an eighth more room than they were given."""
_TIGHT = {"left": 3, "right": 5, "top": 3, "bottom": 3}
"""px, in a column, which has none to give away."""


class Picture(NamedTuple):
    """A drawn figure."""

    svg: str
    png: bytes
    pdf: bytes
    fits: bool = True
    """False where it was to be as wide as a column, and is wider, as it would not be legible."""


def render(spec: Spec, theme: Theme = "light", width: FigureWidth = "page") -> Picture:
    """Draw a figure with the colours and fonts of a theme, for a place of some width."""
    still = without_hover(spec)
    narrow = in_column(still, lambda tried: _width(_svg(tried, theme, _TIGHT))) if width == "column" else None
    if narrow is None:
        svg = _svg(still, theme, _PADDING)
        pdf = vl_convert.svg_to_pdf(_sized(svg, _PAGE))
        return Picture(svg, vl_convert.svg_to_png(svg, scale=_PIXELS), pdf, fits=width == "page")
    svg = _svg(narrow, theme, _TIGHT)
    png, pdf = vl_convert.svg_to_png(svg, scale=SCALE * _FINE), vl_convert.svg_to_pdf(_sized(svg, SCALE))
    return Picture(_sized(svg, SCALE, "pt"), png, pdf)


def _svg(spec: Spec, theme: Theme, padding: dict[str, int]) -> str:
    # aria: a description of each mark would be most of the file, and says what the figure's data do.
    own = config(theme) | {"background": _GROUND[theme], "padding": padding, "aria": False}
    if padding is _TIGHT:  # a legend ends where its view does, and may begin above the names at the left
        own |= {"legend": own["legend"] | {"layout": {"top": {"anchor": "end"}}}}
    svg: str = vl_convert.vegalite_to_svg(spec | {"config": own})
    return svg


def _width(svg: str) -> float:
    """How wide it is, px."""
    found = re.search(r'<svg[^>]* width="([\d.]+)"', svg)
    assert found is not None, "an SVG of Vega says how wide it is"
    return float(found[1])


def _sized(svg: str, scale: float, unit: str = "") -> str:
    """With another size; what it holds is in its viewBox. A PDF has a pt for each px."""
    start, end = svg.split(">", 1)
    return re.sub(r' (width|height)="([\d.]+)"', lambda m: f' {m[1]}="{float(m[2]) * scale:.2f}{unit}"', start) + f">{end}"


def without_hover(spec: Any) -> Any:
    """The spec without layers that are there to be pointed at."""
    if isinstance(spec, dict):
        return {name: without_hover(part) for name, part in spec.items()}
    if isinstance(spec, list):
        return [without_hover(part) for part in spec if not (isinstance(part, dict) and part.get("name") == "hover")]
    return spec
