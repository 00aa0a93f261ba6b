"""What a head costs more than the baseline, in words."""

from __future__ import annotations

import math

from wisesr.report.costs import Costs
from wisesr.report.tables.numbers import signed, typographic
from wisesr.results.reading import FILES, MAPS, WORDS

FLOPS = (
    "FLOPs are those of convolutions and matrix products in one image's forward pass, a multiply-add counted as two; averaging "
    "counts as zero."
)


def overhead(percent: float, *, measured: bool) -> str:
    """`+0.05 %`, `+3.2 %` of what was measured; with a minus sign.

    What was counted is exact, and heads may differ by a ten-thousandth of it: 0 is said of nothing but 0.

    Args:
        percent: more than the baseline.
        measured: whether it is a time, whose second digit says nothing.
    """
    if abs(percent) >= 1000:
        return f"{typographic(f'{percent:+,.0f}')} %"
    return f"{typographic(signed(percent, 1 if measured else _digits(percent)))} %"


def _digits(percent: float) -> int:
    """After the point: two significant ones of what is small."""
    size = abs(percent)
    if size == 0 or size >= 100:
        return 0
    return 1 if size >= 10 else 2 if size >= 0.1 else 1 - math.floor(math.log10(size))


def cost_sentences(costs: Costs) -> list[str]:
    """What a table of costs has as percent, and which machine its times are of."""
    sentences = []
    if any(cost.over for cost in costs.costs):
        sentences.append(
            f"Percent: what a head costs more than {costs.baseline} with the same backbone and settings, whose row has the "
            "figures themselves. Those of other heads are told where the pointer is."
        )
    return sentences + time_sentences(costs)


def time_sentences(costs: Costs) -> list[str]:
    """Where times were taken, what a step began with, and which are left out for it; none where there are no times."""
    if not costs.known_times:
        return []
    sentences = [f"Times are of {costs.machine}; cells that shared it with others are slower for it."]
    if costs.others:
        sentences.append(f"Times on {'; '.join(costs.others)} are not shown: they cannot be compared.")
    if "step_ms" in costs.known_times and costs.reads not in ((FILES,), ()):
        sentences.append(f"A step began with {' or '.join(WORDS.get(read, read) for read in costs.reads)}.")
        if len(costs.reads) > 1:
            sentences[-1] += (
                " One that began otherwise than most of its backbone's is other work, and left out; so is the percentage of "
                f"its head's other times over {costs.baseline}'s, which were taken at another moment."
            )
    if MAPS in costs.reads and costs.known_times != ("step_ms",):
        sentences.append(
            "Train and inference hold the backbone too: its pass over a batch, measured once for all cells that read its maps, "
            "and the head's own."
        )
    return sentences
