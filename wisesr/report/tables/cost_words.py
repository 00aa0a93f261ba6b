"""What a head costs more than the baseline, in words."""

from __future__ import annotations

import math

from wisesr.report.costs import Costs
from wisesr.report.tables.numbers import signed, typographic

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
    if any(cost.step_ms is not None for cost in costs.costs):
        text = f"Times are of {costs.machine}; cells that shared it with others are slower for it."
        others = f" Times on {'; '.join(costs.others)} are not shown: they cannot be compared." if costs.others else ""
        sentences.append(text + others)
    return sentences
