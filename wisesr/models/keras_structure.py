"""Strides and padding of keras.applications on timm's models, for `recipe=paper`: no parameter's name or shape changes.

By model and not by class, as the classes hold many models that Keras lacks: the names are those whose counterpart is there.
`tests/fixtures/make_keras_structure.py` has Keras' own features, which the tests hold this against. DenseNet and
Inception-ResNet need nothing. Offsets that Keras' ResNets have on convolutions before BatchNorm, which takes them out again,
stay out.
https://github.com/keras-team/keras/tree/v3.15.1/keras/src/applications
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from timm.layers import AvgPool2dSame, Conv2dSame, pad_same
from timm.layers.pool2d_same import MaxPool2dSame
from timm.models.inception_v3 import InceptionA, InceptionC, InceptionE
from timm.models.resnet import Bottleneck
from timm.models.resnetv2 import PreActBottleneck
from torch import Tensor, nn

_MARK = "structure_as_keras"


def structure_as_keras(model: nn.Module) -> None:
    """Make a model of timm's stride and pad as its counterpart in Keras, in place; once, however often it is asked.

    Its weights may be loaded or not. One without a counterpart that differs stays as it is.
    """
    change = STRUCTURES.get(str(getattr(model, "pretrained_cfg", {}).get("architecture", "")))
    if change is not None and not has_keras_structure(model):
        change(model)
        setattr(model, _MARK, True)


def has_keras_structure(model: nn.Module) -> bool:
    """Whether `structure_as_keras` changed it: part of what it computes, and in no state dict."""
    return bool(getattr(model, _MARK, False))


def _parts(model: nn.Module, kind: type) -> Iterator[tuple[nn.Module, str, Any]]:
    """All parts of a kind, each as (owner, name, part), to be replaced on the way."""
    for owner in list(model.modules()):
        for name, part in list(owner.named_children()):
            if type(part) is kind:
                yield owner, name, part


def _resnet(model: nn.Module) -> None:
    """A block strides in its first 1x1 convolution, in timm in the 3x3."""
    for block in model.modules():
        if isinstance(block, Bottleneck):
            block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride


def _resnet_v2(model: Any) -> None:
    """A stage strides in its last block, in timm in the next stage's first; zeros around the stem's pooling, which can win."""
    stem = model.stem.pool
    model.stem.pool = nn.Sequential(nn.ConstantPad2d(stem.padding, 0.0), nn.MaxPool2d(stem.kernel_size, stem.stride))
    for stage, following in zip(model.stages[:-1], model.stages[1:], strict=True):
        first = following.blocks[0]
        stride = first.conv2.stride
        first.conv2.stride = first.downsample.conv.stride = (1, 1)
        stage.blocks[-1] = LastOfStage(stage.blocks[-1], stride)


def _xception(model: nn.Module) -> None:
    """TensorFlow's padding around the poolings: on an even map only after it, in timm on both sides."""
    for owner, name, pool in _parts(model, nn.MaxPool2d):
        setattr(owner, name, MaxPool2dSame(pool.kernel_size, pool.stride))


def _inception(model: nn.Module) -> None:
    """A mean at the border is over the positions that there are; timm's, which no module holds, counts the padding too."""
    for block in model.modules():
        if isinstance(block, (InceptionA, InceptionC, InceptionE)):
            block.branch_pool.register_forward_pre_hook(uncount_padding)


def _nasnet(model: nn.Module) -> None:
    """Means of stride 1 do not count the padding, in timm they do; the padding of maxima is zeros, which can win."""
    for owner, name, pool in _parts(model, AvgPool2dSame):
        if pool.stride == (1, 1):
            setattr(owner, name, nn.AvgPool2d(pool.kernel_size, 1, pool.kernel_size[0] // 2, count_include_pad=False))
    for owner, name, pool in _parts(model, MaxPool2dSame):
        setattr(owner, name, ZeroPaddedMaxPool(pool.kernel_size, pool.stride))


def _efficient(model: nn.Module) -> None:
    """TensorFlow's padding in convolutions that stride, as in timm's tf_ variants."""
    for owner, name, layer in _parts(model, nn.Conv2d):
        if layer.stride != (1, 1):
            with torch.device("meta"):  # to draw nothing
                same = Conv2dSame(
                    layer.in_channels,
                    layer.out_channels,
                    layer.kernel_size,
                    layer.stride,
                    dilation=layer.dilation,
                    groups=layer.groups,
                    bias=layer.bias is not None,
                )
            same.weight, same.bias = layer.weight, layer.bias
            setattr(owner, name, same.train(layer.training))


class LastOfStage(PreActBottleneck):
    """A block of ResNetV2 that strides, with every other position of its input as the shortcut.

    It takes over the layers of a block that has no convolution in its shortcut.
    """

    def __init__(self, block: Any, stride: tuple[int, int]) -> None:
        nn.Module.__init__(self)
        for name, layer in block.named_children():
            self.add_module(name, layer)
        self.training = block.training
        self.stride = stride
        self.conv2.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels, height / stride, width / stride), rounded up."""
        residual = self.conv1(self.norm1(x))
        residual = self.conv3(self.norm3(self.conv2(self.norm2(residual))))
        residual = self.drop_path(residual)
        return residual + x[:, :, :: self.stride[0], :: self.stride[1]]  # type: ignore[no-any-return]


class ZeroPaddedMaxPool(MaxPool2dSame):
    """TensorFlow's padding, but zeros, as where Keras pads by a layer of its own."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, channels, height / stride, width / stride), rounded up."""
        return F.max_pool2d(pad_same(x, self.kernel_size, self.stride), self.kernel_size, self.stride)


def uncount_padding(_: nn.Module, inputs: tuple[Tensor]) -> Tensor:
    """Hook before a layer: its one input, 3x3 means with zeros counted beyond the border, as means of what is inside."""
    (means,) = inputs
    inside = F.avg_pool2d(means.new_ones(1, 1, *means.shape[-2:]), kernel_size=3, stride=1, padding=1)
    return means / inside


STRUCTURES: dict[str, Callable[[nn.Module], None]] = {
    **dict.fromkeys(("resnet50", "resnet101", "resnet152"), _resnet),
    **dict.fromkeys(("resnetv2_50", "resnetv2_101", "resnetv2_152"), _resnet_v2),
    "legacy_xception": _xception,
    "inception_v3": _inception,
    "nasnetalarge": _nasnet,
    "mobilenetv2_100": _efficient,
    **{f"efficientnet_b{number}": _efficient for number in range(8)},
}
"""By timm's name of the model, what makes it stride and pad as Keras' model of that name."""
