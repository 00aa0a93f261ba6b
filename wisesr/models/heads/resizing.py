"""Weights of positions, learned on maps of one extent, for maps of another: a head that sees larger images than in training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from wisesr.models.heads.pre_average import PreAverage


def resized(kernel: Tensor, height: int, width: int) -> Tensor:
    """A kernel for maps of another extent that computes the same as resizing the map and applying the old kernel.

    Resizing a map to the old extent (bilinear, antialiased) is a matrix A whose rows sum to 1, and the new kernel is A^T k:
    what is summed over the new map with it equals what is summed with k over the resized map. So its sum is that of k, and it
    is non-negative where k is.

    Args:
        kernel: (..., old height, old width).
        height: of the new map.
        width: of the new map.

    Returns:
        (..., height, width)
    """
    old = kernel.shape[-2:]
    if tuple(old) == (height, width):
        return kernel
    pixels = torch.eye(height * width, dtype=torch.float64).reshape(-1, 1, height, width)
    seen = F.interpolate(pixels, size=tuple(old), mode="bilinear", antialias=True, align_corners=False)
    matrix = seen.flatten(1).to(kernel.device)  # of A^T: a row a new position, a column an old one
    new: Tensor = (kernel.double().flatten(-2) @ matrix.T).unflatten(-1, (height, width))
    return new.to(kernel.dtype)


def resized_average(kernel: Tensor, before: PreAverage, after: PreAverage) -> Tensor:
    """A kernel on maps averaged one way for maps of another extent, averaged in windows of the same side.

    Where all windows hold as many positions, the averaged maps are resized. Windows that the edge cuts hold fewer: where there
    are such, before or after, the way leads over the kernel on the full map. The sum is kept either way.

    Args:
        kernel: (channels, height, width) of `before.left`.
        before: how the maps were averaged that it was learned on.
        after: how those are that it is for.

    Returns:
        (channels, height, width) of `after.left`
    """
    if before == after:
        return kernel
    if before.mode == after.mode == "valid":
        return resized(kernel, *after.left[1:])
    return after.gathered(resized(before.spread(kernel), *after.shape[1:]))
