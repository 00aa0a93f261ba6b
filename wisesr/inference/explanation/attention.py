"""How attention heads weigh the positions of a map, by each head's own formula.

timm's layers hand the weights to a fused kernel, which does not give them back: they are computed here from the layers' own
projections. A further kind of attention registers itself: `@attention_of.register`.
"""

from __future__ import annotations

from functools import singledispatch

import torch
from timm.layers import AttentionPool2d, SimPool2d
from torch import Tensor, nn

from wisesr.models.heads.gwap_attention import AttentiveAverage
from wisesr.results.explanation import Attention


def attention(aggregation: nn.Module, features: Tensor) -> Attention | None:
    """The weights of one picture's positions; None where the aggregation does not weigh by what is there.

    Args:
        aggregation: of a head, in eval mode.
        features: as the aggregation gets them, (1, channels, height, width), in its precision.
    """
    with torch.inference_mode():
        weights = attention_of(aggregation, features)
    if weights is None:
        return None
    rows, height, width = weights[0].double().cpu(), *features.shape[2:]
    rest, positions = rows.tensor_split([rows.shape[1] - height * width], dim=1)
    return Attention(positions.unflatten(1, (height, width)).numpy(), rest.sum(dim=1).numpy())


@singledispatch
def attention_of(aggregation: nn.Module, features: Tensor) -> Tensor | None:
    """Weights after softmax, (batch, attention heads, tokens): the positions' are the last height * width of them."""
    return None


@attention_of.register
def _attention_pool(aggregation: AttentionPool2d, features: Tensor) -> Tensor:
    """The average's question to itself, the first token, and to every position (`wisesr.models.heads.attention`)."""
    positions = features.flatten(2).transpose(1, 2)
    tokens = torch.cat([positions.mean(1, keepdim=True), positions], dim=1) + aggregation.pos_embed
    parts = aggregation.qkv(tokens).unflatten(2, (3, aggregation.num_heads, aggregation.head_dim))
    question, keys = parts[:, 0, 0], parts[:, :, 1]
    scores: Tensor = torch.einsum("bhd,bnhd->bhn", question, keys) * aggregation.scale
    return scores.softmax(dim=2)


@attention_of.register
def _sim_pool(aggregation: SimPool2d, features: Tensor) -> Tensor:
    """The average's question to every position (`wisesr.models.heads.simpool`)."""
    positions = features.flatten(2).transpose(1, 2)
    pieces = (aggregation.num_heads, aggregation.head_dim)
    question = aggregation.q_norm(aggregation.q(positions.mean(1)).unflatten(1, pieces))
    keys = aggregation.k_norm(aggregation.k(aggregation.norm(positions)).unflatten(2, pieces))
    scores: Tensor = torch.einsum("bhd,bnhd->bhn", question, keys) * aggregation.scale
    return scores.softmax(dim=2)


@attention_of.register
def _attentive_average(aggregation: AttentiveAverage, features: Tensor) -> Tensor:
    """The shares of `wisesr.models.heads.gwap_attention.attentive_average`: one attention head."""
    scores = torch.einsum("bchw,c->bhw", features, aggregation.kernel) + aggregation.bias
    return torch.softmax(scores.sigmoid().flatten(1), dim=1)[:, None]
