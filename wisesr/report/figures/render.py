"""Figures as files: SVG, and PNG made from it. No network, no browser: vl-convert carries Vega-Lite and its own engine."""

from __future__ import annotations

from typing import Any, NamedTuple

import vl_convert

from wisesr.report.figures.figure import Spec
from wisesr.report.figures.style import Theme, config

_SCALE = 2.0
"""Pixels of the PNG for each of the figure."""
_GROUND: dict[Theme, str] = {"light": "white", "dark": "#14171b"}
"""A file may be looked at on any ground, and its ink would not show on its own colour."""


_PADDING = {"left": 28, "right": 16, "top": 8, "bottom": 8}
"""px. An SVG is laid out with Liberation Sans, as wide as Helvetica and Arial; where none of them is installed, it is shown in
another font, DejaVu Sans for one, and long names at the left need an eighth more room than they were given."""


class Picture(NamedTuple):
    """A drawn figure."""

    svg: str
    png: bytes


def render(spec: Spec, theme: Theme = "light") -> Picture:
    """Draw a figure with the colours and fonts of a theme."""
    # aria: a description of each mark would be most of the file, and says what the figure's data do.
    of_files = {"background": _GROUND[theme], "padding": _PADDING, "aria": False}
    svg: str = vl_convert.vegalite_to_svg(without_hover(spec) | {"config": config(theme) | of_files})
    return Picture(svg, vl_convert.svg_to_png(svg, scale=_SCALE))


def without_hover(spec: Any) -> Any:
    """The spec without layers that are there to be pointed at."""
    if isinstance(spec, dict):
        return {name: without_hover(part) for name, part in spec.items()}
    if isinstance(spec, list):
        return [without_hover(part) for part in spec if not (isinstance(part, dict) and part.get("name") == "hover")]
    return spec
