"""How keras.applications starts a backbone's weights and sets its BatchNorm, on timm's modules; for `recipe=paper`.

Read off the layers of keras.applications (Keras 3.15.1) by `tests/fixtures/make_keras_conventions.py`, whose figures the tests
hold this table against. Families that it lacks take the defaults of Keras' layers.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from torch import Tensor, nn

from wisesr.errors import UserError


class Scaling(NamedTuple):
    """Keras' VarianceScaling: random weights of variance scale / fan. https://keras.io/api/layers/initializers/"""

    scale: float
    mode: Literal["fan_in", "fan_out", "fan_avg"]
    distribution: Literal["uniform", "truncated_normal"]


GLOROT_UNIFORM = Scaling(1, "fan_avg", "uniform")
HE_NORMAL = Scaling(2, "fan_in", "truncated_normal")
EFFICIENTNET = Scaling(2, "fan_out", "truncated_normal")

# Standard deviation of a standard normal distribution that is cut off at -2 and 2.
_TRUNCATED = 0.87962566103423978


class Family(NamedTuple):
    """What Keras does in the models of a family; the defaults are those of Keras' layers."""

    momentum: float = 0.99
    """Share of a moving statistic that stays each step: PyTorch's momentum is the rest."""
    epsilon: float = 1e-3
    scale: bool = True
    """Whether BatchNorm learns a scale."""
    convolution: Scaling = GLOROT_UNIFORM
    """Of all but the two halves of a separable convolution in timm's `SeparableConv2d`, which start glorot_uniform."""


FAMILIES = {
    "ResNet": Family(epsilon=1.001e-5),
    "ResNetV2": Family(epsilon=1.001e-5),
    "DenseNet": Family(epsilon=1.001e-5),
    "Xception": Family(),
    "InceptionV3": Family(scale=False),
    "InceptionV4": Family(scale=False),  # not in Keras: an Inception
    "InceptionResnetV2": Family(scale=False),
    "NASNetALarge": Family(momentum=0.9997, convolution=HE_NORMAL),
    "MobileNetV2": Family(momentum=0.999),
    "MobileNetV3": Family(momentum=0.999),
    "EfficientNet": Family(convolution=EFFICIENTNET),
    "EfficientNetV2": Family(momentum=0.9, convolution=EFFICIENTNET),
}
"""By the class of timm's model, but for timm's EfficientNet, which is the class of several families."""


def family_of(model: nn.Module) -> Family:
    """The family of a model of timm's; of anybody else's, the defaults of Keras' layers."""
    name = type(model).__name__
    if name == "EfficientNet":
        architecture = str(getattr(model, "pretrained_cfg", {}).get("architecture", ""))
        known = {"mobilenetv2": "MobileNetV2", "efficientnetv2": "EfficientNetV2", "efficientnet": "EfficientNet"}
        name = next((family for part, family in known.items() if part in architecture), "")
    return FAMILIES.get(name, Family())


def start_as_keras(model: nn.Module) -> None:
    """Draw the weights of convolutions and linear layers anew, as Keras does; their offsets become 0, in place.

    BatchNorm starts at scale 1 and offset 0, where timm has the last scale of a residual block start at 0. All other
    parameters (LayerNorm, positions, ...) stay as they are. Nothing of the model has been loaded.
    """
    family = family_of(model)
    separable = {part for block in model.modules() if type(block).__name__ == "SeparableConv2d" for part in block.modules()}
    for layer in model.modules():
        if isinstance(layer, (nn.Conv1d, nn.Conv2d)):
            draw(layer.weight, GLOROT_UNIFORM if layer in separable else family.convolution, keras_fans(layer))
        elif isinstance(layer, nn.Linear):
            draw(layer.weight, GLOROT_UNIFORM, (layer.in_features, layer.out_features))
        elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)) and layer.weight is not None:
            nn.init.ones_(layer.weight)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def batch_norm_as_keras(model: nn.Module) -> None:
    """Give all BatchNorm layers Keras' momentum and epsilon for this family, in place, pretrained or not.

    Where Keras learns no scale (the Inceptions), it is not trained: it stays 1, or what was loaded. So it still counts
    among a backbone's parameters, and no longer among the trainable ones, which are then as many as Keras'.
    """
    family = family_of(model)
    for layer in _batch_norms(model):
        layer.momentum, layer.eps = 1 - family.momentum, family.epsilon
        if layer.weight is not None and not family.scale:
            layer.weight.requires_grad_(False)


def epsilons(model: nn.Module) -> list[float]:
    """Epsilons of a model's BatchNorm layers, in order: part of what it computes, and in no state dict."""
    return [layer.eps for layer in _batch_norms(model)]


def set_epsilons(model: nn.Module, values: object) -> None:
    """Give BatchNorm the epsilons that a checkpoint tells, in place; None where it tells none.

    Raises:
        UserError: they are not one for each layer.
    """
    if values is None:
        return
    layers = _batch_norms(model)
    if not isinstance(values, list) or len(values) != len(layers):
        raise UserError(
            f"backbone.weights: the file must tell an epsilon for each of {len(layers)} BatchNorm layers, not {values}"
        )
    for layer, value in zip(layers, values, strict=True):
        layer.eps = float(value)


def _batch_norms(model: nn.Module) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    return [layer for layer in model.modules() if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))]


def keras_fans(layer: nn.Conv1d | nn.Conv2d) -> tuple[int, int]:
    """Numbers that a kernel reads and writes, as Keras counts them from its kernel's shape (..., inputs, outputs).

    A depthwise kernel is (..., channels, multiplier) there: all channels count as read and one as written, in PyTorch the
    other way round. So EfficientNet's kernels start wider than by PyTorch's count, and under glorot_uniform, which takes
    the mean of both, a depthwise kernel starts as narrow as if its channels were mixed.
    https://github.com/keras-team/keras/blob/v3.15.1/keras/src/initializers/random_initializers.py
    """
    extent = math.prod(layer.kernel_size)
    if layer.groups > 1 and layer.groups == layer.in_channels:
        return layer.in_channels * extent, layer.out_channels // layer.in_channels * extent
    return layer.in_channels // layer.groups * extent, layer.out_channels * extent


def draw(weight: Tensor, scaling: Scaling, fans: tuple[int, int]) -> None:
    """Draw a kernel in place; fans are in and out."""
    fan = {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2}[scaling.mode]
    deviation = math.sqrt(scaling.scale / fan)
    if scaling.distribution == "uniform":
        bound = math.sqrt(3) * deviation
        nn.init.uniform_(weight, -bound, bound)
    else:
        whole = deviation / _TRUNCATED  # of the normal distribution before it is cut
        nn.init.trunc_normal_(weight, std=whole, a=-2 * whole, b=2 * whole)
