"""All files of a report: the page, the tables, the figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from wisesr.report.evidence.block import DrawnEvidence, draw_evidence
from wisesr.report.evidence.disagreed import FOLDER, EvidenceSource, explain_cells, explained_cells, pairs, shown_evidence
from wisesr.report.figures import all_figures
from wisesr.report.figures.render import FigureWidth
from wisesr.report.files import Tracked, write_figures, write_tables, written_files
from wisesr.report.output_folder import replace_report
from wisesr.report.page.blocks import blocks, shown_images
from wisesr.report.page.document import render_page
from wisesr.report.page.formatting import html_name
from wisesr.report.pictures import pictures as make_pictures
from wisesr.report.prediction_analysis import PredictionAnalysis, analyse_predictions
from wisesr.report.tables.latex import Made
from wisesr.report.whole_study import Study
from wisesr.results.atomic_files import write_text
from wisesr.results.kernels import KERNELS
from wisesr.wording import count_of, some_of

PAGE = "index.html"
ROOM = 4 << 20
"""Bytes of all pictures of test images together."""
EVIDENCE_ROOM = 16 << 20
"""Letters of all evidence together."""
_SHOWN = 3
"""Cells that are named of those whose files are missing."""

Load = Callable[[str], Image.Image]
"""The test image of a name."""
ImageSource = Callable[[Mapping[str, Any], str], "Load | str"]
"""From a configuration and the fingerprint of its data to what loads its images, or why these cannot be had."""


class WrittenReport(NamedTuple):
    """A report on disk."""

    page: Path
    notes: tuple[str, ...]
    """What the report does not have, and why."""


def write_report(
    study: Study,
    output: Path,
    *,
    command: str,
    version: str,
    pictures: ImageSource | None,
    tracked: Tracked,
    evidence: EvidenceSource | None = None,
    figure_width: FigureWidth = "page",
) -> WrittenReport:
    """Write a report into its folder, in the place of the one that is there.

    Args:
        study: that is reported.
        output: the folder, which `output_folder.check_folder` has accepted.
        command: that makes the report.
        version: of wisesr.
        pictures: where test images come from; None leaves them out.
        tracked: goes through items, and may show how far that is.
        evidence: has cells say what spoke for the true classes of the images on which heads disagree; None leaves it out.
        figure_width: of the figures' files: of a page, or of a paper's column. Those on the page are as they are.

    Raises:
        UserError: another process writes there, or a file that is no report's is in the way.
    """
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    notes = [*study.notes, *_damaged_note(study)]

    def write(folder: Path) -> dict[str, Any]:
        write_tables(folder, study, Made(command, version))
        groups = sum(len(table.groups()) for table in study.tables)
        analyses = tuple(tracked(analyse_predictions(study), groups, "comparing predictions"))
        notes.extend(missing_parts(study, analyses))
        figures = list(all_figures(study, analyses))
        notes.extend(write_figures(folder / "figures", figures, figure_width, tracked))
        shown, not_shown = _pictures(study, analyses, pictures) if pictures else ({}, [])
        notes.extend(not_shown)
        drawn, not_drawn = _evidence(study, analyses, evidence, folder / FOLDER, tracked) if evidence else ({}, [])
        notes.extend(not_drawn)
        page = render_page(
            study,
            figures,
            made=f"{made} by wisesr {version}",
            command=command,
            blocks=blocks(study, analyses, drawn),
            pictures=shown,
            about=notes,
            files=written_files(folder),
        )
        write_text(folder / PAGE, page, durable=False)
        return {"wisesr": version, "made": made, "command": command, "page": PAGE, "notes": notes}

    replace_report(output, write)
    return WrittenReport(output / PAGE, tuple(notes))


def _damaged_note(study: Study) -> list[str]:
    """A note on cells that are in no table, for whoever reads the terminal alone."""
    count = len(study.damaged)
    if not count:
        return []
    cells = f"{count_of(count, 'cell')} {'is' if count == 1 else 'are'}"
    return [f"{cells} in no table, damaged or the same computation as another: index.html and tables.md list them."]


def missing_parts(study: Study, analyses: Iterable[PredictionAnalysis]) -> list[str]:
    """A sentence for each kind of file that cells of the tables lack, with their names."""
    cells = [cell for table in study.tables for entry in table.entries for cell in entry.cells]
    # Only heads that learn a depthwise kernel have the setting that constrains it.
    # Positions that are permuted for each image have none.
    heads = [(cell, cell.config["head"]) for cell in cells]
    learning = [cell for cell, head in heads if "non_negative" in head and head.get("shuffle") != "image"]
    sentences = []
    if kernels := [cell.name for cell in learning if not (cell.directory / KERNELS).exists()]:
        sentences.append(f"No kernels of {some_of(kernels, _SHOWN)}: they have no {KERNELS}.")
    if unread := [name for analysis in analyses for name in analysis.unread]:
        why = "predictions are absent, damaged, or of other images or classes than the others'"
        sentences.append(f"No confusion and disagreement of {some_of(unread, _SHOWN)}: {why}.")
    return sentences


def _pictures(
    study: Study, analyses: Sequence[PredictionAnalysis], source: ImageSource
) -> tuple[dict[str, dict[str, bytes]], list[str]]:
    """JPEG files of the test images that disagreements show, by the key of their table and their name; what is not shown."""
    shown: dict[str, dict[str, bytes]] = {}
    notes: list[str] = []
    room = ROOM
    for table in study.tables:
        of_table = [(entry, ids) for key, entry, ids in shown_images(analyses) if key == table.key]
        if not of_table:
            continue
        cell = of_table[0][0].cells[0]
        load = source(cell.config, cell.finished_record.provenance.data.fingerprint)
        if isinstance(load, str):
            notes.append(f"{table.title}: test images are not shown: {load}")
            continue
        made = make_pictures((name for _, ids in of_table for name in ids), load, room=room)
        shown[table.key] = made.jpegs
        room -= sum(map(len, made.jpegs.values()))
        if made.unread:
            notes.append(f"{table.title}: {count_of(len(made.unread), 'test image')} cannot be opened any more.")
        if made.without_room:
            left_out = f"{count_of(made.without_room, 'picture')} {'is' if made.without_room == 1 else 'are'} left out"
            notes.append(f"{table.title}: {left_out}, as all may take {ROOM >> 20} MB.")
    return shown, notes


def _evidence(
    study: Study, analyses: Sequence[PredictionAnalysis], source: EvidenceSource, folder: Path, tracked: Tracked
) -> tuple[dict[str, list[DrawnEvidence]], list[str]]:
    """What the heads' models say of the images that disagreements show, by the key of their table; what is not shown."""
    asked = pairs(study, analyses)
    cells = explained_cells(asked).values()
    found, notes = explain_cells(tracked(cells, len(cells), "explaining images"), source, folder)
    drawn: dict[str, list[DrawnEvidence]] = {}
    room = EVIDENCE_ROOM
    for number, pair in enumerate(asked):
        if shown := shown_evidence(pair, found):
            one = draw_evidence(shown, f"evidence-{html_name(pair.table)}-{number}", room=room)
            room -= one.size
            drawn.setdefault(pair.table, []).append(one)
    return drawn, notes
