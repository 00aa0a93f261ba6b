"""The page of `wisesr explain`: every picture with its maps, sums and numbers, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from wisesr.report.evidence.overlay import BAR, SIDE, bar_colours, bar_numbers, image_element, overlay, picture_uri
from wisesr.report.evidence.rows import Explained, Panel, Row, rows
from wisesr.report.evidence.scales import short
from wisesr.report.templates import environment

_HERE = Path(__file__).parent


def render_explained(
    shown: Sequence[Explained],
    *,
    title: str,
    facts: Sequence[tuple[str, str]],
    notes: Sequence[str] = (),
    smooth: bool = False,
    each_head: bool = False,
) -> str:
    """The page.

    Args:
        shown: pictures, in their order.
        title: of the page.
        facts: names and values that stand at its head: runs, command, time.
        notes: sentences on what is not shown.
        smooth: as of `wisesr.report.evidence.strip.strip_svg`.
        each_head: likewise.
    """
    drawn = [rows(one, each_head=each_head) for one in shown]
    scales = [panel.scale for found in drawn for row in found for panel in row.panels]
    return _template().render(
        title=title,
        facts=facts,
        notes=notes,
        pictures=[
            {
                "name": one.name,
                "images": Markup("".join(_images(number, one))),
                "rows": [_row(number, row, smooth) for row in found],
            }
            for number, (one, found) in enumerate(zip(shown, drawn, strict=True))
        ],
        kinds={scale.kind for scale in scales},
        by_area=any(scale.by_area for scale in scales),
        several=any(len(one.runs) > 1 for one in shown),
        smooth=smooth,
        css=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        side=SIDE,
        bar=BAR,
    )


def _images(number: int, explained: Explained) -> Iterator[str]:
    for at, by_run in enumerate(explained.runs):
        for grey in (False, True):
            yield image_element(picture_uri(by_run.explanation.view, grey=grey), _key(number, at, grey))


def _key(number: int, run: int, grey: bool) -> str:
    return f"{'grey' if grey else 'picture'}-{number}-{run}"


def _row(number: int, row: Row, smooth: bool) -> dict[str, Any]:
    evidence = None if row.maps is None or row.maps.evidence is None else row.maps.evidence
    return {
        "title": row.title,
        "lines": row.lines,
        "picture": None if row.maps is None else Markup(f'<use href="#{_key(number, row.run, False)}"/>'),
        "panels": [_panel(panel, _key(number, row.run, True), smooth) for panel in row.panels],
        "numbers": None if evidence is None else [[short(float(number), signed=True) for number in line] for line in evidence],
    }


def _panel(panel: Panel, grey: str, smooth: bool) -> dict[str, Any]:
    return {
        "title": panel.title,
        "drawn": Markup(f'<use href="#{grey}"/>{overlay(panel.plane, panel.scale, smooth=smooth)}'),
        "bar": Markup(bar_colours(panel.scale, SIDE)),
        "ticks": bar_numbers(panel.scale),
        "unit": panel.scale.unit,
    }


@lru_cache
def _template() -> jinja2.Template:
    return environment(_HERE).get_template("page.html")
