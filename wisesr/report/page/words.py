"""Numbers and sentences as the page has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wisesr.report.page.accuracy import Compared
from wisesr.report.study import Entry


def fixed(value: float, digits: int = 2) -> str:
    """`93.21`."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """`+1.42`; what rounds to 0 has no sign."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def p_value(value: float | None) -> str:
    """`0.012`; a dash where nothing was tested."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def slug(text: str) -> str:
    """For ids and classes: letters, digits, dashes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)


def seeds_told(entry: Entry) -> str:
    """A line a seed, for who points at a place of the matrix."""
    lines = [f"seed {seed}: {fixed(value)}" for seed, value in zip(entry.seeds, entry.values, strict=True)]
    return "\n".join([entry.label, *lines])


def what(compared: Compared) -> str:
    """What a row of the differences is, in words."""
    difference = compared.difference
    if difference is None:
        return "beside the published figure"
    if difference.kind == "seeds":
        text = "a paired t over seeds" if difference.p is not None else "over seeds"
    else:
        text = f"between two trained models (seed {difference.seeds[0]}) over the test images; says nothing about the heads"
    return f"{text}; {difference.note}" if difference.note else text


FILTERS: dict[str, Callable[..., Any]] = {
    "fixed": fixed,
    "signed": signed,
    "p_value": p_value,
    "slug": slug,
    "seeds_told": seeds_told,
    "what": what,
}
