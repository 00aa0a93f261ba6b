"""Figures of a study as Vega-Lite specs: `all_figures`. `style.themed` gives them their look, `render` makes files of them."""

from __future__ import annotations

from collections.abc import Iterator

from wisesr.report.figures.convergence import convergence_figures
from wisesr.report.figures.figure import Figure
from wisesr.report.figures.style import head_order
from wisesr.report.study import Study

__all__ = ["Figure", "all_figures"]


def all_figures(study: Study) -> Iterator[Figure]:
    """Every figure of a study, table by table, each with a key of its own."""
    used: set[str] = set()
    for figure in _figures(study):
        number, key = 1, figure.key
        while key in used:  # names that differ in nothing that a file's name may hold
            number += 1
            key = f"{figure.key}-{number}"
        used.add(key)
        yield figure._replace(key=key)


def _figures(study: Study) -> Iterator[Figure]:
    order = head_order(study)
    for table in study.tables:
        yield from convergence_figures(table, order)
