"""Keys among others, held against Python's dictionary."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.rows import keys_of
from wisesr.data.rows.keys import Keys, find_rows, sorting_order, without_repeats


def _alike(seed: int, count: int) -> Keys:
    """Keys of few different bytes: many have the same first half, many are the same, zeros stand at either end."""
    return np.random.default_rng(seed).integers(0, 2, (count, 16), dtype=np.uint8) * np.arange(16, dtype=np.uint8) // 14


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [0, 1, 7, 300])
def test_each_is_found_where_it_stands(seed: int, count: int) -> None:
    for there, wanted in ((_alike(seed, count), _alike(seed + 100, 200)), (keys_of(*range(count)), keys_of(*range(0, 600, 3)))):
        there = there[sorting_order(there)]
        known = {key.tobytes() for key in there}
        assert [key.tobytes() for key in there] == sorted(key.tobytes() for key in there)
        for key, row in zip(wanted, find_rows(there, wanted).tolist(), strict=True):
            assert (row >= 0) == (key.tobytes() in known)
            assert row < 0 or there[row].tobytes() == key.tobytes()


@pytest.mark.parametrize("seed", range(5))
def test_the_first_of_equal_ones_stays(seed: int) -> None:
    keys = _alike(seed, 50)
    texts = [key.tobytes() for key in keys]
    assert without_repeats(keys).tolist() == [at for at, text in enumerate(texts) if text not in texts[:at]]
    assert len(without_repeats(keys[:0])) == 0
