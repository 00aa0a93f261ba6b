"""Batch size and epochs of the runs that the paper's notebooks define, for `recipe=paper`. No torch.

Read off the notebooks of https://github.com/mr7495/image-classification-spatial. They train on Sub-ImageNet-70, Intel and MIT
Indoor67 at 224 px, and on MIT Indoor67 at 512 px; below 512 px all is as at 224, from there on as at 512.
"""

from __future__ import annotations

LARGE = 512
"""Pixels from which the notebooks' 512 px runs are the nearest."""


def paper_batch(size: object) -> int:
    """Images in one optimizer step: 70, and 15 from a size of 512 px on."""
    return 15 if _is_large(size) else 70


def paper_epochs(dataset: object, size: object) -> int:
    """Epochs: 220 on `intel`, 148 on `sub_imagenet`, 200 on `mit_indoor` and 130 from 512 px on; on any other dataset 200."""
    if dataset == "mit_indoor" and _is_large(size):
        return 130
    return {"intel": 220, "sub_imagenet": 148}.get(str(dataset), 200)


def _is_large(size: object) -> bool:
    """What is no number at all is for the check of the configuration to tell."""
    return isinstance(size, (int, float)) and size >= LARGE
