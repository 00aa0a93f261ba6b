"""Small heat maps of kernels, one or several that share a scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wisesr.report.figures.figure import Spec


def heat_map(title: str, plane: NDArray[Any], *, signed: bool, side: int) -> Spec:
    """A view of one map; arguments as of `heat_maps`, `plane` (height, width)."""
    width = plane.shape[1]
    values = [{"weight": _short(plane)}]
    return {"title": title, "data": {"values": values}, "transform": _transform(width)} | _view(plane, signed, side)


def heat_maps(title: str, maps: Mapping[str, NDArray[Any]], *, signed: bool, columns: int, side: int) -> Spec:
    """A view of several maps that share a scale.

    Args:
        title: above them.
        maps: (height, width) each, by name; all of one shape.
        signed: whether their colours part at zero; else they begin there.
        columns: maps in a row.
        side: of a map, px at most, unless its cells would be smaller than five.
    """
    planes = np.stack(list(maps.values()))
    header = {"title": None, "labelPadding": 3, "labelFontSize": 11}
    return {
        "title": title,
        "data": {"values": [{"map": name, "weight": _short(plane)} for name, plane in maps.items()]},
        "transform": _transform(planes.shape[2]),
        "facet": {"field": "map", "type": "nominal", "sort": list(maps), "header": header},
        "columns": columns,
        "spacing": 10,
        "spec": _view(planes, signed, side, "map"),
    }


def _view(planes: NDArray[Any], signed: bool, side: int, *names: str) -> Spec:
    height, width = planes.shape[-2:]
    step = max(5, side // max(height, width))  # whole pixels, or seams show between cells
    largest = _rounded(float(np.abs(planes).max())) or 1.0
    scale = {"domain": [-largest if signed else 0.0, largest], "range": "diverging" if signed else "heatmap"}
    legend = {
        "title": None,
        "gradientLength": step * height,
        "gradientThickness": 8,
        "tickCount": 3,
        "labelFontSize": 10,
        "format": "~r",
    }
    place = {"type": "ordinal", "axis": None, "scale": {"padding": 0}}
    color = {"field": "weight", "type": "quantitative", "scale": scale | {"interpolate": "rgb"}, "legend": legend}
    return {
        "width": {"step": step},
        "height": {"step": step},
        "mark": "rect",
        "encoding": {
            "x": {"field": "column"} | place,
            "y": {"field": "row"} | place,
            "color": color,
            "tooltip": [{"field": name} for name in (*names, "row", "column", "weight")],
        },
    }


def _transform(width: int) -> list[Spec]:
    """Rows and columns from the order of the weights, which need not be written then."""
    return [
        {"flatten": ["weight"]},
        {"window": [{"op": "row_number", "as": "at"}], "groupby": ["map"]},
        {"calculate": f"floor((datum.at - 1) / {width})", "as": "row"},
        {"calculate": f"(datum.at - 1) % {width}", "as": "column"},
    ]


def _short(plane: NDArray[Any]) -> list[float]:
    return [_rounded(weight) for weight in plane.flat]


def _rounded(value: float) -> float:
    """To three digits, as many as a colour can show."""
    return float(f"{value:.3g}")
