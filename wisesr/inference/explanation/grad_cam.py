"""Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391) of the map that a head gets, by TorchCAM.

The map is computed once, by the run, and Grad-CAM is given the head alone. So its gradient never enters the backbone, and it
makes no difference whether that is frozen, has activations in place (DenseNet) or answers with tokens (ViT, Swin).

TorchCAM (https://github.com/frgfm/torch-cam, Apache 2.0) rather than grad-cam, which brings OpenCV and loads it on import.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from wisesr.errors import UserError
from wisesr.models.heads.base import Head

MISSING = "Grad-CAM needs TorchCAM: pip install 'wisesr[explain]' (Python 3.11 or later)"


def has_grad_cam() -> bool:
    """Whether TorchCAM is installed."""
    return find_spec("torchcam") is not None


class _OfImage(nn.Module):
    """A head whose image is given with it: a function of maps alone, which is what TorchCAM calls."""

    def __init__(self, head: Head, image: Tensor) -> None:
        super().__init__()
        self.head, self.image = head, image

    def forward(self, maps: Tensor) -> Tensor:
        return self.head.of_images(maps, self.image.expand(len(maps), -1, -1, -1))


def grad_cam(head: Head, features: Tensor, image: Tensor, classes: Sequence[int]) -> Tensor:
    """ReLU(sum_c mean_ij(d logit / d x_cij) x_c) for each class: (classes, height, width), float32 or float64, on the CPU.

    Args:
        head: in eval mode.
        features: one picture's map, (1, channels, height, width).
        image: the picture as the model sees it, (1, 3, size, size).
        classes: indices of logits.

    Raises:
        UserError: TorchCAM is not installed.
    """
    if not has_grad_cam():
        raise UserError(MISSING)
    from torchcam.methods import GradCAM

    model = nn.Sequential(nn.Identity(), _OfImage(head, image.to(features.device)))
    with torch.inference_mode(False), torch.enable_grad():
        # Cloned, as what comes from inference mode takes no gradient.
        maps = features.clone().to(next(head.parameters()).dtype).repeat(len(classes), 1, 1, 1).requires_grad_()
        with GradCAM(model, target_layer=model[0]) as method:
            (found,) = method(list(classes), model(maps), normalized=False)
    map_of_classes: Tensor = found.detach().cpu()
    return map_of_classes
