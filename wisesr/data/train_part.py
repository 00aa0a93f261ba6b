"""The part of the training split on which training accuracy is measured: the same for all cells of a comparison.

Train against test curves (Fig. 5 of the paper) say how far a head overfits, if both are measured alike: by the same weights, in
eval mode, without augmentation. A mean over the batches of the epoch would be of weights that have changed since.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wisesr.data.manifest import TEST, TRAIN, VAL, Manifest
from wisesr.data.split import rank_in_class
from wisesr.types import derive_seed

_FEWEST = 200
"""Images of a part whose size is left to us, where the training split has as many: a standard error of 3.5 points at most."""


def draw_train_part(manifest: Manifest, images: int | Literal["auto"], *, protocol: str, split_seed: int) -> NDArray[np.int64]:
    """Positions in the manifest of a part of the training split, in order: (images of the part,), int64.

    Every class has its share of it to within one image, and a larger part holds every smaller one. It depends on the
    dataset's `split_seed` and never on a cell's seed.

    Args:
        manifest: with the splits of the protocol.
        images: of the part, all of the training split at most; 0 for none. `auto` is as many as are validated, at least 200.
        protocol: "holdout" validates on the val split, "paper" on the test split.
        split_seed: draws the part.
    """
    rows = manifest.indices(TRAIN)
    validated = TEST if protocol == "paper" else VAL
    size = max(_FEWEST, len(manifest.indices(validated))) if images == "auto" else images
    if size >= len(rows):
        return rows
    order = np.random.Generator(np.random.PCG64(derive_seed(split_seed, "train part"))).permutation(len(rows))
    labels = np.asarray(manifest.labels)[rows[order]]
    # The share of its class that has come before it: in this order every class is used up evenly.
    before = (rank_in_class(labels) + 0.5) / np.bincount(labels)[labels]
    return np.sort(rows[order[np.argsort(before, kind="stable")[:size]]])
