"""Plurals, lists in sentences, and the order of names."""

from __future__ import annotations

import random

import pytest

from wisesr.wording import count_of, natural_key, some_of


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


def in_order(names: list[str]) -> list[str]:
    return sorted(names, key=natural_key)


def test_numbers_are_sorted_by_value_whatever_the_order_in_which_they_come() -> None:
    values = [*range(0, 40), 99, 100, 101, 1000, 10**20, 10**5000]
    names = [f"fold-{'9' * 5000 if value == 10**5000 else value}b" for value in values]
    shuffled = random.Random(0).sample(names, len(names))
    assert in_order(shuffled) == names


def test_names_without_digits_keep_the_plain_order() -> None:
    names = ["Zebra", "apple", "apple pie", "apple-pie", "", "_", "\u00e9t\u00e9", "\u4e2d", "z"]
    assert in_order(names) == sorted(names)


@pytest.mark.parametrize(
    "names",
    [
        ["1", "01", "001"],
        ["a1b02", "a1b2", "a01b2"],
        ["0", "00"],
    ],
)
def test_ties_in_value_are_told_apart_by_the_text(names: list[str]) -> None:
    assert in_order(names) == in_order(names[::-1]) == sorted(names)


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "10", "a", "a1", "a2", "a10", "a10b", "ab"],
        ["1.2.9", "1.2.10", "1.10.1"],
        ["grade 2", "grade 2a", "grade 10"],
    ],
)
def test_mixed_names(names: list[str]) -> None:
    assert in_order(names[::-1]) == names
