"""What a model costs: parameters, floating-point operations, peak memory."""

from __future__ import annotations

import resource
import sys

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from wisesr.models.classifier import Classifier


def parameters(module: nn.Module) -> int:
    """Trainable numbers; running statistics of BatchNorm do not count."""
    return sum(parameter.numel() for parameter in module.parameters())


def flops(model: Classifier, image_size: int) -> dict[str, int]:
    """Floating-point operations of one image's forward pass, a multiply-add counted as two, by part.

    Counted by torch (convolutions and matrix products only: an average counts as nothing).

    Args:
        model: on any device; on "meta" nothing is computed.
        image_size: pixels, height and width.

    Returns:
        `backbone` and `head`.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model = model.eval()
    images = torch.empty(1, 3, image_size, image_size, device=device)
    # Fused attention on CPU has no formula in torch's counter; as plain matrix products it is counted on every device.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        with FlopCounterMode(display=False) as backbone:
            features = model.backbone(images)
        with FlopCounterMode(display=False) as head:
            model.head(features)
    model.train(was_training)
    return {"backbone": backbone.get_total_flops(), "head": head.get_total_flops()}


def peak_memory(device: torch.device) -> int:
    """Bytes: of the GPU's allocator where `device` is one, else the largest resident size of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
