"""What is said of a table in sentences: how its figures came about, and what the differences show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from wisesr.report.study import Difference, Entry, ReportTable, Study
from wisesr.report.tables.numbers import signed, typographic
from wisesr.results.state import State
from wisesr.wording import count_of, some_of

STAR = "*"
_NAMED = 6
"""Significant differences that a verdict names."""
IMAGES = "says nothing about the heads"

PAPER = (
    "protocol=paper: each figure is the highest that any epoch had on the test images, so a head whose accuracy moves more "
    "from epoch to epoch gains by it; a star needs the mean over the last epochs, too."
)
"""The caveat of a protocol whose epoch is chosen on the test images: it stands wherever its figures do."""
_MEANS = "Test top-1 in percent: mean ± standard deviation over seeds (number of seeds)."
_BEST = "Bold: the highest mean over the seeds that all heads of a row have; it is not tested against the others."
_SEEDS = (
    "Differences to {baseline} are in percentage points and paired by seed, as the same seed means the same batches and "
    "augmentation. The 95 % interval is for other seeds and other test images of the same kind; that of the paired t-test is "
    "for other seeds on these images. Neither is corrected for the number of comparisons."
)
_STARS = (
    "{star} {tests} no difference, each at 5 % after Holm over {family}. Detectable is the true difference that would "
    "get a star with a probability of 80 % if no other comparison had one."
)
_IMAGES = (
    "Where two heads share fewer than three seeds, the difference is that between their trained models, with an interval over "
    f"the test images (Agresti & Min 2005): it {IMAGES}, as other seeds give other models."
)


def legend(table: ReportTable) -> list[str]:
    """What stands at a place of the matrix."""
    return [_MEANS] + [_BEST] * any(entry.best for entry in table.entries)


def difference_sentences(table: ReportTable, star: str = STAR) -> list[str]:
    """What the differences of a table are, and which conclusions they allow; `star` marks a significant one."""
    kinds = {entry.difference.kind for entry in table.entries if entry.difference is not None}
    over_seeds = [_SEEDS.format(baseline=table.baseline), _stars(table, star)] if "seeds" in kinds else []
    return over_seeds + [_IMAGES] * ("images" in kinds)


def _stars(table: ReportTable, star: str) -> str:
    last = ", and that of the mean over the last epochs," if table.protocol == "paper" else ""
    family = f"all {table.tests:,} comparisons of the study" if table.tests > 1 else "the one comparison of the study"
    return _STARS.format(star=star, tests=f"both tests{last} reject", family=family)


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


def verdict(table: ReportTable) -> str:
    """What the differences show, in a sentence or two; empty where nothing was compared."""
    compared = [(entry, entry.difference) for entry in table.entries if entry.difference is not None]
    judged = [(entry, difference) for entry, difference in compared if difference.p_holm is not None]
    if not compared:
        return ""
    if not judged:
        if any(difference.kind == "seeds" for _, difference in compared):
            return f"No comparison with {table.baseline} could be tested: the remarks on differences say why."
        return f"No head shares three seeds with {table.baseline}: nothing here says whether a head is better or worse."
    return _significance(table, judged)


def _significance(table: ReportTable, judged: list[tuple[Entry, Difference]]) -> str:
    """How many of the tested comparisons are significant, and which; what could have been found of the others."""
    significant = [(entry, difference) for entry, difference in judged if difference.significant]
    found = [f"{entry_name(table, entry)} {typographic(signed(difference.mean))}" for entry, difference in significant]
    points = some_of(found, _NAMED)
    missed = _missed([difference for _, difference in judged if not difference.significant])
    after = f"after Holm over {count_of(table.tests, 'comparison')}" if table.tests > 1 else "(one comparison)"
    if len(judged) == 1:
        result = f"is significant at 5 % {after}: {points} points" if significant else f"is not significant at 5 % {after}"
        return f"The one comparison with {table.baseline} {result}.{missed}"
    comparisons = f"{len(judged)} comparisons with {table.baseline}"
    if not significant:
        return f"None of the {comparisons} is significant at 5 % {after}.{missed}"
    if len(significant) == len(judged):
        return f"All {comparisons} are significant at 5 % {after}: {points} points."
    verb = "is" if len(significant) == 1 else "are"
    return f"Of {comparisons}, {len(significant)} {verb} significant at 5 % {after}: {points} points.{missed}"


def _missed(differences: Sequence[Difference]) -> str:
    """What could have been found where nothing was."""
    found = [difference.detectable for difference in differences if difference.detectable is not None]
    if not found:
        return ""
    low, high = (f"{end:.1f}" for end in (min(found), max(found)))
    size = low if low == high else f"{low} to {high}"
    return f" That is no proof of equality: only true differences of {size} points or more would likely have been found."


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
