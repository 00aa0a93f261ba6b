"""1,797 handwritten digits of 8x8 pixels that scikit-learn carries: real images, nothing to download. No torch.

The test part of Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998, CC BY 4.0),
https://archive.ics.uci.edu/dataset/80. The names of the 13 writers were not kept, so one writer's digits fall into
all splits.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from wisesr.data.manifest import TRAIN, Manifest, digest_of


def digits() -> Manifest:
    """The digits, all in the train split: the datamodule draws the others."""
    bunch = load_digits()
    grey = np.rint(bunch.images * (255 / 16)).astype(np.uint8)  # the originals count 0 to 16 dark pixels
    return Manifest(
        ids=[f"digits/{index:04d}" for index in range(len(grey))],
        labels=[int(label) for label in bunch.target],
        class_names=[str(digit) for digit in range(10)],
        splits=[TRAIN] * len(grey),
        load=partial(_load, grey),
        digests=[digest_of(image.tobytes()) for image in grey],
    )


def _load(grey: NDArray[np.uint8], index: int) -> Image.Image:
    return Image.fromarray(grey[index]).convert("RGB")
