"""How soon heads reach the baseline's plateau, in words: `-23 %`, and what that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wisesr.report.costs import read_by
from wisesr.report.differences import SEEDS
from wisesr.report.last_epochs import LEAST, MOST
from wisesr.report.speed import SHARE, Pace, Speed
from wisesr.report.study import ReportTable
from wisesr.report.tables.numbers import EN_DASH, typographic
from wisesr.results.reading import WORDS
from wisesr.statistics.intervals import Interval

_GOAL = f"{100 * SHARE:.0f} % of {{other}}'s plateau"
_HOW = (
    "How soon a head is at {goal}. The plateau is the mean {split} top-1 of {other} with the same seed over its last "
    f"epochs: a tenth of all, at least {LEAST} and at most {MOST}. Both curves are smoothed alike, by the least-squares fit "
    "that never falls up to their highest stretch of as many epochs. Epochs and seconds are geometric means over the seeds "
    "that both have. Intervals are of a paired t over seeds (epochs and seconds: over the logarithms of the ratios), not "
    "corrected for the number of heads."
)
_BOUND = (
    "Where a head never got there with a seed, all its epochs count for that seed: the figure is then a lower bound "
    "(\N{GREATER-THAN OR EQUAL TO}), without an interval."
)
_REPLICATED = "Seeds are replicates or folds with images of their own: in place of the paired t is the corrected resampled t."
_FEW = "Fewer than three seeds have no interval: their figures are of these trainings and say nothing about the heads."


def percent_change(log_ratio: float) -> float:
    """-23.0 of the logarithm of 0.77."""
    return 100.0 * math.expm1(log_ratio)


def change(pace: Pace, *, bound: bool) -> str:
    """`-23 %`, with a minus sign; `>= +12 %` of a lower bound; a dash of a bound below 0: it would look faster."""
    if bound and pace.ratio.mean < 0:
        return EN_DASH
    return typographic(("\N{GREATER-THAN OR EQUAL TO} " if bound else "") + _signed(pace.ratio.mean))


def change_interval(ratio: Interval) -> str:
    """`-35 to -9 %`, with minus signs; a dash where there is none."""
    if ratio.low is None or ratio.high is None:
        return EN_DASH
    return typographic(f"{_signed(ratio.low).removesuffix(' %')} to {_signed(ratio.high)}")


def how_measured(table: ReportTable, speeds: Sequence[Speed]) -> list[str]:
    """What the figures of a row's speeds are; why there are none, where no head has any."""
    answered = [speed for speed in speeds if speed.epochs is not None]
    if not answered:
        reasons = dict.fromkeys(speed.why_not for speed in speeds)
        return [_no_answer([speed for speed in speeds if speed.why_not == reason]) for reason in reasons]
    split = "test" if table.protocol == "paper" else "validation"
    how = _HOW.format(goal=_GOAL.format(other=table.baseline), other=table.baseline, split=split)
    said = (
        (_REPLICATED, any(speed.replicated for speed in answered)),
        (_BOUND, any(speed.censored for speed in answered)),
        (_FEW, any(len(speed.seeds) < SEEDS for speed in answered)),
    )
    return [how, *(text for text, applies in said if applies), *_other_work(answered)]


def _other_work(speeds: Sequence[Speed]) -> list[str]:
    """Heads without seconds, as their epochs began with something else than the other's."""
    heads: dict[tuple[str, str], list[str]] = {}
    for speed in speeds:
        own, other = (tuple(sorted(set(map(read_by, entry.cells)))) for entry in (speed.entry, speed.other))
        if own != other or len(own) > 1:
            heads.setdefault((_in_words(own), _in_words(other)), []).append(speed.entry.head)
    return [
        f"No seconds of {', '.join(names)}: epochs began with {own}, those of {speeds[0].other.head} with {other}."
        for (own, other), names in heads.items()
    ]


def _in_words(reads: Sequence[str]) -> str:
    return " or ".join(WORDS.get(read, read) for read in reads)


def _no_answer(speeds: Sequence[Speed]) -> str:
    """Of heads that have none for one reason."""
    heads, goal = [speed.entry.head for speed in speeds], _GOAL.format(other=speeds[0].other.head)
    return f"How soon {', '.join(heads)} {'is' if len(heads) == 1 else 'are'} at {goal} cannot be said: {speeds[0].why_not}."


def _signed(log_ratio: float) -> str:
    """`-23 %`; what rounds to 0 has no sign."""
    text = f"{percent_change(log_ratio):+.0f} %"
    return "0 %" if text in ("+0 %", "-0 %") else text
