"""What is counted, against counting by hand."""

from __future__ import annotations

import pytest
import torch

from wisesr import create_model
from wisesr.training.cost import flops


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_attention_is_counted_on_every_device(device: str) -> None:
    """A ViT by hand: patches, then per block qkv, two products of attention, projection and the two layers of the MLP."""
    with torch.device(device):
        model = create_model("test_vit", "gap", 5, 160)
    vit = model.backbone.model
    width, depth, patches, tokens = vit.embed_dim, len(vit.blocks), 10 * 10, 10 * 10 + vit.num_prefix_tokens
    hidden = vit.blocks[0].mlp.fc1.out_features
    block = tokens * width * (3 * width + width + 2 * hidden) + 2 * tokens * tokens * width
    expected = 2 * (patches * 3 * 16 * 16 * width + depth * block)
    assert flops(model, 160) == {"backbone": expected, "head": 2 * width * 5}
