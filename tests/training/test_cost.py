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


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_head_that_looks_at_images_is_counted(device: str) -> None:
    """Permuting is counted as nothing, as averaging is: a kernel's product and the classifier's are left."""
    with torch.device(device):
        permuted, plain = (create_model("test_resnet", head, 5, 192) for head in ("wise_shuffled_images", "wise"))
    counted = flops(permuted, 192)
    assert counted == flops(plain, 192)
    assert counted["head"] == 2 * permuted.backbone.feature_shape.channels * (3 * 3 + 5)
