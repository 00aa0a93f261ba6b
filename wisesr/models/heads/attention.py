"""CLIP's attention pooling: multi-head attention with learned positions, asked by the average.

Radford et al. 2021, https://arxiv.org/abs/2103.00020, section 2.4, as timm computes it:
https://github.com/huggingface/pytorch-image-models/blob/main/timm/layers/attention_pool2d.py. On ResNet50's 2048x7x7 map and 70
classes the head has 12,834,886 parameters (GAP: 143,430).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from timm.layers import AttentionPool2d, resample_abs_pos_embed
from torch import Tensor

from wisesr.models.heads.base import Head, check_shape
from wisesr.types import FeatureShape


class AttentionHead(Head):
    """Attention pooling, then a linear classifier.

    With n from 1 to height * width, x_n (channels,) and x_0 = mean_n x_n, and a learned position p_n (channels,) for each:

        z_n = x_n + p_n,  q = W_q z_0 + b_q,  k_n = W_k z_n + b_k,  v_n = W_v z_n + b_v
        a_n = softmax_n(q . k_n / sqrt(head_dim)),  y = sum_n a_n v_n,  n now from 0

    where q, k_n and v_n are cut into pieces of `head_dim`, each piece with its own a, and y is their chain. CLIP's projection
    of y is left out: the classifier stands in its place. timm's initialisation of its layers is kept: W and p
    normal with a standard deviation of channels^-0.5, b from 0. Not linear in the map: it has no evidence per position.

    Args:
        feature_shape, num_classes, init, dropout: as of `Head`.
        head_dim: channels of one attention head; divides the channels.

    Raises:
        ValueError: a value out of its range; channels that do not divide.
    """

    def __init__(
        self,
        feature_shape: FeatureShape | tuple[int, int, int],
        num_classes: int,
        *,
        head_dim: int = 64,
        init: Literal["normal", "torch"] = "normal",
        dropout: float = 0.0,
    ) -> None:
        shape = check_shape(feature_shape)
        if head_dim < 1 or shape.channels % head_dim:
            raise ValueError(f"head.head_dim must divide the map's {shape.channels} channels, which {head_dim} does not")
        super().__init__(
            shape,
            num_classes,
            # 0: no projection.
            aggregation=AttentionPool2d(
                shape.channels, feat_size=(shape.height, shape.width), out_features=0, head_dim=head_dim
            ),
            dropout=dropout,
            init=init,
        )

    def resized_state(self, state: Mapping[str, Tensor], trained: FeatureShape) -> dict[str, Tensor]:
        """The learned positions, resized as timm resizes those of a transformer; the average's own stays."""
        name, shape = "aggregation.pos_embed", self.feature_shape
        new = resample_abs_pos_embed(
            state[name][None],
            new_size=[shape.height, shape.width],
            old_size=[trained.height, trained.width],
            num_prefix_tokens=1,
        )
        return super().resized_state({**state, name: new[0]}, trained)
