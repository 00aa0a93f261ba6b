"""What is said of a table in sentences: how its figures came about, and what the differences show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from wisesr.report.differences import FEW_SEEDS
from wisesr.report.study import Difference, Entry, ReportTable, Study
from wisesr.report.tables.numbers import signed, typographic
from wisesr.results.state import State
from wisesr.wording import count_of

STAR = "*"
IMAGES = "says nothing about the heads"

_MEANS = "Test top-1 in percent: mean ± standard deviation over seeds (number of seeds)."
_BEST = "Bold: the highest mean over the seeds that all heads of a row have; it is not tested against the others."
_SEEDS = (
    "Differences to {baseline} over seeds are in percentage points and paired by seed, as the same seed means the same batches "
    "and augmentation: two-sided paired t-test, on this test set and these splits. p after Holm is corrected over the "
    "{family} tested against {baseline} on one backbone and settings. {star} p after Holm below 0.05."
)
_IMAGES = (
    "Where two heads share fewer than three seeds, the interval is that between two trained models over the test images, taken "
    f"as independent of one another (Agresti & Min 2005): it {IMAGES}, as other seeds give other models."
)


def legend(table: ReportTable) -> list[str]:
    """What stands at a place of the matrix."""
    return [_MEANS] + [_BEST] * any(entry.best for entry in table.entries)


def difference_sentences(table: ReportTable, star: str = STAR) -> list[str]:
    """What the differences of a table are, and which conclusions they allow; `star` marks a significant one."""
    kinds = {entry.difference.kind for entry in table.entries if entry.difference is not None}
    over_seeds = [_SEEDS.format(baseline=table.baseline, family=_family(table), star=star)] if "seeds" in kinds else []
    return over_seeds + [_IMAGES] * ("images" in kinds)


def _family(table: ReportTable) -> str:
    """`3 heads`, `2 to 4 heads`."""
    sizes = {
        sum(entry.difference is not None and entry.difference.kind == "seeds" for entry in group)
        for group in table.groups().values()
    } - {0}
    low, high = min(sizes), max(sizes)
    return f"{low} to {high} heads" if low < high else count_of(low, "head")


def method_sentences(table: ReportTable) -> list[str]:
    """How the figures came about."""
    if not table.entries:
        return ["No cell of this table is finished."]
    return [f"Epochs: {'; '.join(table.selections)}.", *legend(table), *difference_sentences(table)]


def remark(difference: Difference | None) -> str:
    """What is to be said of a difference beside its figures; empty where that is nothing."""
    if difference is None:
        return ""
    parts = [f"two models over the test images: {IMAGES}"] if difference.kind == "images" else []
    return "; ".join([*parts, difference.note] if difference.note else parts)


def entry_name(table: ReportTable, entry: Entry) -> str:
    """An entry's head, with backbone and settings where the table has several of these."""
    return entry.label if len(table.groups()) > 1 else entry.head


def verdict(table: ReportTable) -> str:
    """What the differences show, in a sentence or two; empty where nothing was compared."""
    compared = [(entry, entry.difference) for entry in table.entries if entry.difference is not None]
    judged = [(entry, difference) for entry, difference in compared if difference.p_holm is not None]
    if not compared:
        return ""
    if not judged:
        if any(difference.kind == "seeds" for _, difference in compared):
            return f"No comparison with {table.baseline} could be tested: over seeds, all differences of a head are equal."
        return f"No head shares three seeds with {table.baseline}: nothing here says whether a head is better or worse."
    return _significance(table, judged)


def _significance(table: ReportTable, judged: list[tuple[Entry, Difference]]) -> str:
    """How many of the tested comparisons are significant, and which."""
    significant = [(entry, difference) for entry, difference in judged if difference.significant]
    points = ", ".join(
        f"{entry_name(table, entry)} {typographic(signed(difference.mean))}" for entry, difference in significant
    )
    few = min((len(difference.seeds) for _, difference in judged if not difference.significant), default=FEW_SEEDS)
    weak = f" With {few} seeds there is little power: an effect may well be missed." if few < FEW_SEEDS else ""
    if len(judged) == 1:
        result = f"is significant at 5 %: {points} points" if significant else "is not significant at 5 %"
        return f"The one comparison with {table.baseline} over seeds {result}.{'' if significant else weak}"
    comparisons = f"{len(judged)} comparisons with {table.baseline} over seeds"
    if not significant:
        return f"None of the {comparisons} is significant at 5 % after Holm.{weak}"
    if len(significant) == len(judged):
        return f"All {comparisons} are significant at 5 % after Holm: {points} points."
    verb = "is" if len(significant) == 1 else "are"
    return f"Of {comparisons}, {len(significant)} {verb} significant at 5 % after Holm: {points} points.{weak}"


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
