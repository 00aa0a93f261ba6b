"""The page of `wisesr explain`: every picture with its maps, sums and numbers, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from wisesr.report.evidence.overlay import SIDE, colour_bar, image_element, overlay, picture_uri
from wisesr.report.evidence.rows import Explained, Row, rows, scales
from wisesr.report.evidence.scales import Kind, Scale, short

_HERE = Path(__file__).parent
BAR = 300
"""Width of a colour bar, px: it fits a phone."""


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
    pictures = [_picture(number, one, smooth, each_head) for number, one in enumerate(shown)]
    kinds = {scale.kind for picture in pictures for scale in picture["scales"]}
    return _template().render(
        title=title,
        facts=facts,
        notes=notes,
        pictures=pictures,
        kinds=kinds,
        smooth=smooth,
        by_area=any(scale.by_area for picture in pictures for scale in picture["scales"]),
        css=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        side=SIDE,
        bar_px=BAR,
    )


def _picture(number: int, explained: Explained, smooth: bool, each_head: bool) -> dict[str, Any]:
    found = rows(explained, each_head=each_head)
    by_kind = scales(found)
    return {
        "name": explained.name,
        "images": Markup("".join(_images(number, explained))),
        "rows": [_row(number, row, by_kind, smooth) for row in found],
        "scales": list(by_kind.values()),
        "bars": [(scale.unit, Markup(colour_bar(scale, BAR))) for scale in by_kind.values()],
    }


def _images(number: int, explained: Explained) -> Iterator[str]:
    for at, by_run in enumerate(explained.runs):
        for grey in (False, True):
            yield image_element(picture_uri(by_run.explanation.view, grey=grey), _key(number, at, grey))


def _key(number: int, run: int, grey: bool) -> str:
    return f"{'grey' if grey else 'picture'}-{number}-{run}"


def _row(number: int, row: Row, by_kind: dict[Kind, Scale], smooth: bool) -> dict[str, Any]:
    grey = f'<use href="#{_key(number, row.run, True)}"/>'
    panels = [(panel.title, Markup(grey + overlay(panel.plane, by_kind[panel.kind], smooth=smooth))) for panel in row.panels]
    if row.maps is not None:
        panels.insert(0, ("the picture", Markup(f'<use href="#{_key(number, row.run, False)}"/>')))
    evidence = None if row.maps is None or row.maps.evidence is None else row.maps.evidence
    return {
        "title": row.title,
        "lines": row.lines,
        "panels": panels,
        "numbers": None if evidence is None else [[short(float(number), signed=True) for number in line] for line in evidence],
    }


@lru_cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")
