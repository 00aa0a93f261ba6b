"""Rows that follow from their keys, so that each that is read can be held against what it must be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wisesr.data.rows.keys import KEY, Keys, Positions
from wisesr.data.rows.store import Kind, Make, Rows, Store

PIXELS = Kind("decoded", {"view": "of a test"}, dimensions=3, item=1, text="24 px, of a test")


def keys_of(*numbers: int) -> Keys:
    """Keys that are as good as random."""
    text = b"".join(hashlib.blake2b(str(number).encode(), digest_size=KEY).digest() for number in numbers)
    return np.frombuffer(text, np.uint8).reshape(-1, KEY)


def row_of(key: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(8 to 24, 24, 3): the row of a key, from Python's own hash function."""
    shape = (8 + int(key[0]) % 17, 24, 3)
    return np.frombuffer(hashlib.shake_128(key.tobytes()).digest(int(np.prod(shape))), np.uint8).reshape(shape)


def making(keys: Keys, asked: list[int] | None = None) -> Make:
    """Makes the rows of keys, and notes for which positions it was asked."""

    def make(positions: Positions) -> Iterator[NDArray[Any]]:
        for position in positions:
            if asked is not None:
                asked.append(int(position))
            yield row_of(keys[position])

    return make


def extended(place: Path, keys: Keys, *, kind: Kind = PIXELS, dataset: str = "digits", asked: list[int] | None = None) -> Rows:
    """All rows of keys, from a store that may lack some."""
    about = {"dataset": dataset}
    rows = Store(place, kind).extend(keys, making(keys, asked), what="making rows", about=about, row_bytes=24 * 24 * 3)
    assert rows is not None
    return rows


def read(rows: Rows, position: int) -> NDArray[np.uint8]:
    """A row."""
    values = np.zeros(rows.shape(position), np.uint8)
    rows.read(position, values.reshape(-1).data)
    return values


def assert_right(rows: Rows | None, keys: Keys) -> None:
    """Every row is there and what it must be."""
    assert rows is not None and len(rows) == len(keys)
    for position, key in enumerate(keys):
        np.testing.assert_array_equal(read(rows, position), row_of(key))


def segments(place: Path) -> list[Path]:
    """Files of rows that are whole."""
    return sorted(place.rglob("[0-9]*.rows"))
