"""In which order heads stand, in every table, figure and legend: the baseline, the project's own, then the others.

A reader who knows one page finds the same head at the same place of the next. No option of Hydra's is read for it, so that the
records of other versions, and heads of a user's own, have their place too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wisesr.wording import natural_key

OWN = "wise"
"""The project's head; those whose names begin with it and an underscore are its variants."""
KNOWN = (
    *("wise", "wise_dropout"),
    *("wise_average", "wise_unconstrained", "wise_frozen", "wise_shuffled", "wise_shuffled_images"),
    *("depthwise_nonneg", "depthwise", "depthwise_average"),
    *("gap_dropout", "gap", "gap_scale", "gap_valid"),
    *("flatten", "gwap", "gem", "max", "avgmax", "lse", "attention", "gwap_attention", "simpool"),
    *("simpool_gamma", "fc"),
)
"""The paper's own head and its variant, other starts and controls of it, then what stands beside: the arms of the paper's
ablation and their controls first. A variant of the project's head that is not among these comes after those that are; any
other head last, by name."""


def in_order(heads: Iterable[str], baseline: str = "gap") -> tuple[str, ...]:
    """Each head once, in the order in which they are shown.

    Args:
        heads: names, or names with settings that tell variants apart: `wise dropout=0.5`.
        baseline: the head that others are compared with, first where it is among them.
    """
    return tuple(sorted(set(heads), key=lambda head: _place(head, baseline)))


def name_of(head: str) -> str:
    """The name alone, without settings."""
    return head.partition(" ")[0]


def _place(head: str, baseline: str) -> tuple[int, int, Any]:
    name, text = name_of(head), natural_key(head)
    if head == baseline:
        return 0, 0, text
    own = name == OWN or name.startswith(f"{OWN}_")
    known = KNOWN.index(name) if name in KNOWN else len(KNOWN)
    return (1 if own else 2), known, text
