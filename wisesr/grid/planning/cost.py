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
    """Of one image in training: three forward passes, of a backbone of which nothing is trained one, of one whose maps are
    kept none."""
    measured_images: int
    """On which accuracy is measured after each epoch: those that choose it, and the part of the training split."""
    test_images: int
    val_images: int = 0
    """On which the epoch is chosen; 0 where these are the test images."""
    test_split: str = ""
    """The same for cells that are tested on the same images."""
    reads: str = "files"
    """What an epoch begins with, as `provenance.reads` of a record has it: files, decoded, maps."""
    measure_flops: int | None = None
    """Of one image on which accuracy is measured; None where it is a forward pass of backbone and head."""
    tail_flops: int = 0
    """Of an epoch of training, beside its images: of its last batch no maps are kept, and it goes through the backbone."""

    def training(self, epochs: int) -> int:
        """FLOPs of training, without what is measured between epochs and in the end."""
        return epochs * (self.train_images * self.train_flops + self.tail_flops)

    def work(self, epochs: int) -> int:
        """FLOPs of all that a cell computes; maps that cells share are told apart (`Kept.flops`)."""
        measure = self.flops if self.measure_flops is None else self.measure_flops
        return self.training(epochs) + (epochs * self.measured_images + self.test_images) * measure

    @property
    def frozen_flops(self) -> int:
        """Of a cell that reads images, a backbone's of which nothing is trained, of one image; 0 of one that is trained."""
        return (3 * self.flops - self.train_flops) // 2

    def of_maps(self, tail: int) -> Cost:
        """That of a cell that reads images, if it reads the maps of its frozen backbone.

        Args:
            tail: images of the last, smaller batch of an epoch; 0 where there is none.
        """
        head = self.flops - self.frozen_flops
        return self._replace(reads="maps", train_flops=3 * head, measure_flops=head, tail_flops=tail * self.frozen_flops)
