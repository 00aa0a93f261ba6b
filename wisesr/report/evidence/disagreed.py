"""Evidence for the true class of the test images on which a head and the baseline disagree: what is asked for, and shown.

What runs say is computed by who has torch, and written into a file for each cell; here the files are asked for and read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.report.disagreement import Case, Disagreement
from wisesr.report.evidence.rows import ByRun
from wisesr.report.prediction_analysis import PredictionAnalysis
from wisesr.report.study import Entry, ReportCell
from wisesr.report.whole_study import Study
from wisesr.results.explanation import Explanation, read_explanations

FOLDER = "evidence"
"""Of the report, for the files."""

EvidenceSource = Callable[[ReportCell, Mapping[str, str], Path], "str | None"]
"""From a cell, names of test images with their true classes and a path: writes there what the cell says of them
(`wisesr.results.explanation.write_explanations`), or answers why it cannot."""


class DisagreedCase(NamedTuple):
    """An image, and what both heads' models say of it."""

    case: Case
    runs: tuple[ByRun, ByRun]
    """The baseline's and the head's; what they are called is the head's name."""


class DisagreedEvidence(NamedTuple):
    """The images of one disagreement that both models explain."""

    entry: Entry
    baseline: str
    seed: int
    """Whose models these are: the first that both heads have."""
    better: tuple[DisagreedCase, ...]
    worse: tuple[DisagreedCase, ...]


class Pair(NamedTuple):
    """The two cells whose evidence a disagreement is shown with."""

    table: str
    disagreement: Disagreement
    baseline: ReportCell
    head: ReportCell

    @property
    def cases(self) -> tuple[Case, ...]:
        """Those of both sides."""
        return (*self.disagreement.better, *self.disagreement.worse)


def pairs(study: Study, analyses: Sequence[PredictionAnalysis]) -> list[Pair]:
    """The cells that are to explain themselves, of each disagreement that has images."""
    tables = {table.key: table for table in study.tables}
    found = []
    for analysis in analyses:
        for one in analysis.disagreements:
            entries = tables[analysis.table].groups()[one.entry.backbone, one.entry.settings]
            base = next(entry for entry in entries if entry.head == one.baseline)
            cells = [next(cell for cell in entry.cells if cell.place.seed == one.seeds[0]) for entry in (base, one.entry)]
            if one.better or one.worse:
                found.append(Pair(analysis.table, one, *cells))
    return found


def explained_cells(asked: Sequence[Pair]) -> dict[Path, tuple[ReportCell, dict[str, str]]]:
    """Each cell once, by its directory, with the names of its images and their true classes."""
    found: dict[Path, tuple[ReportCell, dict[str, str]]] = {}
    for pair in asked:
        for cell in (pair.baseline, pair.head):
            found.setdefault(cell.directory, (cell, {}))[1].update({case.id: case.label for case in pair.cases})
    return found


def explain_cells(
    cells: Iterable[tuple[ReportCell, dict[str, str]]], source: EvidenceSource, folder: Path
) -> tuple[dict[Path, dict[str, Explanation]], list[str]]:
    """What each cell says, by its directory, read from the file that the source wrote; sentences on cells that say nothing."""
    folder.mkdir()
    found: dict[Path, dict[str, Explanation]] = {}
    notes: list[str] = []
    for number, (cell, images) in enumerate(cells):
        path = folder / f"{number:03d}-{re.sub(r'[^A-Za-z0-9_-]+', '-', cell.place.head)}-seed-{cell.place.seed}.npz"
        why = source(cell, images, path)
        explanations = None if why else read_explanations(path)
        if explanations:
            found[cell.directory] = explanations
        else:
            notes.append(f"The evidence of {cell.name} is not shown: {why or 'none of its images could be explained'}")
    return found, notes


def shown_evidence(pair: Pair, found: Mapping[Path, Mapping[str, Explanation]]) -> DisagreedEvidence | None:
    """What is shown of a disagreement; None where one of its cells, or no image, could be explained."""
    cells = (pair.baseline, pair.head)
    said = [found.get(cell.directory, {}) for cell in cells]

    def cases(side: tuple[Case, ...]) -> Iterator[DisagreedCase]:
        for case in side:
            if all(case.id in by_image for by_image in said):
                base, head = (
                    ByRun(cell.place.head, cell.config["trainer"]["precision"], by_image[case.id])
                    for cell, by_image in zip(cells, said, strict=True)
                )
                yield DisagreedCase(case, (base, head))

    one = pair.disagreement
    better, worse = tuple(cases(one.better)), tuple(cases(one.worse))
    seed = pair.head.place.seed
    return DisagreedEvidence(one.entry, one.baseline, seed, better, worse) if better or worse else None
