"""Half global average, half global max pooling, timm's `avgmax`.

The share 1/2, fixed and for the whole map, of what Lee, Gallagher and Tu 2015 (https://arxiv.org/abs/1509.08985) call "mixed"
max-average pooling, a max + (1 - a) mean, with a learned a and for the pooling between layers.
"""

from __future__ import annotations

from typing import Literal

from timm.layers import SelectAdaptivePool2d

from wisesr.models.heads.base import Head
from wisesr.types import FeatureShape


class AverageMaxHead(Head):
    """y_c = (mean_ij x_cij + max_ij x_cij) / 2, then a linear classifier. Arguments and errors: `Head`.

    Not linear in the map: it has no evidence per position.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            feature_shape,
            num_classes,
            # "fast" for the reason that max.py gives.
            aggregation=SelectAdaptivePool2d(pool_type="fastavgmax", flatten=True),
            dropout=dropout,
            init=init,
        )
