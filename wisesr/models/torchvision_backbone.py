"""torchvision's models as backbones: their graph up to the last feature map, without pooling and classifier.

https://docs.pytorch.org/vision/stable/feature_extraction.html
"""

from __future__ import annotations

from typing import Any, Literal

import torch
import torchvision
from torch import Tensor, nn

from wisesr.errors import UserError, unknown
from wisesr.models.freeze import FreezableBackbone
from wisesr.models.last_map import MAP, NoMapError, cut_at, find_last_map
from wisesr.models.module_copies import deepcopy_with_modes
from wisesr.models.weight_sources import IMAGENET, PACKAGE, find_weights
from wisesr.models.weights import load_file
from wisesr.types import FeatureShape

_CLASSIFIERS = ("fc", "classifier", "head", "heads", "aux1", "aux2", "AuxLogits")
"""What torchvision calls the parts behind the last map, and the classifiers for training alone."""


class TorchvisionBackbone(FreezableBackbone):
    """A model of torchvision.models without its pooling and classifier.

    Args:
        image_size: pixels, height and width of its input.
        model: torchvision's name of it, `resnet18`.
        weights: None to start at random, or the path of a file, torchvision's own or a cell's (`wisesr.models.weights`).
        freeze: None to train all of it, "all" to train none. Frozen parts stay in eval mode: BatchNorm keeps its statistics.

    Raises:
        UserError: torchvision has no such model, or one that leaves no feature map; the model refuses the size; the weights are
            not there or do not fit.

    Attributes:
        feature_shape, weights_hash, trained_inputs: as of `TimmBackbone`.
        mean, std: per channel, what torchvision's weights expect their input (in [0, 1]) to be normalised with: ImageNet's.
    """

    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)

    def __init__(
        self,
        image_size: int,
        *,
        model: str,
        weights: str | None = None,
        freeze: Literal["all"] | None = None,
    ) -> None:
        super().__init__()
        if weights in (IMAGENET, PACKAGE):
            raise UserError(f"backbone.weights must be null or a file for torchvision's models, not {weights} (timm's have it)")
        file = find_weights(model, weights)
        last_map, self.feature_shape = _find_map(model, image_size)
        whole = _create(model)
        self.model = cut_at(whole, last_map)
        left_out = whole.state_dict().keys() - self.model.state_dict().keys()
        if lost := sorted({name.split(".")[0] for name in left_out} - {*_CLASSIFIERS}):
            raise _no_map(model, f"the graph up to its last one lacks tensors of {', '.join(lost)}")
        self.model.pretrained_cfg = {"architecture": model, "classifier": _CLASSIFIERS}
        if file is not None:
            self.weights_hash, self.trained_inputs = load_file(self.model, file, packaged=False)
        if freeze == "all":
            self.model.requires_grad_(False)
        self.train()

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, channels, height, width)."""
        features: Tensor = self.model(images)[MAP]
        return features

    def __deepcopy__(self, memo: dict[int, Any]) -> TorchvisionBackbone:
        return deepcopy_with_modes(self, memo)


def _create(name: str) -> nn.Module:
    """Torchvision's model with random weights."""
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise UserError(unknown("model of torchvision", name, known))
    # These two normalise their input anew where they have weights: a file's expect it as well.
    settings = {"transform_input": True, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
    try:
        model: nn.Module = torchvision.models.get_model(name, weights=None, **settings)
    except NotImplementedError:  # on meta: RegNet computes its widths with tensors
        with torch.device("cpu"):
            return torchvision.models.get_model(name, weights=None, **settings).to("meta")  # type: ignore[no-any-return]
    return model


def _find_map(name: str, image_size: int) -> tuple[str, FeatureShape]:
    """The node of the model's graph that holds the last map before pooling and classifier, and the map's shape.

    On the meta device, which computes shapes and no numbers.
    """
    with torch.inference_mode(False), torch.device("meta"):
        model = _create(name).eval()
        try:
            return find_last_map(model, torch.empty(2, 3, image_size, image_size))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise UserError(f"backbone {name} refuses images of {image_size} px: {error}") from error
        except NoMapError as error:
            raise _no_map(name, str(error)) from error


def _no_map(name: str, why: str) -> UserError:
    return UserError(f"backbone: torchvision's {name} leaves no feature map to a head: {why} (timm may have it: backbone=timm)")
