"""Small heat maps of kernels, one or several that share a scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wisesr.report.figures.figure import Spec

_SIDE = 112
"""Of a map, px at most, unless its cells would be smaller than five."""


def heat_maps(title: str, names: Sequence[str], planes: NDArray[Any], *, signed: bool, columns: int, side: int = _SIDE) -> Spec:
    """A view of maps beside each other.

    Args:
        title: above them.
        names: of each map; different ones.
        planes: (maps, height, width).
        signed: whether their colours part at zero; else they begin there.
        columns: maps in a row.
        side: of a map, px.
    """
    height, width = planes.shape[1:]
    step = max(5, side // max(height, width))  # whole pixels, or seams show between cells
    largest = float(np.abs(planes).max()) or 1.0
    domain = [-largest, largest] if signed else [0.0, largest]
    scale = {"domain": [_short(bound) for bound in domain], "range": "diverging" if signed else "heatmap"}
    legend = {"title": None, "gradientLength": min(120, step * height), "gradientThickness": 8, "tickCount": 3, "format": "~g"}
    view = {
        "width": {"step": step},
        "height": {"step": step},
        "mark": {"type": "rect", "strokeWidth": 0},
        "encoding": {
            "x": {"field": "column", "type": "ordinal", "axis": None, "scale": {"padding": 0}},
            "y": {"field": "row", "type": "ordinal", "axis": None, "scale": {"padding": 0}},
            "color": {"field": "weight", "type": "quantitative", "scale": scale, "legend": legend | {"labelFontSize": 10}},
            "tooltip": [{"field": name} for name in ("map", "row", "column", "weight")],
        },
    }
    header = {"title": None, "labelPadding": 3, "labelFontSize": 11}
    return {
        "title": title,
        "data": {
            "values": [
                {"map": name, "weight": [_short(one) for one in plane.flat]} for name, plane in zip(names, planes, strict=True)
            ]
        },
        "transform": [
            {"flatten": ["weight"]},
            {"window": [{"op": "row_number", "as": "at"}], "groupby": ["map"]},
            {"calculate": f"floor((datum.at - 1) / {width})", "as": "row"},
            {"calculate": f"(datum.at - 1) % {width}", "as": "column"},
        ],
        "facet": {"field": "map", "type": "nominal", "sort": list(names), "header": header},
        "columns": columns,
        "spacing": 10,
        "spec": view,
    }


def _short(value: float) -> float:
    """To three digits, as many as a colour can show."""
    return float(f"{value:.3g}")
