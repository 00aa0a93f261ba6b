"""Figures of a study as Vega-Lite specs: `all_figures`. `style.config` has their colours and fonts, `render` makes files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wisesr.report.figures.confusion_figures import confusion_figures
from wisesr.report.figures.convergence_figures import convergence_figures
from wisesr.report.figures.cost_figures import cost_figures
from wisesr.report.figures.figure import Figure, Section
from wisesr.report.figures.kernel_figures import kernel_figures
from wisesr.report.figures.overview_figures import overview_figures
from wisesr.report.figures.rank_figures import rank_figures
from wisesr.report.figures.style import head_order
from wisesr.report.figures.try_figures import try_figures
from wisesr.report.prediction_analysis import PredictionAnalysis, analyse_predictions
from wisesr.report.ranking import rankings
from wisesr.report.whole_study import Study

__all__ = ["FILES", "Figure", "all_figures", "for_files"]

FILES = 60
"""Figures that are drawn as files, at most. One takes a third of a second of a core (measured); a report of 1,000 cells has
hundreds, and may take a minute."""
_FIRST: tuple[Section, ...] = ("overview", "ranks", "tries", "convergence", "cost", "kernels", "confusion")


def for_files(figures: Iterable[Figure]) -> list[Figure]:
    """Those to be drawn as files, in the order of `_FIRST`."""
    return sorted(figures, key=lambda figure: _FIRST.index(figure.section))[:FILES]


def all_figures(study: Study, analyses: Iterable[PredictionAnalysis] | None = None) -> Iterator[Figure]:
    """Every figure of a study, table by table, each with a key of its own; `analyses` where they have been made already."""
    used: set[str] = set()
    for figure in _figures(study, tuple(analyse_predictions(study) if analyses is None else analyses)):
        number, key = 1, figure.key
        while key in used:  # names that differ in nothing that a file's name may hold
            number += 1
            key = f"{figure.key}-{number}"
        used.add(key)
        yield figure._replace(key=key)


def _figures(study: Study, analyses: Sequence[PredictionAnalysis]) -> Iterator[Figure]:
    order = head_order(study)
    yield from overview_figures(study, order)
    for table in study.tables:
        yield from try_figures(table, order)
        yield from convergence_figures(table, order)
        yield from cost_figures(table, order)
        yield from kernel_figures(table, order)
        own = (analysis for analysis in analyses if analysis.table == table.key)
        yield from confusion_figures(table, own, order)
    yield from rank_figures(rankings(study), order)
