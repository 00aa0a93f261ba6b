"""`predictions.npz`: the class probabilities of a cell for each test image."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.results.atomic_files import read_arrays, write_with
from wisesr.results.cell_files import PREDICTIONS


class Predictions(NamedTuple):
    """Of the test split, in the order of the dataset."""

    ids: NDArray[np.str_]
    """One name an image: for files their path below the dataset's root."""
    labels: NDArray[np.int64]
    """Of the true class, an image each."""
    probabilities: NDArray[np.float32]
    """(images, classes); of the chosen epoch's weights."""
    classes: tuple[str, ...]
    """Names, in the order of the logits."""

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether the most probable class is the true one."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.labels)


class ReliabilityBin(NamedTuple):
    """Images whose most probable class has a probability of `low` or more and below `high`; shares from 0 to 1."""

    low: float
    high: float
    images: int
    confidence: float | None
    """Mean of that probability; None without images."""
    accuracy: float | None
    """Share of them that are right."""


def write_predictions(directory: Path, predictions: Predictions) -> None:
    """The file, whole or absent."""
    arrays: dict[str, Any] = predictions._asdict() | {"classes": np.array(predictions.classes)}
    write_with(directory / PREDICTIONS, lambda file: np.savez_compressed(file, **arrays))


def read_predictions(directory: Path) -> Predictions | None:
    """The predictions of a cell; None where there are none, or a damaged file.

    Names of classes are fit for any file and figure: of a folder's name, bytes that are no UTF-8 are escapes.
    """
    arrays = read_arrays(directory / PREDICTIONS)
    if arrays is None or not set(Predictions._fields) <= set(arrays):
        return None
    ids, labels, probabilities, classes = (arrays[name] for name in Predictions._fields)
    if probabilities.ndim != 2 or probabilities.shape[1] == 0 or not ids.shape == labels.shape == probabilities.shape[:1]:
        return None
    if ids.dtype.kind != "U" or labels.dtype.kind not in "iu" or probabilities.dtype.kind != "f":
        return None
    number = probabilities.shape[1]
    sane = classes.shape == (number,) and bool(np.isfinite(probabilities).all())
    if not sane or bool(((labels < 0) | (labels >= number)).any()) or len(np.unique(ids)) < len(ids):
        return None
    names = (str(name).encode(errors="backslashreplace").decode() for name in classes.tolist())
    return Predictions(ids, labels, probabilities, tuple(names))
