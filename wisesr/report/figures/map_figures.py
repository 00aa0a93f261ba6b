"""Figures that stand in the cells of a map, such as a confusion matrix, where the map gets smaller for a column of a paper."""

from __future__ import annotations

from typing import Any

from wisesr.report.figures.figure import Spec

_LONG_RAMP = 160
"""px of a legend of colours that lies below its map."""
_LETTER = 0.56
"""Width of a digit, in the size of its font."""


def is_figure(layer: Any) -> bool:
    """Whether it writes a figure into each cell of a map."""
    return (
        isinstance(layer, dict)
        and isinstance(mark := layer.get("mark"), dict)
        and mark.get("type") == "text"
        and "fontSize" in mark
        and "text" in layer.get("encoding", {})
    )


def figure_font(layer: Spec, step: float) -> int:
    """How large letters are, px, with which figures stay within cells of `step` px: whole percent, or `+12.5`."""
    letters = 3 if "format" in layer["encoding"]["text"] else 5
    return int(step / (_LETTER * letters))


def has_figures(spec: Any) -> bool:
    """Whether any map of it has figures in its cells."""
    parts = spec if isinstance(spec, list) else spec.values() if isinstance(spec, dict) else ()
    return is_figure(spec) or any(map(has_figures, parts))


def legends_below(spec: Any) -> Any:
    """Legends of colours below their map: beside it, they would take the room that figures in cells need."""
    if isinstance(spec, list):
        return list(map(legends_below, spec))
    if not isinstance(spec, dict):
        return spec
    made = {name: legends_below(part) for name, part in spec.items()}
    below = {"orient": "bottom", "direction": "horizontal", "gradientLength": _LONG_RAMP}
    return made | below if "gradientLength" in made else made
