"""How soon heads reach the baseline's plateau, in words: `23 % fewer epochs`."""

from __future__ import annotations

import math

from wisesr.report.last_epochs import LEAST, MOST
from wisesr.report.speed import SHARE, Pace, Speed
from wisesr.report.statistics.intervals import Interval
from wisesr.report.study import ReportTable
from wisesr.report.tables.numbers import typographic
from wisesr.wording import count_of

_NONE = "\N{EN DASH}"
_GOAL = f"{100 * SHARE:.0f} % of {{other}}'s plateau"
_HOW = (
    "How soon a head is at {goal}. The plateau is the mean {split} top-1 of {other} with the same seed over its last epochs: a "
    f"tenth of all, at least {LEAST} and at most {MOST}. Both curves are smoothed alike, by the least-squares fit that never "
    "falls up to their highest stretch of as many epochs. Epochs and seconds are geometric means over shared seeds; "
    "the interval is a paired t over the logarithms of their ratios, not corrected for the number of heads. Where a head "
    "never got there with a seed, all its epochs count for that seed: the figure is then a lower bound "
    "(\N{GREATER-THAN OR EQUAL TO}), without an interval. Top-1 on the way: the mean over all epochs, less that of {other}, in "
    "points."
)
_FEW = "Fewer than three seeds have no interval: their figures are of these trainings and say nothing about the heads."


def percent_change(log_ratio: float) -> float:
    """-23.0 of the logarithm of 0.77."""
    return 100.0 * math.expm1(log_ratio)


def change(pace: Pace | None, *, bound: bool) -> str:
    """`-23 %`, with a minus sign; `>= +12 %` of a lower bound; a dash of nothing."""
    return _NONE if pace is None else typographic(("\N{GREATER-THAN OR EQUAL TO} " if bound else "") + _signed(pace.ratio.mean))


def change_interval(ratio: Interval) -> str:
    """`-35 to -9 %`, with minus signs; a dash where there is none."""
    if ratio.low is None or ratio.high is None:
        return _NONE
    return typographic(f"{_signed(ratio.low).removesuffix(' %')} to {_signed(ratio.high)}")


def speed_sentence(speed: Speed) -> str:
    """`wise is at 95 % of gap's plateau in 23 % fewer epochs (34.6 against 44.9; 95 % interval ...; 5 seeds).`

    With fewer than three seeds, or where a seed never got there, the sentence has no interval, and says why.
    """
    head, goal, pace = speed.entry.head, _GOAL.format(other=speed.other.head), speed.epochs
    if pace is None:
        return f"How soon {head} is at {goal} cannot be said: {speed.why_not}."
    seeds, ratio = count_of(len(speed.seeds), "seed"), pace.ratio
    if speed.censored:
        return f"{head} got to {goal} with {len(speed.reached)} of {seeds}, so that its speed has no interval."
    epochs = f"{pace.own:.1f} against {pace.other:.1f}"
    if ratio.low is None or ratio.high is None:
        return f"{head} is at {goal} in {_more_or_fewer(ratio.mean)} epochs ({epochs}; {seeds}, no interval)."
    between = f"{_more_or_fewer(ratio.low)} to {_more_or_fewer(ratio.high)}"
    return f"{head} is at {goal} in {_more_or_fewer(ratio.mean)} epochs ({epochs}; 95 % interval {between}; {seeds})."


def how_measured(table: ReportTable, speeds: tuple[Speed, ...]) -> list[str]:
    """What the figures of a table's speeds are; nothing where there are none."""
    answered = [speed for speed in speeds if speed.epochs is not None]
    if not answered:
        return []
    split = "test" if table.protocol == "paper" else "validation"
    how = _HOW.format(goal=_GOAL.format(other=table.baseline), other=table.baseline, split=split)
    return [how] + [_FEW] * any(len(speed.seeds) < 3 for speed in answered)


def _signed(log_ratio: float) -> str:
    """`-23 %`; what rounds to 0 has no sign."""
    text = f"{percent_change(log_ratio):+.0f} %"
    return "0 %" if text in ("+0 %", "-0 %") else text


def _more_or_fewer(log_ratio: float) -> str:
    """`23 % fewer`."""
    percent = percent_change(log_ratio)
    return f"{abs(percent):.0f} % {'fewer' if percent < 0 else 'more'}"
