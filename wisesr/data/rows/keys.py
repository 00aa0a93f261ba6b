"""What rows are found by: 16 bytes each, the digest of an image's content or a hash of it. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KEY = 16
"""Bytes of a key."""

_BLOCK = 2**16
"""Keys that are looked up at once: a million would take four times the memory of the index."""

Keys = NDArray[np.uint8]
"""(rows, KEY)"""
Positions = NDArray[np.int64]


def sorting_order(keys: Keys) -> Positions:
    """(rows,): the order in which keys are sorted, as `find_rows` needs them."""
    halves = np.ascontiguousarray(keys).view(">u8")
    return np.lexsort((halves[:, 1], halves[:, 0]))


def find_rows(there: Keys, wanted: Keys) -> Positions:
    """(wanted,): where each key stands among others, -1 of those that do not.

    Args:
        there: sorted; one of equal ones is found.
        wanted: in any order, equal ones too.
    """
    first = _first_halves(there)
    blocks = [_find_block(there, first, wanted[at : at + _BLOCK]) for at in range(0, len(wanted), _BLOCK)]
    return np.concatenate([np.empty(0, np.int64), *blocks])


def _find_block(there: Keys, first: NDArray[np.uint64], wanted: Keys) -> Positions:
    looked_for = _first_halves(wanted)
    found, row = np.full(len(wanted), -1, np.int64), np.empty(len(wanted), np.int64)
    order = np.argsort(looked_for)  # neighbours one after another: many times as fast as at random, with a million
    row[order] = np.searchsorted(first, looked_for[order])
    left = np.arange(len(wanted))
    while len(left):  # twice only where first halves are alike
        left = left[row[left] < len(there)]
        left = left[first[row[left]] == looked_for[left]]
        same = (there[row[left]] == wanted[left]).all(axis=1)
        found[left[same]] = row[left[same]]
        left = left[~same]
        row[left] += 1
    return found


def without_repeats(keys: Keys) -> Positions:
    """Positions of keys, the first of equal ones, in order."""
    order = sorting_order(keys)
    begins = np.ones(len(keys), bool)
    begins[1:] = (keys[order[1:]] != keys[order[:-1]]).any(axis=1)
    return np.sort(order[begins])  # lexsort is stable


def _first_halves(keys: Keys) -> NDArray[np.uint64]:
    """(rows,): numbers in the order of the bytes."""
    return np.ascontiguousarray(keys).view(">u8")[:, 0].astype(np.uint64)
