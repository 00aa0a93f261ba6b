"""The arrays of an .npz file by name, and what is said where one is missing or cannot be read. No torch."""

from __future__ import annotations

import difflib
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.data.manifest import SPLITS
from wisesr.data.split_folders import SYNONYMS
from wisesr.errors import UserError, unknown
from wisesr.wording import some_of

_DAMAGED = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)
_SHOWN = 8


class Pair(NamedTuple):
    """What the arrays of a split are called."""

    split: str
    images: str
    labels: str


_PAIRS = (
    Pair("", "images", "labels"),
    *(
        Pair(split, images.format(name), labels.format(name))
        for images, labels in (("{}_images", "{}_labels"), ("x_{}", "y_{}"))  # MedMNIST's names, and Keras'
        for split in SPLITS
        for name in SYNONYMS[split]
    ),
)


class Npz:
    """The file, its arrays read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise UserError(f"dataset.file: there is no file {path}")
        self._file = path.open("rb")
        try:
            content = np.load(self._file, allow_pickle=False)
        except _DAMAGED as error:
            self._file.close()
            raise UserError(f"{path} is no .npz file that numpy can read: numpy.savez(file, images=..., labels=...)") from error
        if isinstance(content, np.ndarray):
            self._file.close()
            raise UserError(f"{path} is a single array: numpy.savez(file, images=..., labels=...) puts its labels beside it")
        self._content, self.names = content, list(content.files)
        self._read: set[str] = set()

    def close(self) -> None:
        """Close the file; arrays that were read stay."""
        self._file.close()

    def of(self, name: str) -> str:
        """How messages call an array."""
        return f"{name} in {self.path}"

    def pairs(self) -> list[Pair]:
        """The layout of the file; raises UserError if it has none."""
        found = [own for pair in _PAIRS for own in self._written(pair)]
        if not found:
            raise UserError(
                f"{self.path}: {unknown('array', 'images', self.names)}. There must be images and labels, or train_images, "
                "train_labels, test_images, ..."
            )
        used = [name for pair in found for name in (pair.images, pair.labels)]
        doubled = [pair.images for pair in found if sum(pair.split == other.split for other in found) > 1]
        if doubled or (found[0].split == "" and len(found) > 1):
            raise UserError(f"{self.path} has {', '.join(pair.images for pair in found)}: which of them? Save the others apart")
        if missing := [pair.labels for pair in found if pair.labels not in self.names]:
            raise UserError(f"{self.path}: {unknown('array', missing[0], self.names)}")
        self._refuse_alike([*used, *(("split", "group", "class_names") if found[0].split == "" else ("class_names",))])
        return found

    def _written(self, pair: Pair) -> list[Pair]:
        """A pair as the file writes it, `X_train` and `y_train`: twice where it has two that differ in their letters' case."""
        images = [name for name in self.names if name.lower() == pair.images]
        labels = [name for name in self.names if name.lower() == pair.labels]
        if images and len(labels) > 1:
            raise UserError(f"{self.path} has {', '.join(labels)}: which of them? Save the others apart")
        return [Pair(pair.split, name, labels[0] if labels else pair.labels) for name in images]

    def _refuse_alike(self, known: Sequence[str]) -> None:
        """Stop at an array that nobody would read and that is called nearly as one that is: groups, splits, class_name."""
        for name in self.names:
            if name not in known and (near := difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.8)):
                raise UserError(f"{self.of(name)} would not be read: is {near[0]} meant? Rename it, or leave it out")

    def read(self, name: str) -> NDArray[Any]:
        """An array; raises UserError if it cannot be read."""
        self._read.add(name)
        try:
            array: NDArray[Any] = self._content[name]
        except ValueError as error:
            raise UserError(
                f"{self.of(name)} holds Python objects, which could run code when they are read: save numbers or texts of one "
                "length each (images all of one size; numpy.array(labels, dtype=str))"
            ) from error
        except _DAMAGED as error:
            raise UserError(f"{self.of(name)} is damaged ({error}): save the file again") from error
        if not isinstance(array, np.ndarray):
            raise UserError(f"{self.of(name)} is no array: numpy.savez(file, images=..., labels=...) writes such files")
        return array

    def column(self, name: str, count: int | None = None) -> NDArray[Any]:
        """An array of one entry an image; a second dimension of 1, as MedMNIST's labels have, is dropped."""
        array = self.read(name)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            hint = f": {name}.argmax(1) of rows with a single 1" if array.ndim == 2 else ""
            raise UserError(f"{self.of(name)} has the shape {array.shape}, and must have one entry an image{hint}")
        if count is not None:
            self.same_length(name, len(array), "images", count)
        return array

    def unread(self) -> list[str]:
        """What is to be said of arrays that nobody asked for."""
        others = [name for name in self.names if name not in self._read]
        return [f"arrays of {self.path.name} that are not read: {some_of(others, _SHOWN)}"] if others else []

    def same_length(self, name: str, length: int, images: str, count: int) -> None:
        """Raises UserError if an array has not an entry for each image."""
        if length != count:
            raise UserError(f"{self.of(name)} has {length:,} entries for {count:,} {images}")
