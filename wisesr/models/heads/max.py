"""Global max pooling: a channel's feature is its strongest position, wherever that is.

Oquab et al. 2015, "Is object localization for free?", CVPR, pool so; there class scores, here the features that the
classifier gets. https://openaccess.thecvf.com/content_cvpr_2015/html/Oquab_Is_Object_Localization_2015_CVPR_paper.html
"""

from __future__ import annotations

from typing import Literal

from timm.layers import SelectAdaptivePool2d

from wisesr.models.heads.base import Head
from wisesr.types import FeatureShape


class MaxHead(Head):
    """y_c = max_ij x_cij, then a linear classifier. Arguments and errors: `Head`.

    Where several positions share the maximum (a channel that ReLU left at 0), they share its gradient. Not linear in the
    map: it has no evidence per position.
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
            # timm's "fast" is torch.amax. Its "max" is adaptive_max_pool2d, which deterministic mode refuses on CUDA:
            # https://docs.pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
            aggregation=SelectAdaptivePool2d(pool_type="fastmax", flatten=True),
            dropout=dropout,
            init=init,
        )
