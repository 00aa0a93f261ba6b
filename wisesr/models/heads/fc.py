"""VGG's classifier: two hidden layers on the flattened map, what came before global average pooling.

Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556. On 512x7x7 with `pre_pool=1`, hidden 4096 and 1,000 classes it is
VGG's to the number, 123,642,856 parameters. On ResNet50's 2048x7x7 map and 70 classes, 2x2 averaging leaves 18,432 inputs
beside VGG's 25,088, and the head has 92,569,670 parameters (GAP: 143,430); with `pre_pool=1`, 428,113,990.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import nn

from wisesr.models.heads.base import Head, check_dropout, check_shape
from wisesr.models.heads.initialisation import start_linear
from wisesr.models.heads.pre_average import pre_average
from wisesr.types import FeatureShape


def hidden_layers(inputs: int, hidden: int, dropout: float, init: str = "normal") -> nn.Sequential:
    """relu(W_2 dropout(relu(W_1 x + b_1)) + b_2): (batch, ...) -> (batch, hidden), x being the flattened map.

    Kernels from N(0, 0.01), offsets from 0, as in all heads here and in torchvision's VGG. (VGG's paper speaks of a variance
    of 0.01 where torchvision's code has a standard deviation of 0.01.)
    https://github.com/pytorch/vision/blob/main/torchvision/models/vgg.py

    Args:
        inputs: numbers in one image's map.
        hidden: width of both layers.
        dropout: after the first layer; the one after the second is left to `Head`, which drops before its classifier.
        init: "normal", or "torch" for nn.Linear's own start.
    """
    layers = nn.Sequential(
        nn.Flatten(),
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
    )
    for layer in layers:
        if isinstance(layer, nn.Linear):
            start_linear(layer, init)
    return layers


class FullyConnectedHead(Head):
    """Pre-averaging, two hidden layers with ReLU and dropout, linear classifier.

    Not linear in the map: it has no evidence per position.

    Args:
        feature_shape, num_classes, init: as of `Head`.
        pre_pool: side of the averaging window, or None to take it from the map's extent.
        pre_pool_mode: what becomes of rows and columns beyond the last whole window; see `PrePoolMode`.
        hidden: width of both hidden layers, at least 1.
        dropout: after each hidden layer, in [0, 1).

    Raises:
        ValueError: a value out of its range; a window larger than the map.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        pre_pool: int | None = None,
        pre_pool_mode: Literal["valid", "ceil"] = "valid",
        hidden: int = 4096,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.5,
    ) -> None:
        shape = check_shape(feature_shape)
        check_dropout(dropout)
        if hidden < 1:
            raise ValueError(f"head.hidden must be at least 1, not {hidden}")
        averaging = pre_average(shape, pre_pool, pre_pool_mode)
        super().__init__(
            shape,
            num_classes,
            pre_average=averaging.module(),
            aggregation=hidden_layers(math.prod(averaging.left), hidden, dropout, init),
            features=hidden,
            dropout=dropout,
            init=init,
        )
