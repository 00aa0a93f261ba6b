"""One style for all figures, light and dark; a head has the same colour and mark in each of them, and in every study.

Colours stand in the theme and not in the specs: what a spec says is the place of each head among them (`places`). They are
chosen for readers who do not see red, green or blue as others do (tests/report/test_figures.py holds them apart as these see
them), and the mark's shape says the same once more, for print without colours and for more heads than there are colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from wisesr.report.head_options import option_of
from wisesr.report.whole_study import Study
from wisesr.results.head_order import in_order, name_of

Theme = Literal["light", "dark"]
FONT = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
INK: dict[Theme, str] = {"light": "#1b1e23", "dark": "#e6e8eb"}
GROUND: dict[Theme, str] = {"light": "white", "dark": "#14171b"}
_FAINT: dict[Theme, str] = {"light": "#e3e5e9", "dark": "#363b43"}
_SOFT: dict[Theme, str] = {"light": "#5b626d", "dark": "#a7aeb9"}
HEADS: dict[Theme, tuple[str, ...]] = {
    "light": ("#555c66", "#0072b2", "#99412b", "#429c6d", "#dc2bc4", "#aa7706", "#8684ff", "#7500d0"),
    "dark": ("#b9c0ca", "#4aa3e0", "#bd7048", "#59e878", "#ff52d3", "#cbb022", "#967bff", "#a02fff"),
}
"""The first is that of `gap`: grey, as it is what the others are mostly held against. Each stands out from its ground three to
one at least, as WCAG 2.2 asks of graphics (success criterion 1.4.11)."""
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right")
"""Seven, so that with eight colours 56 places differ."""
_TAKEN = (0, 1)
"""Colours of `gap` and `wise`: no head beyond `PLACES` has them."""
PLACES = (
    *("gap", "wise", "depthwise_nonneg", "depthwise", "wise_dropout", "gap_dropout", "flatten", "gwap"),
    *("gem", "max", "avgmax", "lse", "attention", "gwap_attention", "simpool", "fc"),
    *("(grey)", "(blue)", "gap_valid", "wise_unconstrained", "wise_frozen", "gap_scale", "wise_average"),
    *("wise_shuffled_images", "(grey 2)", "(blue 2)", "depthwise_average", "wise_shuffled", "simpool_gamma"),
)
"""Heads by their places among colours and shapes. Append, or a head changes its colour between two reports. What is in brackets
is no head: from the controls on, no head has the colour of `gap` or of `wise`, which stand in almost every figure."""
SEQUENTIAL: dict[Theme, tuple[str, ...]] = {
    "light": ("#eef3f8", "#cfe0f0", "#8fbbdc", "#4a8fc2", "#1f639c", "#0b3a68"),
    "dark": ("#1d232b", "#1f3f5f", "#266292", "#3f8fc7", "#86bfe6", "#e2f1fb"),
}
DIVERGING: dict[Theme, tuple[str, ...]] = {
    "light": ("#8a3b00", "#d27f3a", "#f0c9a4", "#f1f2f4", "#a9cbe6", "#3f86bd", "#0b3f6f"),
    "dark": ("#ffc08a", "#d27f3a", "#7a4a26", "#22272e", "#2a5478", "#4a92cb", "#b5dcf7"),
}
_STRONG: dict[Theme, str] = {"light": "white", "dark": "#10151b"}
"""Ink on the strong end of the sequential colours."""


def config(theme: Theme) -> dict[str, Any]:
    """Vega-Lite's `config`; the ground is transparent."""
    ink, soft, faint = INK[theme], _SOFT[theme], _FAINT[theme]
    text = {
        "labelFont": FONT,
        "titleFont": FONT,
        "labelColor": ink,
        "titleColor": ink,
        "labelFontSize": 12,
        "titleFontSize": 13,
    }
    return {
        "background": "transparent",
        "font": FONT,
        "padding": 8,
        "view": {"stroke": None},
        "axis": text
        | {"titleFontWeight": "normal", "titlePadding": 8, "grid": True, "gridColor": faint, "gridWidth": 1}
        | {"domainColor": soft, "tickColor": soft, "tickSize": 4, "labelLimit": 320},
        "axisX": {"grid": False},
        "legend": text
        | {"titleFontWeight": "normal", "labelLimit": 420, "symbolSize": 90, "symbolStrokeWidth": 2, "symbolLimit": 0},
        "header": text | {"labelFontSize": 12, "labelFontWeight": "normal", "labelLimit": 240},
        "title": {"font": FONT, "color": ink, "fontSize": 13, "fontWeight": "normal", "anchor": "start", "offset": 6},
        "text": {"font": FONT, "color": ink, "fontSize": 11},
        "rule": {"color": soft},
        "style": {
            "on-weak": {"color": ink},
            "on-strong": {"color": _STRONG[theme]},
            "bar-plain": {"color": HEADS[theme][1]},
            "joined": {"color": ink, "strokeWidth": 4, "strokeCap": "round"},
            "open": {"color": GROUND[theme], "stroke": soft, "strokeWidth": 1.5},
            "matrix": {"color": SEQUENTIAL[theme][0]},
        },
        "range": {
            "category": list(HEADS[theme]),
            "symbol": list(SHAPES),
            "heatmap": list(SEQUENTIAL[theme]),
            "ramp": list(SEQUENTIAL[theme]),
            "diverging": list(DIVERGING[theme]),
        },
    }


def head_order(study: Study) -> tuple[str, ...]:
    """All heads of the study, unfinished ones too, in the order in which they are shown."""
    heads = {entry.head for table in study.tables for entry in table.entries}
    heads |= {cell.place.head for table in study.tables for cell in table.left_out if cell.place is not None}
    return in_order(heads, study.tables[0].baseline if study.tables else "gap")


def places(order: Sequence[str]) -> tuple[str, ...]:
    """Heads by their places among colours and shapes: those of `PLACES`, then what else the study has.

    A head with settings is drawn as the option that has these, `wise init=average` as `wise_average`; else the first variant of
    a head as the head. Neither takes the place of a head that is in the study by its plain name.
    """
    own, others = list(PLACES), [head for head in order if head not in PLACES]
    for name_in_places in (option_of, name_of):
        for head in others:
            name = name_in_places(head)
            if head not in own and name in own and name not in order:
                own[own.index(name)] = head
    for head in others:
        while len(own) % len(HEADS["light"]) in _TAKEN:
            own.append(f"(kept {len(own)})")
        if head not in own:
            own.append(head)
    return tuple(own)


def color(head: str, order: Sequence[str], theme: Theme = "light") -> str:
    """The colour of a head, `#rrggbb`; `order` is of all heads of the study."""
    return HEADS[theme][places(order).index(head) % len(HEADS[theme])]


def by_head(order: Sequence[str], shown: Iterable[str], width: int) -> dict[str, Any]:
    """Encodings of colour and shape, of data that have a field `head`.

    Args:
        order: of all heads of the study.
        shown: heads of this figure: others are not in its legend.
        width: of the figure, px, for the columns of the legend above it.
    """
    here = [head for head in order if head in set(shown)]
    columns = max(1, min(len(here), int(width / (7.4 * max(map(len, here), default=1) + 34))))
    # symbolOpacity: bands are faint, and their legend would be.
    legend = {"values": here, "orient": "top", "columns": columns, "columnPadding": 14, "symbolOpacity": 1}
    known = places(order)
    scale = {"domain": list(known)}
    channel = {"field": "head", "type": "nominal", "title": None, "legend": legend}
    shapes = scale | {"range": [SHAPES[index % len(SHAPES)] for index in range(len(known))]}
    return {"color": channel | {"scale": scale}, "shape": channel | {"scale": shapes}}


def accuracy_scale(low: float, high: float) -> dict[str, Any]:
    """The scale of an axis in percent from `low` to `high`: at least two points, and not above 100 where nothing can be."""
    if high - low < 2:
        middle = min(max((low + high) / 2, 1.0), 99.0)
        return {"zero": False, "domain": [middle - 1, middle + 1]}
    return {"zero": False, "domainMax": 100} if high > 100 else {"zero": False}
