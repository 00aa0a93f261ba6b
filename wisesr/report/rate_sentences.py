"""What is to be said of the learning rates at which the heads of a row were tried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from wisesr.report.rates import ChosenRates
from wisesr.report.study import ReportCell
from wisesr.results.state import State
from wisesr.wording import some_of

Cells = Mapping[str, Sequence[ReportCell]]
"""All cells of each head of a row, finished or not."""
_NAMES = 4


def rate_notes(choices: Mapping[str, ChosenRates], cells: Cells) -> list[str]:
    """How rates were chosen; nothing where each head was tried at one."""
    counts = sorted({len(_tried(cells[head])) for head, choice in choices.items() if choice.tried})
    notes = []
    if counts:
        numbers = " or ".join(map(str, counts))
        notes.append(f"each seed of a head stands at the best of {numbers} rates, chosen on validation (top-1, then loss).")
    return notes + [f"{head} {note}." for head, choice in choices.items() for note in choice.notes]


def rate_warnings(choices: Mapping[str, ChosenRates], cells: Cells) -> list[str]:
    """Where the choice of rates favours a head, or may."""
    tried = {head: _tried(own) for head, own in cells.items()}
    warnings = [more] if (more := _more_tries({head: len(own) for head, own in tried.items()})) else []
    if not warnings and len(set(tried.values())) > 1:
        rates = "; ".join(f"{head}: {', '.join(own)}" for head, own in tried.items())
        warnings.append(f"heads were not tried at the same rates ({rates}).")
    if not warnings:
        warnings += _uneven_seeds(cells)
    paper = any(cell.place.protocol == "paper" for choice in choices.values() for cell in choice.cells)
    if paper and any(choice.tried for choice in choices.values()):
        warnings.append("rates were chosen on the test images themselves (protocol=paper): each figure is the best of several.")
    return warnings + [f"{head} {warning}." for head, choice in choices.items() for warning in choice.warnings]


def _tried(cells: Sequence[ReportCell]) -> tuple[str, ...]:
    """Rates of one head that came to an end, by success or failure."""
    return tuple(sorted({cell.place.rate for cell in cells if cell.record is not None or cell.state is State.FAILED}))


def _more_tries(counts: Mapping[str, int]) -> str:
    """Of heads by their number of tries: that these differ; empty where they do not."""
    heads: dict[int, list[str]] = defaultdict(list)
    for head, count in counts.items():
        heads[count].append(head)
    if len(heads) < 2:
        return ""
    most, *others = sorted(heads, reverse=True)
    first = f"{some_of(heads[most], _NAMES)} {'was' if len(heads[most]) == 1 else 'were'} tried at {most} rates"
    rest = (f"{some_of(heads[count], _NAMES)} at {count}" for count in others)
    return f"{', '.join((first, *rest))}: more tries find more, and a difference may be one of tries."


def _uneven_seeds(cells: Cells) -> Iterator[str]:
    """Where some seeds have more rates of one head than of another: each seed is compared with itself.

    What is still to be finished counts, as it will be tried; that it is not finished is said elsewhere.
    """
    by_seed: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for head, own in cells.items():
        for cell in own:
            by_seed[cell.place.seed][head].add(cell.place.rate)
    seeds: dict[str, list[str]] = defaultdict(list)
    for seed in sorted(by_seed):
        if uneven := _more_tries({head: len(rates) for head, rates in by_seed[seed].items()}):
            seeds[uneven].append(str(seed))
    for sentence, own_seeds in seeds.items():
        yield f"with seed{'s' * (len(own_seeds) > 1)} {', '.join(own_seeds)} {sentence}"
