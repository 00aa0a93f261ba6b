"""timm's models as backbones with one contract: images in, a (batch, channels, height, width) feature map out.

timm (https://github.com/huggingface/pytorch-image-models) answers with maps of three kinds: channels first (ResNet),
channels last (Swin, some ConvNeXt), and tokens with prefix tokens before them (ViT). The adapter makes them one.
"""

from __future__ import annotations

import difflib
import math
from typing import Any

import timm
import torch
from torch import Tensor, nn

from wisesr.errors import UserError
from wisesr.types import FeatureShape


class TimmBackbone(nn.Module):
    """A timm model without its pooling and classifier.

    Args:
        image_size: pixels, height and width of its input; passed on to models that are built for one size.
        model: timm's name of it.

    Raises:
        UserError: timm has no such model, or the model refuses the size.

    Attributes:
        feature_shape: shape of one image's map.
        mean, std: per channel, what the model expects its input (in [0, 1]) to be normalised with.
    """

    feature_shape: FeatureShape
    model: Any

    def __init__(self, image_size: int, *, model: str) -> None:
        super().__init__()
        if not timm.is_model(model.split(".")[0]):
            near = difflib.get_close_matches(model, timm.list_models(), n=5, cutoff=0.4)
            raise UserError(f"timm has no model {model!r}. Near it: {', '.join(near) or 'nothing'}")
        self.model = _create(model, image_size)
        self.mean: tuple[float, ...] = tuple(self.model.pretrained_cfg["mean"])
        self.std: tuple[float, ...] = tuple(self.model.pretrained_cfg["std"])
        self.feature_shape, unused = self._measure(model, image_size)
        for name in unused:
            owner, _, leaf = name.rpartition(".")
            setattr(self.model.get_submodule(owner), leaf, None)

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, channels, height, width)."""
        features: Tensor = self.model.forward_features(images)
        channels = self.model.num_features
        if features.ndim == 3:
            return _fold_tokens(features[:, getattr(self.model, "num_prefix_tokens", 0) :])
        if features.shape[1] != channels and features.shape[-1] == channels:
            return features.permute(0, 3, 1, 2)
        return features

    def _measure(self, name: str, image_size: int) -> tuple[FeatureShape, list[str]]:
        """The map's shape, and the parameters that are not on the way to it: leftovers of timm's own head.

        ConvNeXt keeps its last norm there, for example. They would count as the backbone's, and DDP refuses them. From
        a forward and a backward pass of a copy on the meta device, which computes shapes and no numbers.
        """
        with torch.inference_mode(False), torch.device("meta"):
            twin = type(self).__new__(type(self))
            nn.Module.__init__(twin)
            twin.model = _create(name, image_size).eval()
            images = torch.empty(1, 3, image_size, image_size)
        try:
            with torch.inference_mode(False), torch.enable_grad():
                features = twin(images)
                shape = features.shape[1:]
                if len(shape) != 3 or min(shape) < 1:
                    raise ValueError(f"it leaves no feature map, but {tuple(shape)}")
                features.sum().backward()
        except (RuntimeError, AssertionError, ValueError) as error:
            raise UserError(f"backbone {name} refuses images of {image_size} px: {error}") from error
        unused = [key for key, parameter in twin.model.named_parameters() if parameter.grad is None]
        return FeatureShape(*shape), unused


def _create(name: str, image_size: int) -> Any:
    """Timm's model, told the size where it takes one (transformers) and not where it does not (most convolutions)."""
    try:
        try:
            return timm.create_model(name, pretrained=False, num_classes=0, global_pool="", img_size=image_size)
        except TypeError as error:
            if "img_size" not in str(error):
                raise
            return timm.create_model(name, pretrained=False, num_classes=0, global_pool="")
    except (RuntimeError, AssertionError, ValueError) as error:
        raise UserError(f"backbone {name} cannot be built by timm for images of {image_size} px: {error}") from error


def _fold_tokens(tokens: Tensor) -> Tensor:
    """(batch, side * side, channels) -> (batch, channels, side, side)."""
    side = math.isqrt(tokens.shape[1])
    if side * side != tokens.shape[1]:
        raise ValueError(f"{tokens.shape[1]} tokens do not fold into a square map")
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], side, side)
