"""Copies of the paper's datasets in their real layouts: names and counts as published, every file one of a few images."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image

from wisesr.data.manifest import TEST, TRAIN
from wisesr.data.mit_indoor import official
from wisesr.data.published_facts import INTEL, SUB_IMAGENET

Names = dict[str, list[str]]
"""Split -> `<class>/<file>`."""


def intel_names(share: float = 1) -> Names:
    """As published, or that share of each class."""
    return {
        split: [
            f"{label}/{index}.jpg"
            for label, counts in INTEL.per_class.items()
            for index in range(round(counts[split == TEST] * share))
        ]
        for split in (TRAIN, TEST)
    }


def mit_names() -> Names:
    return {split: official(split) for split in (TRAIN, TEST)}


def sub_imagenet_names() -> Names:
    """70 classes of equal counts; the real names are not known here."""
    counts = {TRAIN: SUB_IMAGENET.train // 70, TEST: SUB_IMAGENET.test // 70}
    labels = [f"n{label:08d}" for label in range(70)]
    return {
        split: [f"{label}/{split}_{index}.JPEG" for label in labels for index in range(count)]
        for split, count in counts.items()
    }


def of_classes(names: Names, *classes: str) -> Names:
    return {split: [name for name in listed if name.split("/")[0] in classes] for split, listed in names.items()}


def lay_out(paths: Sequence[Path]) -> None:
    """Files that are links to a handful of images: tens of thousands in a second or two."""
    for folder in {path.parent for path in paths}:
        folder.mkdir(parents=True, exist_ok=True)
    sources = _sources(paths[0].parent)
    for path, source in zip(paths, sources, strict=False):
        os.link(source, path)


def _sources(folder: Path) -> Iterator[Path]:
    made = []
    for index in range(8):
        pixels = np.random.default_rng(index).integers(0, 256, (32, 40, 3), dtype=np.uint8)
        made.append(folder / f".source{index}.jpg")
        Image.fromarray(pixels).save(made[-1])
    return cycle(made)


def make_intel(root: Path, names: Names | None = None) -> Path:
    names = names or intel_names()
    lay_out([root / f"seg_{split}" / f"seg_{split}" / name for split in names for name in names[split]])
    return root


def make_mit(root: Path, names: Names | None = None, below: str = "indoorCVPR_09/Images") -> Path:
    names = names or mit_names()
    lay_out([root / below / name for split in names for name in names[split]])
    return root


def make_sub_imagenet(root: Path, names: Names | None = None) -> Path:
    names = names or sub_imagenet_names()
    lay_out([root / name for split in names for name in names[split]])
    for split, listed in names.items():
        lines = ["filename,class", *(f"{name},{name.split('/')[0]}".replace("/", "\\") for name in listed)]
        (root / f"{split}.csv").write_text("\n".join(lines) + "\n")
    return root
