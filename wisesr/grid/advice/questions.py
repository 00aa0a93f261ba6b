"""What the rows of a grid leave open, whatever its maps: too few repetitions, one learning rate, no baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wisesr.grid.advice.costs import Costs, More
from wisesr.grid.advice.rows import REPETITIONS, Member, Row, Run
from wisesr.wording import some_of

BASELINE = "gap"
"""What the report compares heads with, where it is not told otherwise."""
_TOO_FEW = 2
"""Repetitions from which no interval worth the name comes: a paired t of two has one degree of freedom."""
_ENOUGH = 5
_APART = 3
"""Between one learning rate and the next, about."""
_NAMES = 3


def repetitions(rows: Sequence[Row], costs: Costs) -> str | None:
    """That heads cannot be told from chance by one or two seeds, and what five cost."""
    short = [(row, member) for row in rows if row.names - {BASELINE} for member in _variants(row) if _few(row, member)]
    if not short:
        return None
    key = _repeated_by(member for _, member in short)
    there = {tuple(sorted(_numbers(key, row.runs(member)))) for row, member in short}
    enough = short[0][1].config["dataset"]["folds"] if key == "dataset.fold" else _ENOUGH
    wanted = _fill(there.pop() if len(there) == 1 else (), enough)
    more = [(member.config, enough - len(row.runs(member))) for row, member in short]
    fewest = min(len(row.runs(member)) for row, member in short)
    word = key.rpartition(".")[2]
    have = f"One {word}" if fewest == 1 else f"Two {word}s"
    listed = ",".join(map(str, wanted))
    return f"{have} cannot tell a better head from chance; {key}={listed} can, if it is much better: {costs.text(more)}."


def rates(rows: Sequence[Row], costs: Costs) -> str | None:
    """That one learning rate for all heads may be what differs between them, and what three cost."""
    fixed = [row for row in rows if len(row.names) > 1 and len({member.rates for member in row.members}) == 1]
    fixed = [row for row in fixed if isinstance(row.asked[0].rates[0], float | int)]
    if not fixed:
        return None
    found = sorted({row.asked[0].rates[0] for row in fixed})
    more: More = [(member.config, 3 if _on_test(row) else 2) for row in fixed for member in _once(row)]
    way = f"recipe.optimizer.lr={_around(found[0])}" if len(found) == 1 else "three values of recipe.optimizer.lr"
    if any(map(_on_test, fixed)):
        way += " with protocol=holdout"
    return f"What differs may be the one learning rate of all heads; {way} would tell: {costs.text(more)}."


def baseline(rows: Sequence[Row], costs: Costs) -> str | None:
    """That there is nothing to compare with, and what the baseline costs."""
    without = [row for row in rows if BASELINE not in row.names]
    if not without:
        return None
    names = list(dict.fromkeys(member.config["head"]["name"] for row in without for member in row.asked))
    more = [(member.config, 1) for row in without for member in _once(row, by_head=False)]
    given = f"head={','.join([BASELINE, *names])}" if len(names) <= _NAMES else f"{BASELINE} beside the others in head="
    return (
        f"Without {BASELINE}, the baseline, nothing says what {some_of(names, _NAMES)} gained; {given} adds it: "
        f"{costs.text(more)}."
    )


def _on_test(row: Row) -> bool:
    """Whether a row looks at the test images every epoch: a rate that is chosen there would be part of the result."""
    return bool(row.asked[0].config["protocol"] == "paper")


def _variants(row: Row) -> list[Member]:
    """One of the command's cells for each head and rate."""
    return list({(member.head, member.rates): member for member in row.asked}.values())


def _few(row: Row, member: Member) -> bool:
    return len(row.runs(member)) <= _TOO_FEW


def _once(row: Row, *, by_head: bool = True) -> list[Member]:
    """One of the command's cells for each repetition, of each head or of any."""
    return list({(member.head * by_head, member.run, member.rates): member for member in row.asked}.values())


def _repeated_by(members: Iterable[Member]) -> str:
    """The key that is to be swept: `dataset.fold` or `replicate` where the command has it, else `seed`."""
    configs = [member.config for member in members]
    if any(config["dataset"].get("fold") is not None and config["dataset"]["folds"] > _TOO_FEW for config in configs):
        return "dataset.fold"
    return "replicate" if any(config.get("replicate") is not None for config in configs) else "seed"


def _numbers(key: str, runs: Iterable[Run]) -> set[int]:
    """Of repetitions by a key; of replicates the seed is their number."""
    return {run[REPETITIONS.index(key if key in REPETITIONS else "seed")] for run in runs}


def _fill(there: Sequence[int], enough: int) -> list[int]:
    """So many numbers, those that are there among them and the smallest that are not."""
    missing = (number for number in range(enough + len(there)) if number not in there)
    return sorted([*there, *(next(missing) for _ in range(enough - len(there)))])


def _around(rate: float) -> str:
    """`0.0003,0.001,0.003`, `0.015,0.045,0.135`: a third and three times, as round as the rate itself."""
    digits = 1 if float(f"{rate:.1g}") == rate else 3
    return ",".join(f"{float(f'{value:.{digits}g}'):g}" for value in (rate / _APART, rate, rate * _APART))
