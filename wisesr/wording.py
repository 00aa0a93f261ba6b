"""Counts and lists in sentences, written once. No torch."""

from __future__ import annotations

from collections.abc import Sequence


def count_of(number: int, noun: str) -> str:
    """`1 cell`, `0 cells`, `1,340 images`.

    Args:
        number: how many; at least 0.
        noun: in the singular; its plural takes an s.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def some_of(names: Sequence[str], shown: int, separator: str = ", ") -> str:
    """The first names, and how many there are beyond them: `a, b and 1,003 more`.

    Args:
        names: at least one.
        shown: names that are written out at most.
        separator: between names.
    """
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return separator.join(names[:shown]) + more
