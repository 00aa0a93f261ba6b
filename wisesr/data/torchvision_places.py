"""Where the classes of torchvision.datasets keep paths and pixels, labels and names of classes. No torch.

Their own `dataset[index]` would decode every image for its label. Those places are no promise of torchvision's: tests write the
files of each dataset and hold what is found here against what `dataset[index]` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.errors import UserError


class Found(NamedTuple):
    """The images of a part, and their labels."""

    images: Sequence[str | Path] | Any
    """A list of paths, or pixels (images, height, width[, 3])."""
    labels: Sequence[int]
    names: Sequence[str] | None = None
    """Of the classes, by label; None where torchvision knows none."""


def _names(dataset: Any, attribute: str = "classes") -> list[str] | None:
    """Names of classes as text; of synonyms all, and what stands for two classes gets their WordNet or class number."""
    known = getattr(dataset, attribute, None)
    if known is None:
        return None
    names = [name if isinstance(name, str) else ", ".join(name) for name in known]
    numbers = getattr(dataset, "wnids", range(len(names)))
    return [name if names.count(name) == 1 else f"{name} ({number})" for name, number in zip(names, numbers, strict=True)]


def listed(images: str = "_image_files", labels: str = "_labels") -> Callable[[Any], Found]:
    """Of classes that keep a list of paths and one of labels."""
    return lambda dataset: Found(getattr(dataset, images), getattr(dataset, labels), _names(dataset))


def paired(attribute: str) -> Callable[[Any], Found]:
    """Of classes that keep a list of (path, label)."""

    def find(dataset: Any) -> Found:
        pairs = getattr(dataset, attribute)
        return Found([path for path, _ in pairs], [label for _, label in pairs], _names(dataset))

    return find


def pixels(labels: str) -> Callable[[Any], Found]:
    """Of classes that hold all pixels in `data`, and labels in the attribute of this name."""

    def find(dataset: Any) -> Found:
        pixels, numbers = np.asarray(dataset.data), np.asarray(getattr(dataset, labels))
        if pixels.ndim == 4 and pixels.shape[1] == 3:
            pixels = pixels.transpose(0, 2, 3, 1)
        return Found(pixels, (numbers[:, 0] if numbers.ndim == 2 else numbers).tolist(), _names(dataset))

    return find


def _sorted(found: Found) -> Found:
    """By path: of classes that keep the order in which the disk lists its files, which is no property of the data."""
    order = sorted(range(len(found.labels)), key=lambda index: str(found.images[index]))
    return found._replace(images=[found.images[at] for at in order], labels=[found.labels[at] for at in order])


def emnist(dataset: Any) -> Found:
    """Of EMNIST, whose letters count from 1."""
    found = pixels("targets")(dataset)
    if dataset.split != "letters":
        return found
    assert found.names is not None
    return found._replace(labels=[label - 1 for label in found.labels], names=found.names[1:])  # the first is "N/A", of none


def pets(dataset: Any) -> Found:
    """Of OxfordIIITPet, whose label sets are kept apart."""
    if dataset._target_types == ["binary-category"]:
        return Found(dataset._images, dataset._bin_labels, dataset.bin_classes)
    return Found(dataset._images, dataset._labels, _names(dataset))


def caltech(name: Callable[[int, int], str], folder: str) -> Callable[[Any], Found]:
    """Of Caltech101 and 256, which make the name of a file from its label and its number when it is opened."""

    def find(dataset: Any) -> Found:
        base = Path(dataset.root, folder)
        rows = zip(dataset.y, dataset.index, strict=True)
        return Found([base / dataset.categories[y] / name(y, index) for y, index in rows], dataset.y, dataset.categories)

    return find


def inaturalist(dataset: Any) -> Found:
    """Of INaturalist."""
    images = [Path(dataset.root, dataset.all_categories[label], name) for label, name in dataset.index]
    return _sorted(Found(images, [label for label, _ in dataset.index], dataset.all_categories))


def omniglot(dataset: Any) -> Found:
    """Of Omniglot, which numbers its characters in the order in which the disk lists them."""
    images = [(dataset._characters[label], name) for name, label in dataset._flat_character_images]
    names = sorted(dataset._characters)
    number = {name: label for label, name in enumerate(names)}
    found = [(Path(dataset.target_folder, character, name), number[character]) for character, name in images]
    return _sorted(Found([path for path, _ in found], [label for _, label in found], names))


def places(dataset: Any) -> Found:
    """Of Places365."""
    names = sorted(dataset.class_to_idx, key=lambda name: dataset.class_to_idx[name])
    return Found([path for path, _ in dataset.imgs], dataset.targets, names)


def sun(dataset: Any) -> Found:
    """Of SUN397."""
    return _sorted(listed()(dataset))


def faces(dataset: Any) -> Found:
    """Of FER2013, some of whose files have labels for training only."""
    images, labels = zip(*dataset._samples, strict=True)
    if None in labels:
        raise UserError("dataset.source=FER2013: test.csv has no labels: put fer2013.csv beside it, which has them")
    return Found(np.stack([image.numpy() for image in images]), labels)


def noise(dataset: Any) -> Found:
    """Of FakeData, which is made when it is asked for."""
    images, labels = zip(*(dataset[index] for index in range(len(dataset))), strict=True)
    return Found(np.stack([np.asarray(image) for image in images]), labels)


class _Hdf5:
    """The pixels of an HDF5 file, read where they are asked for: PCAM's are 7 GB."""

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        with import_module("h5py").File(path) as file:
            self._count = len(file[key])

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> NDArray[np.uint8]:
        with import_module("h5py").File(self._path) as file:
            return np.asarray(file[self._key][index])


def pcam(dataset: Any) -> Found:
    """Of PCAM, which opens its files when it is asked for an image."""
    base, files = dataset._base_folder, dataset._FILES[dataset._split]
    labels = _Hdf5(base / files["targets"][0], "y")[:].reshape(-1).tolist()
    return Found(_Hdf5(base / files["images"][0], "x"), labels)
