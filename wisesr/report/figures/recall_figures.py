"""Recall of each class: of a head and of the baseline, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wisesr.report.class_recall import ClassRecall, by_gain, class_recall
from wisesr.report.confusion import ConfusionPair
from wisesr.report.differences import SEEDS
from wisesr.report.figures.class_axes import SIGNED, class_names, without_images
from wisesr.report.figures.figure import Spec, seed_list
from wisesr.report.figures.style import accuracy_scale, by_head
from wisesr.wording import count_of

ALL = 40
"""Up to so many classes, each has its row."""
ENDS = 15
"""Of more, so many that gained most and so many that lost most."""
_RECALL, _DIFFERENCE = 240, 200
"""Widths of the two parts, px."""
_SIZES = (110, 50)
"""Of the marks of baseline and head, px^2: where both are equal, both are seen."""


class RecallRows:
    """The classes that are shown, and how many are not."""

    def __init__(self, pair: ConfusionPair) -> None:
        order = by_gain(pair)
        cut = len(order) > ALL
        self.pair = pair
        self.gained = [class_recall(pair, index) for index in (order[:ENDS] if cut else order)]
        self.lost = [class_recall(pair, index) for index in order[-ENDS:]] if cut else []
        self.between = len(order) - len(self.gained) - len(self.lost)

    @property
    def shown(self) -> list[ClassRecall]:
        """Those that gained most first."""
        return [*self.gained, *self.lost]

    @property
    def gap(self) -> str:
        """The line between the ends; empty where all are shown."""
        return f"\N{HORIZONTAL ELLIPSIS} {count_of(self.between, 'class', 'classes')} between" if self.between else ""


def recall_caption(rows: RecallRows) -> str:
    """What is drawn, over what, and what the intervals are for."""
    pair = rows.pair
    head, baseline, seeds = pair.head.entry.head, pair.baseline.entry.head, pair.head.seeds
    over = f", mean over {seed_list(seeds)}" if len(seeds) > 1 else f", {seed_list(seeds)}"
    which = f": {_which(rows)}" if rows.between else ", classes by their difference"
    text = (
        f"How often the images of each class are predicted right{which}. Left, the share of each class's test images that was "
    )
    text += f"predicted right by {baseline} and by {head}{over}. "
    text += f"Right, {head} minus {baseline}, in points"
    return f"{text}{_intervals(rows)}{without_images(pair.head, 'recall')}"


def _which(rows: RecallRows) -> str:
    """Which classes of many are shown; where all gained, none lost."""
    gained = "gained most" if rows.gained[-1].difference.mean > 0 else "gained most or lost least"
    lost = "lost most" if rows.lost[0].difference.mean < 0 else "lost most or gained least"
    return f"the {ENDS} classes that {gained} and the {ENDS} that {lost}"


def _intervals(rows: RecallRows) -> str:
    if len(rows.pair.head.seeds) < SEEDS:
        return "; fewer than three seeds have no interval, and say nothing about the heads."
    have = sum(recall.difference.low is not None for recall in rows.shown)
    if not have:
        return "; no class has an interval, as each differs alike with all seeds."
    if rows.pair.tested_over_trained is not None:
        test = "for other replicates or folds (corrected resampled t)"
    else:
        test = "for other seeds on these test images (paired t)"
    text = f", with 95 % intervals {test}, not corrected for the number of classes: "
    text += "where heads are alike, about one in twenty of all classes misses 0"
    text += ", and those shown were chosen for their difference." if rows.between else "."
    return text + (" Where a class differs alike with all seeds it has no interval." if have < len(rows.shown) else "")


def recall_spec(rows: RecallRows, order: Sequence[str]) -> Spec:
    """Args: order: of all heads of the study, as of `style.by_head`."""
    values = _values(rows)
    names = [value["class"] for value in values]
    gap = [rows.gap] if rows.gap else []
    here = [*names[: len(rows.gained)], *gap, *names[len(rows.gained) :]]
    axis = {"labelLimit": 220, "ticks": False, "grid": True, "labelOverlap": False}
    y = {"field": "class", "type": "nominal", "title": None, "sort": here, "scale": {"domain": here}, "axis": axis}
    heads = by_head(order, [one.entry.head for one in (rows.pair.baseline, rows.pair.head)], _RECALL + _DIFFERENCE)
    height = {"step": 22 if len(here) <= 12 else 17}
    bare = y | {"axis": axis | {"labels": False, "domain": False}}
    return {
        "data": {"values": values},
        "spacing": 16,
        "hconcat": [_recalls(values, y, heads) | {"height": height}, _gains(bare, heads, rows) | {"height": height}],
    }


def _values(rows: RecallRows) -> list[dict[str, Any]]:
    pair = rows.pair
    names, both = class_names(pair.head.classes), [pair.baseline.entry.head, pair.head.entry.head]
    values: list[dict[str, Any]] = []
    for recall in rows.shown:
        found = recall.difference
        row: dict[str, Any] = {"class": names[recall.number], "images": recall.images, "heads": both}
        row |= {"recalls": [round(recall.baseline, 2), round(recall.head, 2)], "difference": round(found.mean, 2)}
        if found.low is not None and found.high is not None:
            row |= {"low": round(found.low, 2), "high": round(found.high, 2)}
        values.append(row)
    return values


def _recalls(values: Sequence[dict[str, Any]], y: Spec, heads: Spec) -> Spec:
    ends = [end for value in values for end in value["recalls"]]
    scale = accuracy_scale(min(ends), max(ends)) | {"padding": 8}
    x = {"type": "quantitative", "title": "Recall (%)", "scale": scale, "axis": {"grid": False, "tickCount": 5}}
    line = {"y": y, "x": x | {"field": "recalls[0]"}, "x2": {"field": "recalls[1]"}}
    return {
        "width": _RECALL,
        "layer": [
            {"mark": {"type": "rule"}, "encoding": line},
            *(
                {
                    "transform": [{"calculate": f"datum.{name}s[{at}]", "as": name} for name in ("recall", "head")],
                    "mark": {"type": "point", "filled": True, "size": size, "opacity": 1},
                    "encoding": {"y": y, "x": x | {"field": "recall"}} | heads | {"tooltip": _tooltip("head", "recall")},
                }
                for at, size in enumerate(_SIZES)
            ),
        ],
    }


def _gains(y: Spec, heads: Spec, rows: RecallRows) -> Spec:
    title, axis = "Difference (points)", {"grid": False, "labelExpr": SIGNED, "tickCount": 5, "labelFlush": False}
    x = {
        "type": "quantitative",
        "title": title,
        "scale": {"zero": True},
        "axis": axis,
    }
    # Without any, Vega has no extent of the intervals, and says so on the console.
    known = any("low" in value for value in _values(rows))
    told = _tooltip("difference", "low", "high") if known else _tooltip("difference")
    point = {"type": "point", "filled": True, "size": 70, "opacity": 1}
    intervals = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "strokeWidth": 2},
        "encoding": {"y": y, "x": x | {"field": "low"}, "x2": {"field": "high"}, "color": heads["color"]},
    }
    return {
        "width": _DIFFERENCE,
        "transform": [{"calculate": "datum.heads[1]", "as": "head"}],
        "layer": [
            {"data": {"values": [{}]}, "mark": {"type": "rule", "strokeDash": [3, 3]}, "encoding": {"x": x | {"datum": 0}}},
            *([intervals] if known else []),
            {"mark": point, "encoding": {"y": y, "x": x | {"field": "difference"}} | heads | {"tooltip": told}},
        ],
    }


def _tooltip(*names: str) -> list[Spec]:
    titles = {"recall": "recall, %", "difference": "difference, points", "low": "95 % interval from", "high": "to"}
    shown: list[Spec] = [{"field": "class", "type": "nominal"}]
    for name in names:
        kind = {"type": "nominal"} if name == "head" else {"type": "quantitative"}
        signed = {} if name == "head" else {"format": ".2f" if name == "recall" else "+.2f"}
        shown.append({"field": name, "title": titles.get(name, name)} | kind | signed)
    return [*shown, {"field": "images", "title": "predictions", "type": "quantitative", "format": ",d"}]
