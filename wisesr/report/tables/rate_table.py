"""Learning rates that were tried, a row a head: what each found on validation, and how many seeds chose it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.study import Entry
from wisesr.report.tables.table_content import TriedRate

MOST = 9
"""Columns that stand side by side; of more rates each has a line of its own."""
_NUMBER = re.compile(r"=([-+.\deE]+)")


class RateRow(NamedTuple):
    """A head, or a backbone with settings and a head."""

    entry: Entry
    tried: tuple[TriedRate | None, ...]
    """At each rate of the table; None where it was not trained at one."""


class RateTable(NamedTuple):
    """All rates of a table and its heads."""

    rates: tuple[str, ...]
    """By their numbers."""
    rows: tuple[RateRow, ...]


def rate_table(rates: Sequence[TriedRate]) -> RateTable | None:
    """Rates side by side; None where there are none, or too many for it.

    Args:
        rates: of all entries of a table, those of an entry together.
    """
    names = sorted({tried.rate for tried in rates}, key=_by_number)
    if not names or len(names) > MOST:
        return None
    rows: dict[int, tuple[Entry, dict[str, TriedRate]]] = {}
    for tried in rates:
        rows.setdefault(id(tried.entry), (tried.entry, {}))[1][tried.rate] = tried
    return RateTable(tuple(names), tuple(RateRow(entry, tuple(map(own.get, names))) for entry, own in rows.values()))


def _by_number(rate: str) -> tuple[list[float], str]:
    """`lr=0.003 head_lr_scale=10` by its numbers, in the order in which they stand."""
    return [float(number) for number in _NUMBER.findall(rate)], rate
