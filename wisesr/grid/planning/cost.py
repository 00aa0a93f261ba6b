"""What one cell costs, as its planner counts it. No torch."""

from __future__ import annotations

from typing import NamedTuple

from wisesr.types import FeatureShape


class Cost(NamedTuple):
    """What one cell costs."""

    backbone_parameters: int
    head_parameters: int
    flops: int
    """Of one image's forward pass through backbone and head, a multiply-add counted as two."""
    feature_map: FeatureShape
    train_images: int
    steps: int
    """Optimizer steps of all epochs."""
    disk: int
    """Bytes that the directory takes at most: checkpoints, a copy of the larger while it is replaced, predictions, metrics.
    What loggers write is not in it."""
    partial: int
    """Bytes of `disk` that the copy takes, while it is there."""
    train_flops: int
    """Of one image in training: three forward passes, of a backbone of which nothing is trained one."""
    measured_images: int
    """On which accuracy is measured after each epoch: those that choose it, and the part of the training split."""
    test_images: int
    val_images: int = 0
    """On which the epoch is chosen; 0 where these are the test images."""
    test_split: str = ""
    """The same for cells that are tested on the same images."""

    def training(self, epochs: int) -> int:
        """FLOPs of training, without what is measured between epochs and in the end."""
        return epochs * self.train_images * self.train_flops

    def work(self, epochs: int) -> int:
        """FLOPs of all that a cell computes."""
        return self.training(epochs) + (epochs * self.measured_images + self.test_images) * self.flops
