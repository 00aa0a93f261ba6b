"""The map of a model with timm's `forward_features`, whatever the layout in which it answers, and what has no part in it.

timm (https://github.com/huggingface/pytorch-image-models) answers with maps of three kinds: channels first (ResNet),
channels last (Swin, some ConvNeXt), and tokens with prefix tokens before them (ViT). Here they become one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from wisesr.types import FeatureShape


def timm_map(model: Any, images: Tensor) -> Tensor:
    """The feature map of a model of timm's: (batch, 3, H, W) -> (batch, channels, height, width).

    Raises:
        ValueError: it answers with something else than one map, or with tokens of which the map's cannot be told.
    """
    features = model.forward_features(images)
    if not isinstance(features, Tensor):
        raise ValueError(f"{type(model).__name__} answers with a {type(features).__name__}, not with one map")
    channels = getattr(model, "num_features", None)
    if features.ndim == 3:
        if getattr(model, "cls_token", None) is not None and not hasattr(model, "num_prefix_tokens"):
            raise ValueError("it answers with a class token, and has no num_prefix_tokens that sets the map's tokens apart")
        patches = features[:, getattr(model, "num_prefix_tokens", 0) :]
        return fold_tokens(patches, images.shape[-2] / images.shape[-1])
    if features.ndim == 4 and features.shape[1] != channels and features.shape[-1] == channels:
        return features.permute(0, 3, 1, 2)
    return features


def fold_tokens(tokens: Tensor, aspect: float = 1.0) -> Tensor:
    """(batch, height * width, channels) -> (batch, channels, height, width), row by row.

    Args:
        tokens: of the patches alone.
        aspect: height / width of the images, which is that of the map.

    Raises:
        ValueError: they fill no such map.
    """
    count = tokens.shape[1]
    height = max(round(math.sqrt(count * aspect)), 1)
    if count % height or round(count / height * aspect) != height:
        raise ValueError(f"{count} tokens do not fold into a {'square ' if aspect == 1 else ''}map")
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], height, count // height)


def measure_map(model: nn.Module, to_map: Callable[[Tensor], Tensor], images: Tensor) -> tuple[FeatureShape, list[str]]:
    """The map's shape, and the parameters that are not on the way to it: leftovers of the model's own head.

    ConvNeXt keeps its last norm there, for example. They would count as the backbone's, and DDP refuses them.

    Args:
        model: on the meta device, in eval mode, all of its parameters with gradients, none of which is there yet.
        to_map: its images to its map.
        images: (batch, channels, height, width), on the meta device.

    Raises:
        ValueError, RuntimeError, AssertionError: it refuses the size, or leaves no map.
    """
    with torch.inference_mode(False), torch.enable_grad():
        features = to_map(images)
        shape = features.shape[1:]
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"it leaves no feature map, but {tuple(shape)}")
        features.sum().backward()
    return FeatureShape(*shape), [name for name, parameter in model.named_parameters() if parameter.grad is None]
