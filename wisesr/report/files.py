"""The files that stand beside a report's page: tables as CSV, Markdown and LaTeX, figures as SVG, PNG and PDF."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from wisesr.report.figures import Figure, for_files
from wisesr.report.figures.render import FigureWidth, render
from wisesr.report.tables.cells_csv import cells_csv
from wisesr.report.tables.latex import Made, latex_files
from wisesr.report.tables.markdown import markdown
from wisesr.report.whole_study import Study
from wisesr.results.atomic_files import write_text
from wisesr.wording import count_of, some_of

Tracked = Callable[[Iterable[Any], int, str], Iterator[Any]]
"""Items, how many, what is done with them."""
_SHOWN = 3
"""Figures that are named of those that are too wide."""


def write_tables(folder: Path, study: Study, made: Made) -> None:
    """A row a cell as CSV; the tables as Markdown, and as LaTeX, one a file."""
    write_text(folder / "cells.csv", cells_csv(study), durable=False)
    write_text(folder / "tables.md", markdown(study), durable=False)
    (folder / "tables").mkdir()
    for name, text in latex_files(study, made):
        write_text(folder / "tables" / f"{name}.tex", text, durable=False)


def write_figures(folder: Path, figures: Sequence[Figure], width: FigureWidth, tracked: Tracked) -> list[str]:
    """SVG, PNG and PDF of each, light, as papers and slides want them."""
    static = for_files(figures)
    folder.mkdir()
    wider: list[str] = []
    for figure in tracked(static, len(static), "drawing figures"):
        picture = render(figure.spec, width=width)
        write_text(folder / f"{figure.key}.svg", picture.svg, durable=False)
        (folder / f"{figure.key}.png").write_bytes(picture.png)
        (folder / f"{figure.key}.pdf").write_bytes(picture.pdf)
        wider += [] if picture.fits else [figure.key]
    rest = len(figures) - len(static)
    notes = [f"{len(static)} figures are files in figures/ too; {rest} more are in this page only."] if rest else []
    if wider:
        what = f"{count_of(len(wider), 'figure')} in figures/ {'is' if len(wider) == 1 else 'are'} wider than a column"
        notes.append(f"{what}, and would not be legible in one: {some_of(wider, _SHOWN)}.")
    return notes


def written_files(folder: Path) -> dict[str, str]:
    """The files below a folder by their paths from it: those of LaTeX with their text, others with none."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") if path.suffix == ".tex" else "" for path in files
    }
