"""Predictions are read as they were written, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wisesr.results.predictions import PREDICTIONS, Predictions, read_predictions, write_predictions

GOOD = Predictions(
    np.array(["a.png", "b.png", "c.png"]),
    np.array([0, 1, 1]),
    np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], np.float32),
    ("cat", "dog"),
)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_predictions(tmp_path, GOOD)
    read = read_predictions(tmp_path)
    assert read is not None
    for array, wanted in zip(read[:3], GOOD[:3], strict=True):
        assert np.array_equal(array, wanted)
    assert read.classes == GOOD.classes
    assert read.right.tolist() == [True, True, False]


def test_class_names_that_are_no_utf_8_become_escapes(tmp_path: Path) -> None:
    """As Python reads a folder whose name is in Latin-1: figures, pages and W&B take no such letter."""
    write_predictions(tmp_path, GOOD._replace(classes=(b"M\xfcll".decode(errors="surrogateescape"), "M\u00fcll")))
    read = read_predictions(tmp_path)
    assert read is not None
    assert read.classes == (r"M\udcfcll", "M\u00fcll")


def test_a_file_that_lacks_an_array_is_none(tmp_path: Path) -> None:
    for absent in Predictions._fields:
        arrays = {name: np.array(value) for name, value in GOOD._asdict().items() if name != absent}
        np.savez(tmp_path / PREDICTIONS, **arrays)
        assert read_predictions(tmp_path) is None, absent


@pytest.mark.parametrize(
    "changes",
    [
        {"ids": np.array(["a.png", "a.png", "c.png"])},
        {"ids": np.array([1, 2, 3])},
        {"ids": np.array(["a.png"])},
        {"ids": np.array("a.png")},
        {"labels": np.array([0, 1, 2])},
        {"labels": np.array([0, -1, 1])},
        {"labels": np.array([0.0, 1.0, 1.0])},
        {"probabilities": np.array([[0.9, np.nan]] * 3)},
        {"probabilities": np.zeros((3, 0))},
        {"probabilities": np.zeros(3)},
        {"probabilities": np.array([["x", "y"]] * 3)},
        {"classes": np.array(["cat", "dog", "cow"])},
        {"classes": np.array("cat")},
    ],
)
def test_arrays_that_do_not_fit_each_other_are_none(changes: dict[str, np.ndarray], tmp_path: Path) -> None:
    np.savez(tmp_path / PREDICTIONS, **(GOOD._asdict() | changes))
    assert read_predictions(tmp_path) is None
