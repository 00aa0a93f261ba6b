"""What is said of a table in sentences: how its figures came about, and what the differences show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from wisesr.report.difference import Difference
from wisesr.report.study import Entry, ReportTable
from wisesr.report.whole_study import Study
from wisesr.results.state import State
from wisesr.wording import count_of

STAR = "*"
IMAGES = "says nothing about the heads"

PAPER = (
    "protocol=paper: each figure is the highest that any epoch had on the test images, so a head whose accuracy moves more "
    "from epoch to epoch gains by it; a star needs the mean over the last epochs, too."
)
"""The caveat of a protocol whose epoch is chosen on the test images: it stands wherever its figures do."""
_MEANS = "Test {title}: mean ± standard deviation over seeds (number of seeds)."
_BEST = "Bold: the {best} mean over the seeds that all heads beside it have; it is not tested against the others."
_SEEDS = (
    "Differences to {baseline} are in {unit} and paired by seed, as the same seed means the same batches and "
    "augmentation. The 95 % interval is for other seeds and other test images of the same kind"
)
_PAIRED = "; that of the paired t-test is for other seeds on these images. Neither is corrected for the number of comparisons."
_UNPAIRED = ", and not corrected for the number of comparisons."
"""Of a table without the intervals of the paired t-test."""
_REPLICATES = (
    "Differences to {baseline} are in {unit} and paired by replicate or fold. As their test images differ and their "
    "training images overlap, interval and p are of the corrected resampled t (Nadeau & Bengio 2003), for other images of the "
    "same kind and other seeds. The interval is not corrected for the number of comparisons."
)
_STARS = (
    "{star}: {tests} the hypothesis of no difference at 5 %, after Holm over {family}. Detectable is the true difference that "
    "would get a star with a probability of 80 % if no other comparison had one."
)
_IMAGES = (
    "Where two heads share fewer than three seeds, the difference is that between their trained models, with an interval over "
    f"the test images (Agresti & Min 2005): it {IMAGES}, as other seeds give other models."
)


def legend(table: ReportTable) -> list[str]:
    """What stands at a place of the matrix."""
    best = [_BEST.format(best=_best(table))] * any(entry.best for entry in table.entries)
    return [_MEANS.format(title=table.metric.title), *best]


def _best(table: ReportTable) -> str:
    return "highest" if table.metric.higher_is_better else "lowest"


def difference_sentences(table: ReportTable, star: str = STAR, *, paired: bool = True) -> list[str]:
    """What the differences of a table are, and which conclusions they allow.

    Args:
        table: with its differences.
        star: marks a significant one.
        paired: whether intervals of the paired t-test are shown beside.
    """
    kinds = {entry.difference.kind for entry in table.entries if entry.difference is not None}
    seeds = _SEEDS + (_PAIRED if paired else _UNPAIRED)
    pairing = (_REPLICATES if _resampled(table) else seeds).format(baseline=table.baseline, unit=table.metric.unit)
    return [pairing, _stars(table, star)] * ("seeds" in kinds) + [_IMAGES] * ("images" in kinds)


def _resampled(table: ReportTable) -> bool:
    """Whether test images differ between replicates or folds."""
    return any(entry.difference is not None and entry.difference.replicated for entry in table.entries)


def _stars(table: ReportTable, star: str) -> str:
    last = ", and that of the mean over the last epochs," if table.protocol == "paper" else ""
    tests = "the test" if _resampled(table) else "both tests"
    verb = "rejects" if _resampled(table) and not last else "reject"
    family = f"all {table.tests:,} comparisons of the study" if table.tests > 1 else "the one comparison of the study"
    return _STARS.format(star=star, tests=f"{tests}{last} {verb}", family=family)


def method_sentences(table: ReportTable) -> list[str]:
    """How the figures came about."""
    if not table.entries:
        return ["No cell of this table is finished."]
    return [f"Epochs: {'; '.join(table.selections)}.", *legend(table), *difference_sentences(table)]


def remark(difference: Difference | None) -> str:
    """What is to be said of a difference beside its figures; empty where that is nothing."""
    if difference is None:
        return ""
    models = "two trained models" if len(difference.seeds) == 1 else "four trained models"
    parts = [f"{models} over the test images: {IMAGES}"] if difference.kind == "images" else []
    return "; ".join([*parts, difference.note] if difference.note else parts)


def entry_name(table: ReportTable, entry: Entry) -> str:
    """An entry's head, with backbone and settings where the table has several of these."""
    return entry.label if len(table.groups()) > 1 else entry.head


def by_state(states: Iterable[State]) -> list[tuple[State, int]]:
    """How many cells are in each state: done first, then by name."""
    return sorted(Counter(states).items(), key=lambda item: (item[0] != State.DONE, item[0]))


def count_states(states: Iterable[State]) -> str:
    """`20 cells: 14 done, 2 training, 4 waiting`."""
    counts = by_state(states)
    total = count_of(sum(number for _, number in counts), "cell")
    return f"{total}: {', '.join(f'{number:,} {state}' for state, number in counts)}"


def study_states(study: Study) -> str:
    """`20 cells: 14 done, 2 training, 4 waiting`; what could not be read is counted too."""
    return count_states([*(cell.state for cell in study.cells), *(cell.state for cell in study.damaged)])
