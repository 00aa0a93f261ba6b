"""Names and tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def plain(text: str) -> str:
    """A name that is shown as it is, also within a table."""
    return "".join(f"\\{sign}" if sign in "\\`*_|<>[]" else sign for sign in text.replace("\n", " "))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Its lines."""
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]
