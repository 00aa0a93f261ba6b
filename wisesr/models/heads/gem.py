"""Generalised-mean pooling (GeM): between the average (p = 1) and the maximum (p without bound).

Radenovic, Tolias and Chum 2018, https://arxiv.org/abs/1711.02512. timm has no such layer.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from wisesr.models.heads.base import Head
from wisesr.models.heads.parametric_pooling import ParametricPool, at_least_float32
from wisesr.types import FeatureShape

EPS = 1e-6
"""Features below it count as it: a power needs positive numbers. As in the authors' code:
https://github.com/filipradenovic/cnnimageretrieval-pytorch/blob/master/cirtorch/layers/functional.py
"""


def generalised_mean(features: Tensor, p: Tensor) -> Tensor:
    """y_c = (mean_ij max(x_cij, 1e-6)^p)^(1/p).

    Negative features count as 1e-6 and have no gradient. After a last ReLU (ResNet, DenseNet) there are none; the maps of
    ViT, Swin and ConvNeXt are not rectified, and lose their negative half.

    Args:
        features: (batch, channels, height, width).
        p: a number above 0, of no dimension.

    Returns:
        (batch, channels), in the type of the features; computed in float32 at least.
    """
    positive = at_least_float32(features).clamp(min=EPS)
    # Relative to the channel's largest feature, no power overflows and the mean cannot vanish. The factor cancels out, and
    # so does its gradient.
    largest = positive.detach().amax(dim=(2, 3), keepdim=True)
    p = p.to(positive.dtype)
    mean = (positive / largest).pow(p).mean(dim=(2, 3)).pow(1 / p)
    return (mean * largest[:, :, 0, 0]).to(features.dtype)


class GeneralisedMeanHead(Head):
    """Generalised mean of each channel, then a linear classifier.

    Not linear in the map: it has no evidence per position.

    Args:
        feature_shape, num_classes, init, dropout: as of `Head`.
        p: exponent, or where it starts.
        learnable: whether the exponent is trained; it is then held at 0.01 or more.

    Raises:
        ValueError: a value out of its range.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        p: float = 3.0,
        learnable: bool = True,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            feature_shape,
            num_classes,
            aggregation=ParametricPool(generalised_mean, "p", p, learnable),
            dropout=dropout,
            init=init,
        )
