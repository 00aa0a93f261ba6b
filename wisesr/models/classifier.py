"""A backbone and a head, joined: the model of one cell."""

from __future__ import annotations

from torch import Tensor, nn

from wisesr.models.backbones import TimmBackbone
from wisesr.models.heads.base import Head


class Classifier(nn.Module):
    """Images in, logits out.

    Args:
        backbone: (batch, 3, size, size) -> (batch, channels, height, width).
        head: that map -> (batch, classes).
    """

    def __init__(self, backbone: TimmBackbone, head: Head) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.half_maps = False
        """Whether maps are rounded to float16 (`dataset.features=fp16`), and go on in their own type."""

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, classes)."""
        return self.head.of_images(self.maps_of(images), images)

    def maps_of(self, images: Tensor) -> Tensor:
        """What the head gets: (batch, 3, size, size) -> (batch, channels, height, width)."""
        maps: Tensor = self.backbone(images)
        return maps.half().to(maps.dtype) if self.half_maps else maps
