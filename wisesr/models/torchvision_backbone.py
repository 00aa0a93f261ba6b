"""torchvision's models as backbones: their graph up to the last feature map, without pooling and classifier.

https://docs.pytorch.org/vision/stable/feature_extraction.html
"""

from __future__ import annotations

from typing import Literal

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from wisesr.errors import UserError, unknown
from wisesr.models.freeze import FreezableBackbone
from wisesr.models.weight_sources import IMAGENET, PACKAGE, find_weights
from wisesr.models.weights import load_file
from wisesr.types import FeatureShape

_POOLING = ("avgpool", "adaptive_avg_pool2d", "mean")
"""Nodes of a model's graph, by their names; those of its parts (squeeze and excitation) have longer ones."""
_CLASSIFIERS = ("fc", "classifier", "head", "heads", "aux1", "aux2", "AuxLogits")
"""What torchvision calls the parts behind the last map, and the classifiers for training alone."""
_MAP = "map"


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
        self.model = _cut(whole, {last_map: _MAP})
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
        features: Tensor = self.model(images)[_MAP]
        return features


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


def _cut(model: nn.Module, nodes: dict[str, str]) -> nn.Module:
    """A model that computes some nodes of its graph, by the names that they are given, and nothing behind them."""
    extractor: nn.Module = create_feature_extractor(model, nodes, suppress_diff_warning=True)
    return extractor


def _find_map(name: str, image_size: int) -> tuple[str, FeatureShape]:
    """The node of the model's graph that holds the last map before pooling and classifier, and the map's shape.

    On the meta device, which computes shapes and no numbers.
    """
    with torch.inference_mode(False), torch.device("meta"):
        model = _create(name).eval()
        _, nodes = get_graph_node_names(model, suppress_diff_warning=True)
        before = nodes[: next((index for index, node in enumerate(nodes) if node in _POOLING), None)]
        before = [node for node in before if node.split(".")[0] not in _CLASSIFIERS]
        try:
            answers = _cut(model, {node: node for node in before})(torch.empty(2, 3, image_size, image_size))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise UserError(f"backbone {name} refuses images of {image_size} px: {error}") from error
    maps = [(node, value) for node, value in answers.items() if isinstance(value, Tensor) and value.ndim == 4]
    if not maps:
        raise _no_map(name, "none of its answers is one")
    node, features = maps[-1]
    return node, FeatureShape(*features.shape[1:])


def _no_map(name: str, why: str) -> UserError:
    return UserError(f"backbone: torchvision's {name} leaves no feature map to a head: {why} (timm may have it: backbone=timm)")
