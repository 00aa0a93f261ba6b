"""The page: a study and its figures as one HTML file that needs no network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import jinja2

from wisesr.report.figures import Figure
from wisesr.report.figures.style import HEADS, config, head_order, places
from wisesr.report.page.assets import early_script, page_script, stylesheet
from wisesr.report.page.beside import Beside
from wisesr.report.page.blocks import Block
from wisesr.report.page.cell_table import cell_table
from wisesr.report.page.choice import ALL, page_choice
from wisesr.report.page.claims import claim_parts
from wisesr.report.page.formatting import FILTERS
from wisesr.report.page.header import describe_study, missing
from wisesr.report.page.overview import overview_parts
from wisesr.report.page.parts import page_part
from wisesr.report.page.ranking_parts import ranking_parts
from wisesr.report.page.vega import vega_script
from wisesr.report.templates import environment
from wisesr.report.whole_study import Study

_HERE = Path(__file__).parent


def render_page(
    study: Study,
    figures: Iterable[Figure],
    *,
    made: str,
    command: str,
    blocks: Iterable[Block] = (),
    pictures: Mapping[str, Mapping[str, bytes]] | None = None,
    about: Sequence[str] = (),
    script: str | None = None,
    files: Mapping[str, str] | None = None,
) -> str:
    """The page.

    Args:
        study: that is reported.
        figures: of it.
        made: when, in words.
        command: that made the report.
        blocks: what stands beside the figures.
        pictures: JPEG files of test images, by the key of their table and their name.
        about: sentences for the end of the page.
        script: that defines `vegaEmbed`; by default of `vega_script`.
        files: that the report has beside the page, as `Beside` takes them; nothing is linked that is not among them.
    """
    figures, blocks = list(figures), list(blocks)
    numbers, jpegs = _numbered(pictures or {})
    early, js = early_script(), page_script()
    parts = [page_part(table, figures, blocks) for table in study.tables]
    order = head_order(study)
    vega = script if script is not None else vega_script()
    return _template().render(
        header=describe_study(study, made=made, command=command),
        missing=missing(study),
        claims=claim_parts(study.claims),
        parts=parts,
        choice=page_choice(parts, order, {table.baseline for table in study.tables}),
        everything=ALL,
        beside=Beside(files or {}),
        rankings=ranking_parts(study, figures),
        damaged=study.damaged,
        cells=cell_table(study.cells, order),
        about=about,
        pictured={table.key: numbers.get(table.key, {}) for table in study.tables},
        pictures=_in_script(jpegs),
        swatch={head: place % len(HEADS["light"]) for place, head in enumerate(places(order))},
        css=stylesheet() + _swatches(),
        overview=overview_parts(study, figures),
        early=early,
        js=js,
        vega=vega,
        themes=_in_script({"light": config("light"), "dark": config("dark")}),
        hashes=" ".join(map(_hash, (early, vega, js))),
    )


def _numbered(pictures: Mapping[str, Mapping[str, bytes]]) -> tuple[dict[str, dict[str, int]], list[str]]:
    """For each table and image the number of its picture, and the pictures; one that is in several tables is there once."""
    jpegs: dict[bytes, int] = {}
    numbers = {key: {name: jpegs.setdefault(jpeg, len(jpegs)) for name, jpeg in own.items()} for key, own in pictures.items()}
    return numbers, [base64.b64encode(jpeg).decode() for jpeg in jpegs]


def _swatches() -> str:
    """The heads' colours, the same as in the figures."""
    rules = [f".h{index} {{ --head: {colour}; }}" for index, colour in enumerate(HEADS["light"])]
    dark = (f':root[data-theme="dark"] .h{index} {{ --head: {colour}; }}' for index, colour in enumerate(HEADS["dark"]))
    rules.append(f"@media screen {{ {' '.join(dark)} }}")
    return "\n".join(rules)


def _hash(script: str) -> str:
    """A script that the page lets run, all others are not: https://www.w3.org/TR/CSP3/#grammardef-hash-source"""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _in_script(value: object) -> str:
    """JSON that cannot end the script that it stands in."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


@lru_cache
def _template() -> jinja2.Template:
    made = environment(_HERE)
    made.filters.update(FILTERS)
    return made.get_template("template.html")
