"""1,797 handwritten digits of 8x8 pixels that scikit-learn carries: real images, nothing to download. No torch.

The test part of Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998, CC BY 4.0),
https://archive.ics.uci.edu/dataset/80. The names of the 13 writers were not kept, so one writer's digits fall into
all splits.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wisesr.data.manifest import TRAIN, Manifest, digest_of


def digits() -> Manifest:
    """The digits, all in the train split: the datamodule draws the others."""
    images, labels = _read()
    grey = np.rint(images * (255 / 16)).astype(np.uint8)  # the originals count 0 to 16 dark pixels
    return Manifest(
        ids=[f"digits/{index:04d}" for index in range(len(grey))],
        labels=[int(label) for label in labels],
        class_names=[str(digit) for digit in range(10)],
        splits=[TRAIN] * len(grey),
        load=partial(_load, grey),
        digests=[digest_of(image.tobytes()) for image in grey],
    )


def _read() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Images of 8x8 pixels and their labels: scikit-learn's file, as importing its `datasets` takes two seconds."""
    package = find_spec("sklearn")
    for folder in (package and package.submodule_search_locations) or ():
        if (path := Path(folder, "datasets", "data", "digits.csv.gz")).is_file():
            table = np.loadtxt(path, delimiter=",")
            return table[:, :-1].reshape(-1, 8, 8), table[:, -1]
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images, bunch.target


def _load(grey: NDArray[np.uint8], index: int) -> Image.Image:
    return Image.fromarray(grey[index]).convert("RGB")
