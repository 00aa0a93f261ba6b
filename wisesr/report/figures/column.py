"""Figures as wide as a column of a paper: the same specs with smaller views, drawn at two thirds.

A column is 228 pt (3.2 in). Letters of 12 px are 8 pt there, the smallest ones of any figure, 9 px, 6 pt. What takes room
beside the views (names, axes, legends) stays as it is, so the views are made smaller until all of it fits: views that stand
side by side go below one another first. What cannot be legible in a column at all, a matrix of 30 classes for one, keeps its
size and goes over both columns.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from wisesr.report.figures.figure import Spec
from wisesr.report.figures.map_figures import figure_font, has_figures, is_figure, legends_below

POINTS = 228.0
"""Width of a column: that of article with twocolumn, the narrowest; those of IEEE, ACM, CVPR and ICML have 234 to 252."""
SCALE = 2 / 3
"""pt for each px."""
ROOM = int(POINTS / SCALE)
"""px that a figure may be wide."""
_LETTER, _MARK = 7.4, 34
"""px of a letter of a legend, and of a mark with its gaps; as of `style.by_head`."""
_SMALLEST = 9
"""px of letters: 6 pt."""
_VIEW, _CELL = 70, 4
"""px of a view's width, and of a cell of a heat map, at least."""
_HEIGHT = 130
"""px that a view is high at least, unless it was lower: the title of its axis stands beside it."""
_RAMP = 48
"""px of a legend of colours, at least: three figures stand beside it."""
_PADDING = 8
"""px that an axis goes beyond its figures, at most."""
_TITLE, _LINE = 6.3, 18
"""px of a letter of an axis' title; letters of a line that stand below any view."""
_TRIES = 5

Measure = Callable[[Spec], float]
"""Width of a spec, px."""


def in_column(spec: Spec, measure: Measure) -> Spec | None:
    """The spec fit for a column; None where it cannot be.

    Args:
        spec: of a figure of any width.
        measure: draws a spec, and says how wide it is.
    """
    if has_figures(spec):
        spec = legends_below(spec)
    for across in (2, 1):
        if fitted := _fitted(_below(spec, across), measure):
            return fitted
    return None


def _fitted(spec: Spec, measure: Measure) -> Spec | None:
    """The spec with the largest views that fit: what is beside them is measured, not known."""
    share, tried = 1.0, list[tuple[float, float]]()
    for _ in range(_TRIES):
        made = _scaled(spec, share)
        if made is None:
            return None
        wide = measure(made)
        if wide <= ROOM and (share == 1.0 or wide > 0.9 * ROOM or len(tried) == _TRIES - 1):
            return made
        tried.append((share, wide))
        share = min(1.0, _next(tried))
    fits = [share for share, wide in tried if wide <= ROOM]
    return _scaled(spec, max(fits)) if fits else None


def _next(tried: list[tuple[float, float]]) -> float:
    """A share that comes nearer: along the line through the last two."""
    share, wide = tried[-1]
    goal = 0.97 * ROOM
    if len(tried) > 1 and tried[-2][1] != wide and tried[-2][0] != share:
        slope = (wide - tried[-2][1]) / (share - tried[-2][0])
        if slope > 0:
            return max(0.05, share + (goal - wide) / slope)
    return max(0.05, share * goal / wide)


def _below(spec: Any, across: int) -> Any:
    """At most so many views side by side; legends no wider than the column."""
    if isinstance(spec, list):
        return [_below(part, across) for part in spec]
    if not isinstance(spec, dict):
        return spec
    made = {name: _below(part, across) for name, part in spec.items()}
    if "hconcat" in made and len(made["hconcat"]) > across:
        views = made.pop("hconcat")  # rows of their own: in the columns of a grid, a wide view would move those above it
        made = made | {"vconcat": [made | {"hconcat": views[at : at + across]} for at in range(0, len(views), across)]}
    if "concat" in made:
        made["columns"] = min(across, int(made.get("columns", across)))
    if "facet" in made and "columns" in made:
        made["columns"] = min(2 * across, int(made["columns"]))
    if made.get("labelOverlap") is True:
        made["labelOverlap"] = "greedy"  # the other way keeps both of two labels that overlap
    if isinstance(padding := made.get("padding"), int) and padding > _PADDING:
        made["padding"] = _PADDING
    if isinstance(legend := made.get("legend"), dict) and "values" in legend and "columns" in legend:
        longest = max((len(str(value)) for value in legend["values"]), default=1)
        made["legend"] = legend | {"columns": max(1, min(len(legend["values"]), int(ROOM / (_LETTER * longest + _MARK))))}
    return made


def _scaled(spec: Spec, share: float) -> Spec | None:
    """Views of so large a share of their size; None where one would be too small to be read."""
    try:
        made: Spec = _smaller(spec, share)
    except _TooSmallError:
        return None
    return made


class _TooSmallError(Exception):
    """A view would not be legible."""


def _smaller(spec: Any, share: float) -> Any:
    if isinstance(spec, list):
        return [_smaller(part, share) for part in spec]
    if not isinstance(spec, dict):
        return spec
    made = {name: _smaller(part, share) for name, part in spec.items()}
    given = spec.get("width")
    if isinstance(given, int | float):
        new = _at_least(round(given * share), min(_VIEW, given))
        return _moved(made | {"width": new} | _height(spec, share), float(given), new)
    if isinstance(given, dict) and "step" in given:
        least = max(_CELL, _SMALLEST + 1 if _has_names(spec) else 0)
        step = _at_least(int(given["step"] * share), min(least, given["step"]))
        return _fonts(made | {"width": {"step": step}, "height": {"step": step}}, step, step / given["step"])
    return made


def _height(spec: Spec, share: float) -> Spec:
    """Of a view with a width in px. Rows of names keep the height that letters need."""
    given = spec.get("height")
    return {"height": max(round(given * share), min(_HEIGHT, given))} if isinstance(given, int | float) else {}


def _fonts(spec: Any, step: float, share: float) -> Any:
    """Names of rows and columns no larger than these; legends of colours as long as their map is high."""
    if isinstance(spec, list):
        return [_fonts(part, step, share) for part in spec if not is_figure(part) or figure_font(part, step) >= _SMALLEST]
    if not isinstance(spec, dict):
        return spec
    made = {name: _fonts(part, step, share) for name, part in spec.items()}
    if isinstance(axis := made.get("axis"), dict) and "labelFontSize" in axis:
        made["axis"] = axis | {"labelFontSize": min(axis["labelFontSize"], max(_SMALLEST, step - 1))}
    if is_figure(spec):
        made["mark"] = made["mark"] | {"fontSize": min(made["mark"]["fontSize"], figure_font(spec, step))}
    if "gradientLength" in made and made.get("orient") != "bottom":
        made["gradientLength"] = max(min(_RAMP, made["gradientLength"]), round(made["gradientLength"] * share))
    return made


def _at_least(value: float, least: float) -> float:
    if value < least:
        raise _TooSmallError
    return value


def _has_names(spec: Any) -> bool:
    """Whether an axis names rows or columns in letters of a given size."""
    if isinstance(spec, list):
        return any(map(_has_names, spec))
    if not isinstance(spec, dict):
        return False
    return "labelFontSize" in (spec.get("axis") or {}) or any(map(_has_names, spec.values()))


def _moved(spec: Any, old: float, new: float) -> Any:
    """Places given in px: those at the right edge of a view or beyond it go with the edge. Titles below it, in lines."""
    if isinstance(spec, list):
        return [_moved(part, old, new) for part in spec]
    if not isinstance(spec, dict):
        return spec
    made = {name: _moved(part, old, new) for name, part in spec.items()}
    for channel in ("x", "x2"):
        place = made.get(channel)
        if isinstance(place, dict) and isinstance(place.get("value"), int | float) and place["value"] >= old:
            made[channel] = place | {"value": place["value"] + new - old}
        elif isinstance(place, dict) and isinstance(title := place.get("title"), str | list):
            made[channel] = place | {"title": _lines(title, max(_LINE, int(new / _TITLE)))}
    return made


def _lines(title: str | list[str], letters: int) -> list[str]:
    """A title in lines of at most so many letters, unless a word has more."""
    parts = [title] if isinstance(title, str) else title
    return [line for part in parts for line in textwrap.wrap(part, letters, break_long_words=False)]
