"""The study at a glance as figures: a forest plot of all differences to the baseline, and how these change with image size.

Forest plots: Lewis and Clarke 2001, BMJ 322:1479-1480. What is significant is drawn in the colour of its head, what is not
in grey with an open mark, so that the eye finds what is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from wisesr.report.figures.figure import Figure, Spec, file_name
from wisesr.report.figures.style import by_head
from wisesr.report.overview import Forest, ForestGroup, forest_caption, slope_caption
from wisesr.report.overview_forests import forests
from wisesr.report.whole_study import Study

_LANE, _STEP = 210, 16
"""Width of a size and height of a head in the forest plot, px."""
_PANEL = (170, 150)
"""Width and height of a backbone among the slopes, px."""
_COLUMNS = 3


def overview_figures(study: Study, order: Sequence[str]) -> Iterator[Figure]:
    """For each dataset and protocol a forest plot, and where there are several sizes their slopes.

    Args:
        study: that is shown.
        order: of all its heads, as of `style.head_order`.
    """
    for forest in forests(study):
        title = f"Differences to {forest.baseline} on {forest.title}"
        key, caption = file_name(forest.key, "forest"), forest_caption(forest, "In colour, filled")
        yield Figure(key, forest.key, "overview", title, caption, _forest(forest, order), "", "")
        if rows := _slope_rows(forest):
            along = "number of classes" if forest.by_classes else "image size"
            title = f"Difference to {forest.baseline} by {along}, {forest.title}"
            key = file_name(forest.key, "slopes")
            yield Figure(key, forest.key, "overview", title, slope_caption(forest), _slopes(forest, rows, order), "", "")


def _forest(forest: Forest, order: Sequence[str]) -> Spec:
    """Sizes across, backbones down; what holds for all backbones together below them, as it has other heads."""
    parts = [names for names in (forest.backbones, forest.together) if names]
    drawn = [_lanes(forest, names, order, first=names is parts[0], last=names is parts[-1]) for names in parts]
    return {"vconcat": drawn, "spacing": 10} if len(drawn) > 1 else drawn[0]


def _lanes(forest: Forest, names: Sequence[str], order: Sequence[str], *, first: bool, last: bool) -> Spec:
    rows = [
        row
        for panel in forest.panels
        for group in panel.groups
        if group.name in names
        for row in _rows(group, forest.metric.decimals, size=panel.title)
    ]
    here = [head for head in forest.heads if head in {row["head"] for row in rows}]
    colours = {channel: encoding | {"legend": None} for channel, encoding in by_head(order, here, _LANE).items()}
    axis = {"title": None, "grid": False, "ticks": False, "domain": False, "labelPadding": 8}
    y = {"field": "head", "type": "nominal", "sort": here, "axis": axis}
    header: Spec = {"title": None, "labelFontWeight": "bold", "labelPadding": 2}
    above = header | {"labelOrient": "top", "labelAnchor": "start", "labelAngle": 0, "labelPadding": -6}
    across = {"field": "size", "type": "nominal", "sort": [panel.title for panel in forest.panels]}
    down = {"field": "group", "type": "nominal", "sort": list(names)}
    return {
        "data": {"values": rows},
        "facet": {
            "column": across | {"header": header if first else {"title": None, "labels": False}},
            "row": down | {"header": above},
        },
        "spacing": {"row": 10, "column": 18},
        "spec": {"width": _LANE, "height": {"step": _STEP}, "layer": _marks(_axis(forest, last), y, colours)},
    }


def _axis(forest: Forest, labelled: bool) -> Spec:
    """Encoding of the difference."""
    low, high = forest.ends
    title = f"{forest.metric.points.capitalize()} of {forest.metric.words}, head less {forest.baseline}" if labelled else None
    axis = {"grid": True, "tickCount": 5, "labels": labelled, "ticks": labelled, "domain": labelled}
    scale = {"domain": [low, high], "nice": False, "zero": False}
    return {"type": "quantitative", "title": title, "scale": scale, "axis": axis}


def _rows(group: ForestGroup, digits: int, size: str | int) -> Iterator[dict[str, Any]]:
    """A row a head that has a difference."""
    for row in group.rows:
        if row.mark is None:
            continue
        mark = row.mark
        figures = {"mean": mark.mean, "low": mark.low, "high": mark.high}
        known = {key: round(value, digits + 1) for key, value in figures.items() if value is not None}
        yield {"group": group.name, "size": size, "head": row.head, "kind": mark.kind, "seeds": mark.seeds} | known


def _marks(x: Spec, y: Spec, colours: Spec) -> list[Spec]:
    """A line at 0; intervals and means, in colour where they are significant, else grey and open, dashed between models."""
    zero = {"mark": {"type": "rule", "strokeDash": [3, 3]}, "encoding": {"x": x | {"datum": 0}}}
    layers: list[Spec] = [zero]
    for significant, channels in ((False, {}), (True, colours)):
        only = [{"filter": f"(datum.kind == 'significant') == {str(significant).lower()}"}]
        dashed = {"condition": {"test": "datum.kind == 'images'", "value": [3, 3]}, "value": [1, 0]}
        reach = {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y, "strokeDash": dashed}
        color = {"color": channels["color"]} if channels else {}
        layers.append(
            {"transform": only, "mark": {"type": "rule", "strokeWidth": 2 if significant else 1.2}, "encoding": reach | color}
        )
        point = {"type": "point", "filled": True, "size": 64, "opacity": 1} | ({} if significant else {"style": "open"})
        at = {"x": x | {"field": "mean"}, "y": y, "tooltip": _tooltip()}
        layers.append({"transform": only, "mark": point, "encoding": at | channels})
    return layers


def _slope_rows(forest: Forest) -> list[dict[str, Any]]:
    """A row a head, backbone and size, of backbones with differences at two sizes and more; or numbers of classes at a size."""
    found: dict[str, list[dict[str, Any]]] = {}
    several_sizes = forest.by_classes and len({panel.size for panel in forest.panels}) > 1
    for panel in forest.panels:
        at = panel.size if not forest.by_classes else panel.classes
        for group in panel.groups if at is not None else ():
            name = f"{group.name}, {panel.size} px" if several_sizes else group.name
            if group.name in forest.backbones:
                found.setdefault(name, []).extend(_rows(group._replace(name=name), forest.metric.decimals, size=at or 0))
    return [row for rows in found.values() if len({row["size"] for row in rows}) > 1 for row in rows]


def _slopes(forest: Forest, rows: Sequence[dict[str, Any]], order: Sequence[str]) -> Spec:
    names = list(dict.fromkeys(row["group"] for row in rows))
    here = [head for head in forest.heads if head in {row["head"] for row in rows}]
    width, height = _PANEL
    heads = by_head(order, here, min(_COLUMNS, len(names)) * width)
    sizes = sorted({row["size"] for row in rows})
    x: Spec = {"field": "size", "type": "quantitative", "title": "Classes" if forest.by_classes else "Image size (px)"}
    x |= {"scale": {"type": "log", "base": 2, "domain": [sizes[0], sizes[-1]], "nice": False, "padding": 14}}
    x |= {"axis": {"values": sizes, "format": "d"}}
    y = {"field": "mean", "type": "quantitative", "title": f"Difference ({forest.metric.points})"}
    line = {"x": x, "y": y, "color": heads["color"]}
    point = {"x": x, "y": y, "tooltip": _tooltip()} | heads
    return {
        "data": {"values": list(rows)},
        "facet": {"field": "group", "type": "nominal", "sort": names, "header": {"title": None, "labelFontWeight": "bold"}},
        "columns": min(_COLUMNS, len(names)),
        "spacing": 16,
        "spec": {
            "width": width,
            "height": height,
            "layer": [
                {"mark": {"type": "rule", "strokeDash": [3, 3]}, "encoding": {"y": {"datum": 0}}},
                {"mark": {"type": "line", "strokeWidth": 2}, "encoding": line},
                {"mark": {"type": "point", "filled": True, "size": 60, "opacity": 1}, "encoding": point},
            ],
        },
    }


def _tooltip() -> list[dict[str, str]]:
    figures = {"mean": "difference", "low": "95 % interval from", "high": "to"}
    return [
        {"field": "group", "title": "backbone", "type": "nominal"},
        {"field": "head", "type": "nominal"},
        *({"field": name, "title": title, "type": "quantitative", "format": "+.2f"} for name, title in figures.items()),
        {"field": "seeds", "type": "quantitative"},
    ]
