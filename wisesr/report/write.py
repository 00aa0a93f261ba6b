"""All files of a report: the page, the tables, the figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from PIL import Image

from wisesr.report.figures import Figure, all_figures, for_files
from wisesr.report.figures.render import render
from wisesr.report.missing_parts import missing_parts
from wisesr.report.output_folder import replace_report
from wisesr.report.page.blocks import blocks, shown_images
from wisesr.report.page.document import render_page
from wisesr.report.pictures import pictures as make_pictures
from wisesr.report.prediction_analysis import PredictionAnalysis, analyse_predictions
from wisesr.report.study import Study
from wisesr.report.tables.cells_csv import cells_csv
from wisesr.report.tables.latex import latex
from wisesr.report.tables.markdown import markdown
from wisesr.results.files import write_text

PAGE = "index.html"
ROOM = 4 << 20
"""Bytes of all pictures of test images together."""

Item = TypeVar("Item")
Tracked = Callable[[Iterable[Item], int, str], Iterator[Item]]
"""Items, how many, what is done with them."""
Load = Callable[[str], Image.Image]
"""The test image of a name."""
Pictures = Callable[[Mapping[str, Any], str], "Load | str"]
"""From a configuration and the fingerprint of its data to its images, or why these cannot be had."""


class Written(NamedTuple):
    """What was written."""

    page: Path
    notes: tuple[str, ...]
    """What the report does not have, and why."""


def write_report(
    study: Study, output: Path, *, command: str, version: str, pictures: Pictures | None, tracked: Tracked[Any]
) -> Written:
    """Write a report into its folder, in the place of the one that is there.

    Args:
        study: that is reported.
        output: the folder, which `output_folder.check_folder` has accepted.
        command: that makes the report.
        version: of wisesr.
        pictures: where test images come from; None leaves them out.
        tracked: goes through items, and may show how far that is.

    Raises:
        UserError: another process writes there, or a file that is no report's is in the way.
    """
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    by = f"{made} by wisesr {version}"
    notes = [*study.notes, *_unread(study)]

    def write(folder: Path) -> dict[str, Any]:
        _write_tables(folder, study)
        groups = sum(len(table.groups()) for table in study.tables)
        judged = tuple(tracked(analyse_predictions(study), groups, "comparing predictions"))
        notes.extend(missing_parts(study, judged))
        figures = list(all_figures(study, judged))
        notes.extend(_write_figures(folder / "figures", figures, tracked))
        shown = _pictures(study, judged, pictures)
        notes.extend(shown.notes)
        page = render_page(
            study, figures, made=by, command=command, blocks=blocks(study, judged), pictures=shown.pictures, about=notes
        )
        write_text(folder / PAGE, page, durable=False)
        return {"wisesr": version, "made": made, "command": command, "page": PAGE, "notes": notes}

    replace_report(output, write)
    return Written(output / PAGE, tuple(notes))


def _unread(study: Study) -> list[str]:
    """That cells are in no table, for who looks at the terminal alone."""
    count = len(study.damaged)
    if not count:
        return []
    cells = "1 cell is" if count == 1 else f"{count} cells are"
    return [f"{cells} in no table, damaged or the same computation as another: index.html and tables.md list them."]


def _write_tables(folder: Path, study: Study) -> None:
    """A row a cell as CSV; the tables as Markdown, and as LaTeX, one a file."""
    write_text(folder / "cells.csv", cells_csv(study), durable=False)
    write_text(folder / "tables.md", markdown(study), durable=False)
    (folder / "tables").mkdir()
    for table in study.tables:
        write_text(folder / "tables" / f"{table.key}.tex", latex(table), durable=False)


def _write_figures(folder: Path, figures: Sequence[Figure], tracked: Tracked[Figure]) -> list[str]:
    """SVG and PNG of each, light, as papers and slides want them."""
    static = for_files(figures)
    folder.mkdir()
    for figure in tracked(static, len(static), "drawing figures"):
        picture = render(figure.spec)
        write_text(folder / f"{figure.key}.svg", picture.svg, durable=False)
        (folder / f"{figure.key}.png").write_bytes(picture.png)
    left = len(figures) - len(static)
    return [f"{len(static)} figures are files in figures/ too; {left} more are in this page only."] if left else []


class _Shown(NamedTuple):
    """Pictures of test images."""

    pictures: dict[str, dict[str, bytes]]
    """JPEG files, by the key of their table and their name."""
    notes: list[str]
    """What is not shown, and why."""


def _pictures(study: Study, judged: Sequence[PredictionAnalysis], source: Pictures | None) -> _Shown:
    """Of each table those that its disagreements show."""
    shown = _Shown({}, [])
    if source is None:
        return shown
    room = ROOM
    for table in study.tables:
        found = [(entry, ids) for key, entry, ids in shown_images(judged) if key == table.key]
        if not found:
            continue
        cell = found[0][0].cells[0]
        assert cell.record is not None
        load = source(cell.config, cell.record["provenance"]["data"]["fingerprint"])
        if isinstance(load, str):
            shown.notes.append(f"{table.title}: test images are not shown: {load}")
            continue
        its = make_pictures((name for _, ids in found for name in ids), load, room=room)
        shown.pictures[table.key] = its.jpegs
        room -= sum(map(len, its.jpegs.values()))
        if its.unread:
            shown.notes.append(f"{table.title}: {len(its.unread)} test images cannot be opened any more.")
        if its.left:
            shown.notes.append(f"{table.title}: {its.left} pictures are left out, as all may take {ROOM >> 20} MB.")
    return shown
