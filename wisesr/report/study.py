"""What a report is made of: cells as they were found, and the tables that compare those of them that may be compared.

Plain data, so that tables, figures and the page depend on nothing but this. Accuracies are in percent, differences in
points; a table's cells differ in nothing but backbone, head, settings and seed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.report.difference import Difference
from wisesr.report.tested_metrics import TOP1, Metric
from wisesr.results.record import Record
from wisesr.results.state import State
from wisesr.statistics.best_of import Search


class Place(NamedTuple):
    """Where a cell stands in a study. What varies among its cells is part of a label; what does not vary is not."""

    dataset: str
    """`intel`, or `intel split_seed=1` where one dataset was read in several ways."""
    size: int
    """Of the images, px."""
    protocol: str
    """holdout or paper."""
    backbone: str
    """`resnet50`, or `resnet50 weights=package`."""
    settings: str
    """What else varies within the study: `recipe.epochs=9 augment=Standard`; empty where nothing does."""
    head: str
    """`wise`, or `wise dropout=0.5`."""
    rate: str
    """Learning rates that were tried: `lr=0.1`, `lr=0.1 head_lr_scale=10`; empty where there is one."""
    seed: int
    """Which repetition it is: also the fold, where the dataset has folds (`repetitions.SeedAndFold`)."""
    study: str = ""
    """Given where one directory with several studies is reported: each has its own tables then."""

    @property
    def label(self) -> str:
        """A cell within its table: `resnet18 wise lr=0.1 seed 3`."""
        parts = (self.backbone, self.settings, self.head, self.rate, f"seed {self.seed}")
        return " ".join(part for part in parts if part)


class ReportCell(NamedTuple):
    """A cell on disk, and its place among the others of the report."""

    directory: Path
    name: str
    """Its path below the reported directory."""
    state: State
    reason: str
    """Why it failed."""
    config: Mapping[str, Any]
    record: Record | None
    """Of a finished cell."""
    place: Place
    value: float | None = None
    """What is tested of it on the test split (`ReportTable.metric`) where that is not top-1."""
    shown_directory: str = ""
    """How the page names the directory, where that is not for others to know."""

    @property
    def finished_record(self) -> Record:
        """The record. Only of finished cells."""
        assert self.record is not None, f"{self.name} is not finished"
        return self.record

    @property
    def top1(self) -> float:
        """On the test split, of the chosen epoch, percent. Only of finished cells."""
        return 100.0 * self.finished_record.best.test_top1

    @property
    def tested(self) -> float:
        """The metric that is tested, of the chosen epoch on the test split; top-1 unless asked. Only of finished cells."""
        return self.top1 if self.value is None else self.value


class LastEpochs(NamedTuple):
    """Under protocol=paper: what an entry had at the end, without a choice of the epoch."""

    mean: float
    """Test top-1, a mean over the last epochs of each seed and then over seeds, percent."""
    std: float | None
    """Over seeds (n - 1), points; None of one seed."""
    epochs: int
    """How many last epochs of a seed, at most."""
    values: tuple[float, ...] = ()
    """Of each seed, as the entry's cells are, percent."""


class Entry(NamedTuple):
    """One backbone, settings and head: the cells of its seeds."""

    backbone: str
    settings: str
    head: str
    cells: tuple[ReportCell, ...]
    """By seed; with several rates those of the rate that was best on validation for this seed."""
    values: tuple[float, ...]
    """The metric of each on the test split; top-1 in percent."""
    mean: float
    std: float | None
    """Sample standard deviation over seeds (n - 1), points; None of one seed."""
    best: bool
    """Whether, of several heads of this backbone and settings, none has a higher mean over the seeds that all of them have."""
    difference: Difference | None
    """None of the baseline itself, and where there is no baseline to compare with."""
    published: float | None
    """Of the paper, percent, where the user has filled published.csv."""
    rate: str
    """The chosen ones: `lr=0.015 (4 seeds), lr=0.045 (1 seed)`; the only one where heads of the group stand at different
    rates; empty where no rate varies within the group."""
    tried: tuple[tuple[str, float, int], ...]
    """Each rate: its name, mean validation top-1 in percent, seeds. Empty where one was tried."""
    searches: tuple[Search, ...] = ()
    """The tries of each cell's seed, as the cells are. Empty where one rate was tried."""
    last: LastEpochs | None = None
    """Under protocol=paper, whose figures are the highest of all epochs; None elsewhere, and where a file cannot be read."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the cells, in order."""
        return tuple(cell.place.seed for cell in self.cells)

    @property
    def place(self) -> Place:
        """Of its first cell: all but `rate` and `seed` is that of the others, too."""
        return self.cells[0].place

    @property
    def group(self) -> str:
        """Backbone and settings: `resnet50 recipe.epochs=9`."""
        return " ".join(filter(None, (self.backbone, self.settings)))

    @property
    def label(self) -> str:
        """Backbone, settings and head in one line."""
        return f"{self.group} {self.head}"


class LeftOut(NamedTuple):
    """A finished cell that is in no comparison, or one that is not finished, or that is missing."""

    name: str
    """Its path, or where a missing one would stand: `resnet50 wise seed 4`."""
    state: State
    """MISSING and DAMAGED included."""
    reason: str
    place: Place | None = None
    """Where it would stand in a table; None of what could not be read."""


class ReportTable(NamedTuple):
    """All that was compared on one dataset at one resolution under one protocol."""

    key: str
    """Unique, fit for a file's name: `intel-224`, `intel-224-paper`."""
    title: str
    """`intel, 224 px`."""
    protocol: str
    selections: tuple[str, ...]
    """How epochs were chosen, in sentences; one, unless something is wrong."""
    baseline: str
    """The head that others are compared with, `gap`."""
    entries: tuple[Entry, ...]
    """By backbone and settings; in each in the order of `results.head_order`."""
    warnings: tuple[str, ...]
    """What differs beyond the axes, each a sentence: to stand in red above the table."""
    notes: tuple[str, ...]
    """What a reader should know: how rates were chosen, that last bits may differ, ..."""
    left_out: tuple[LeftOut, ...]
    """Cells of this dataset and resolution that the table does not show, and why."""
    metric: Metric = TOP1
    """Of the figures and differences."""
    tests: int = 0
    """Comparisons with a baseline over seeds, in all tables of this one's study: Holm corrects for their number."""

    def groups(self) -> dict[tuple[str, str], tuple[Entry, ...]]:
        """Backbone and settings to the entries of its heads: what is compared with one another."""
        groups: dict[tuple[str, str], tuple[Entry, ...]] = {}
        for entry in self.entries:
            key = (entry.backbone, entry.settings)
            groups[key] = (*groups.get(key, ()), entry)
        return groups
