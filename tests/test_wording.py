"""Plurals and lists in sentences."""

from __future__ import annotations

import pytest

from wisesr.wording import count_of, some_of


@pytest.mark.parametrize(("number", "text"), [(0, "0 cells"), (1, "1 cell"), (2, "2 cells"), (1340, "1,340 cells")])
def test_counts(number: int, text: str) -> None:
    assert count_of(number, "cell") == text


@pytest.mark.parametrize(
    ("names", "shown", "text"),
    [
        (["a"], 2, "a"),
        (["a", "b"], 2, "a, b"),
        (["a", "b", "c"], 2, "a, b and 1 more"),
        (["x"] * 1005, 1, "x and 1,004 more"),
    ],
)
def test_lists_are_cut(names: list[str], shown: int, text: str) -> None:
    assert some_of(names, shown) == text
