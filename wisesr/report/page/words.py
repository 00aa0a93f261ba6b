"""Numbers and sentences as the page has them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from wisesr.report.study import Difference, Entry, LeftOut, ReportCell
from wisesr.report.tables import content

DASH = "\N{EN DASH}"
"""Where there is nothing."""


def fixed(value: float, digits: int = 2) -> str:
    """`93.21`."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float) -> str:
    """`+1.42`; what rounds to 0 has no sign."""
    return content.signed(value).replace("-", "\N{MINUS SIGN}")


def p_value(value: float | None) -> str:
    """`0.012`; a dash where nothing was tested."""
    return DASH if value is None else content.p_value(value)


def slug(text: str) -> str:
    """For ids and classes: letters, digits, dashes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)


def seeds_told(entry: Entry) -> str:
    """A line a seed, for who points at a place of the matrix."""
    lines = [f"seed {seed}: {fixed(value)}" for seed, value in zip(entry.seeds, entry.values, strict=True)]
    return "\n".join([entry.label, *lines])


def what(difference: Difference | None) -> str:
    """What is to be said of a difference beside its figures."""
    if difference is None or difference.kind == "seeds":
        return difference.note if difference else ""
    text = f"over test images: {content.IMAGES}"
    return f"{text}; {difference.note}" if difference.note else text


def tally(rows: Sequence[LeftOut]) -> str:
    """`10 cells: 2 training, 8 waiting`."""
    states = Counter(one.state for one in rows)
    return f"{len(rows)} cell{'s' * (len(rows) > 1)}: {', '.join(f'{count} {state}' for state, count in states.items())}"


def last_top1(cell: ReportCell) -> float | None:
    """Validation top-1 after the last epoch, percent, which under protocol=paper is of the test images; None of no record."""
    value = cell.record.last.val_top1 if cell.record is not None else None
    return None if value is None else 100.0 * value


def decimal(value: float | None, digits: int) -> str:
    """`12.3`; a dash where there is none."""
    return DASH if value is None else f"{value:,.{digits}f}"


def count(value: float) -> str:
    """`11,181,642`."""
    return f"{value:,.0f}"


def short(value: float | None) -> str:
    """`8.17 G`."""
    if value is None:
        return DASH
    for size, unit in ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def end(path: str) -> str:
    """The last two parts of a path."""
    return "/".join(path.split("/")[-2:])


FILTERS: dict[str, Callable[..., Any]] = {
    "count": count,
    "decimal": decimal,
    "end": end,
    "fixed": fixed,
    "short": short,
    "signed": signed,
    "p_value": p_value,
    "slug": slug,
    "seeds_told": seeds_told,
    "tally": tally,
    "what": what,
}
