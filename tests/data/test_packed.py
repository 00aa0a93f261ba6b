"""Columns of texts against plain lists."""

from __future__ import annotations

import os
import pickle
import random

import pytest

from wisesr.data.packed import Codes, Names

ALPHABET = ["a", "B", "9", ".", "/", " ", "ü", "漢", "\udcff", "\n", "🙂"]


def texts(seed: int, count: int) -> list[str]:
    generator = random.Random(seed)
    return ["".join(generator.choices(ALPHABET, k=generator.randrange(12))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_names_are_what_they_were_made_of(seed: int) -> None:
    """Empty ones, other scripts and bytes that are no UTF-8 (a surrogate, as os.fsdecode gives it) among them."""
    expected = texts(seed, seed * 3)
    names = Names(expected)
    assert list(names) == expected and len(names) == len(expected)
    assert [names[at] for at in range(len(expected))] == expected
    assert [names[-1 - at] for at in range(len(expected))] == expected[::-1]
    assert names[2:9:3] == expected[2:9:3]
    assert names == expected and names == Names(content=names.content) and names != [*expected, "x"]
    assert list(pickle.loads(pickle.dumps(names))) == expected
    assert names.lengths.tolist() == [len(os.fsencode(text)) for text in expected]


@pytest.mark.parametrize("kinds", [1, 3, 300])
def test_codes_are_what_they_were_made_of(kinds: int) -> None:
    expected = [f"group {number % kinds}" for number in range(1000)]
    codes = Codes(expected)
    assert list(codes) == expected and codes[7] == expected[7] and codes == expected
    for kind in codes.kinds:
        assert codes.where(kind).tolist() == [at for at, text in enumerate(expected) if text == kind]
    assert codes.where("unknown").tolist() == []
    assert codes.codes.itemsize == (1 if kinds < 256 else 4)


@pytest.mark.parametrize("index", [3, -4, 10**9])
def test_an_index_beyond_the_end(index: int) -> None:
    with pytest.raises(IndexError, match=f"index {index} of 3"):
        Names(["a", "b", "c"])[index]
