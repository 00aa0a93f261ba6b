"""The page: a study and its figures as one HTML file that needs no network."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import jinja2

from wisesr.report.figures import Figure
from wisesr.report.figures.style import HEADS, config, head_order
from wisesr.report.page.blocks import Block, cases
from wisesr.report.page.cell_table import cell_table
from wisesr.report.page.formatting import FILTERS, slug
from wisesr.report.page.header import describe_study, missing
from wisesr.report.page.interval_bars import IntervalScale, interval_scale
from wisesr.report.page.pack import pack
from wisesr.report.page.vega import vega_script
from wisesr.report.study import ReportTable, Study
from wisesr.report.tables.content import TableContent, table_content

_HERE = Path(__file__).parent
_SECTIONS = {
    "convergence": "Convergence",
    "cost": "Cost",
    "kernels": "Learned kernels",
    "confusion": "Confusion",
    "disagreement": "Where heads disagree",
}
"""In the order of the page."""
_TOGETHER = 5
"""Heads whose kernels are shown at once, at most."""


class _Figure(NamedTuple):
    """As the template has it."""

    title: str
    caption: str
    group: str
    head: str
    spec: str
    """Packed."""


class _Section(NamedTuple):
    """Figures and blocks below one heading."""

    id: str
    title: str
    figures: tuple[_Figure, ...]
    blocks: tuple[Block, ...]
    together: bool
    """Whether all heads are shown at first, and not the first one."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Backbones with settings to choose from."""
        groups = [*(figure.group for figure in self.figures), *(block.group for block in self.blocks)]
        return tuple(dict.fromkeys(filter(None, groups)))

    @property
    def heads(self) -> tuple[str, ...]:
        """To choose from."""
        heads = [*(figure.head for figure in self.figures), *(block.head for block in self.blocks)]
        return tuple(dict.fromkeys(filter(None, heads)))


class _Part(NamedTuple):
    """A table with all that belongs to it."""

    id: str
    content: TableContent
    scale: IntervalScale
    sections: tuple[_Section, ...]


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
    """
    figures, blocks = list(figures), list(blocks)
    numbers, jpegs = _numbered(pictures or {})
    early, js = (_file(name) for name in ("early.js", "page.js"))
    vega = script if script is not None else vega_script()
    order = head_order(study)
    return _template().render(
        header=describe_study(study, made=made, command=command),
        missing=missing(study),
        parts=[_part(table, figures, blocks) for table in study.tables],
        damaged=study.damaged,
        cells=cell_table(study.cells),
        about=about,
        pictured={table.key: numbers.get(table.key, {}) for table in study.tables},
        pictures=_in_script(jpegs),
        swatch={head: index % len(HEADS["light"]) for index, head in enumerate(order)},
        css=_file("page.css") + _swatches(),
        early=early,
        js=js,
        vega=vega,
        themes=_in_script({"light": config("light"), "dark": config("dark")}),
        hashes=" ".join(map(_hash, (early, vega, js))),
    )


def _part(table: ReportTable, figures: Sequence[Figure], blocks: Sequence[Block]) -> _Part:
    name = f"table-{slug(table.key)}"
    sections = []
    for key, title in _SECTIONS.items():
        own = tuple(_packed(figure) for figure in figures if (figure.table, figure.section) == (table.key, key))
        beside = tuple(block for block in blocks if (block.table, block.section) == (table.key, key))
        if own or beside:
            together = key == "kernels" and len({figure.head for figure in own}) <= _TOGETHER
            sections.append(_Section(f"{name}-{key}", title, own, beside, together))
    content = table_content(table)
    return _Part(name, content, interval_scale(content.comparisons), tuple(sections))


def _numbered(pictures: Mapping[str, Mapping[str, bytes]]) -> tuple[dict[str, dict[str, int]], list[str]]:
    """For each table and image the number of its picture, and the pictures; one that is in several tables is there once."""
    jpegs: dict[bytes, int] = {}
    numbers = {key: {name: jpegs.setdefault(jpeg, len(jpegs)) for name, jpeg in own.items()} for key, own in pictures.items()}
    return numbers, [base64.b64encode(jpeg).decode() for jpeg in jpegs]


def _packed(figure: Figure) -> _Figure:
    return _Figure(figure.title, figure.caption, figure.group, figure.head, pack(figure.spec))


def _file(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _swatches() -> str:
    """The heads' colours, the same as in the figures."""
    rules = []
    for where, colours in (("", HEADS["light"]), (':root[data-theme="dark"] ', HEADS["dark"])):
        rules += [f"{where}.swatch.h{index} {{ background: {colour}; }}" for index, colour in enumerate(colours)]
    return "\n".join(rules)


def _hash(script: str) -> str:
    """A script that the page lets run, all others are not: https://www.w3.org/TR/CSP3/#grammardef-hash-source"""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _in_script(value: object) -> str:
    """JSON that cannot end the script that it stands in."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


@lru_cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS, cases=cases)
    return environment.get_template("template.html")
