"""Somebody's own model, trained or not, as a backbone: all of it up to its last feature map, with its very weights."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor, fx, nn

from wisesr.errors import UserError
from wisesr.models.classifier import Classifier
from wisesr.models.heads.base import Head
from wisesr.models.last_map import MAP, NoMapError, cut_at, find_last_map
from wisesr.models.module_copies import deepcopy_with_modes, meta_copy, sharing_copy, take_modes
from wisesr.models.timm_maps import measure_map, timm_map
from wisesr.types import FeatureShape

Found = TypeVar("Found")

_WRAPPERS = {
    "OptimizedModule": "compile",
    "DataParallel": "wrap",
    "DistributedDataParallel": "wrap",
    "AveragedModel": "average",
    "ModelEmaV2": "average",
    "ModelEmaV3": "average",
    "RecursiveScriptModule": "script",
    "TopLevelTracedModule": "trace",
}
"""Modules around a model, and what one does again to the model that comes back."""
_OWN_HEAD = "a module of yours that answers with the map can have wisesr.create_head(...) behind it"


class ModelBackbone(nn.Module):
    """What a model of somebody's computes up to its last feature map.

    Its parameters and buffers are the model's own, the objects themselves; `backbone_of` makes one.

    Attributes:
        feature_shape: shape of one image's map.
        model: the model, without what is behind the map.
    """

    def __init__(self, model: nn.Module, feature_shape: FeatureShape) -> None:
        super().__init__()
        self.model = model
        self.feature_shape = feature_shape
        self.training = model.training
        self._has_features = not isinstance(model, fx.GraphModule)  # which is what a model cut in its graph is

    def forward(self, images: Tensor) -> Tensor:
        """(batch, channels, image height, image width) -> (batch, channels, height, width)."""
        if self._has_features:
            return timm_map(self.model, images)
        features: Tensor = self.model(images)[MAP]
        return features

    def __deepcopy__(self, memo: dict[int, Any]) -> ModelBackbone:
        return deepcopy_with_modes(self, memo)


class ModelWithHead(Classifier):
    """Somebody's model with a head of wisesr's: images -> logits, (batch, classes). `wisesr.replace_head` makes one."""

    backbone: ModelBackbone  # type: ignore[assignment]  # the contract of TimmBackbone, but for mean and std, which nobody knows

    def __init__(self, backbone: ModelBackbone, head: Head) -> None:
        super().__init__(backbone, head)  # type: ignore[arg-type]
        self.training = backbone.training

    def no_weight_decay(self) -> set[str]:
        """The parameters that the model wants without weight decay, of which timm's optimizers ask, by their names here."""
        names: set[str] = getattr(getattr(self.backbone, "model", None), "no_weight_decay", set)()
        return {f"backbone.model.{name}" for name in names}


def backbone_of(model: nn.Module, image_size: tuple[int, int]) -> ModelBackbone:
    """A model's own weights up to its last feature map, which is found by a forward pass on the meta device.

    With timm's `forward_features` where the model has it, else in its graph (torch.fx), as for torchvision's models; of a model
    with a head of ours, its own backbone. The model itself is left as it is.

    Args:
        model: (batch, channels, height, width) -> logits, on any device, of any floating dtype, in any mode.
        image_size: pixels, height and width.

    Raises:
        UserError: it refuses the size, or no map is found: says what was tried.
    """
    name = type(model).__name__
    if not isinstance(model, nn.Module):
        raise UserError(
            f"model must be a torch.nn.Module, not {name if not isinstance(model, type) else f'the class {model.__name__}'}"
        )
    if model._forward_pre_hooks:
        raise UserError(
            f"{name} has a forward pre-hook of its own, which would be lost with its head: "
            "remove it, and register it on what comes back"
        )
    if again := _WRAPPERS.get(name):
        raise UserError(f"replace_head takes the model inside of {name}: {again} what comes back, not what goes in")
    if isinstance(model, Classifier):
        return _of_ours(model, image_size)
    twin = meta_copy(model).eval()
    if callable(getattr(model, "forward_features", None)) and not prepares_images(type(model)):
        return _by_forward_features(model, twin, image_size)
    return _by_graph(model, twin, image_size)


def prepares_images(made: type[nn.Module]) -> bool:
    """Whether a subclass of a model of timm's has a forward of its own, in which images may be changed before the features."""
    order = made.__mro__
    forward, features = (
        next((at for at, one in enumerate(order) if name in vars(one)), len(order)) for name in ("forward", "forward_features")
    )
    return forward < features < len(order)


def _of_ours(model: Classifier, image_size: tuple[int, int]) -> ModelBackbone:
    """The backbone of a model that has a head of ours already, with all that it knows: freezing, mean and std."""
    twin = meta_copy(model.backbone).eval()
    try:
        shape, _ = _try_channels(twin, image_size, partial(measure_map, twin, twin))
    except Exception as error:  # whatever the model says
        raise _refused(model.backbone, image_size, _said(error)) from error
    body = sharing_copy(model.backbone)
    take_modes(body, model.backbone)
    body.feature_shape = shape
    return body  # type: ignore[return-value]  # of TimmBackbone's class, or another with its contract


def _by_forward_features(model: nn.Module, twin: nn.Module, image_size: tuple[int, int]) -> ModelBackbone:
    try:
        shape, unused = _try_channels(twin, image_size, lambda images: measure_map(twin, partial(timm_map, twin), images))
    except Exception as error:  # whatever the model says
        hint = "timm builds some models for one size, which timm.create_model takes as img_size"
        raise _refused(model, image_size, f"its forward_features gives no map: {_said(error)}. {hint}; {_OWN_HEAD}") from error
    cut = sharing_copy(model)
    _leave_out(cut, set(unused))
    take_modes(cut, model)
    return ModelBackbone(cut, shape)


def _by_graph(model: nn.Module, twin: nn.Module, image_size: tuple[int, int]) -> ModelBackbone:
    try:
        _try_channels(twin, image_size, twin)
    except Exception as error:  # whatever the model says
        tried = "tried on the meta device, which has shapes and no numbers"
        raise _refused(model, image_size, f"{_said(error)} ({tried}); {_OWN_HEAD}") from error
    try:
        node, shape = _try_channels(twin, image_size, partial(find_last_map, twin))
        cut = cut_at(sharing_copy(model), node)
    except Exception as error:  # of torch.fx, too, which cannot trace every model
        why = f"in its graph {error}" if isinstance(error, NoMapError) else f"torch.fx cannot trace its graph ({_said(error)})"
        own = (
            "it has a forward of its own, beside timm's"
            if prepares_images(type(model))
            else "it has no forward_features, as timm's models have,"
        )
        tried = f"{own} and {why}"
        raise UserError(f"no feature map was found in {type(model).__name__}: {tried}; {_OWN_HEAD}") from error
    take_modes(cut, model)
    return ModelBackbone(cut, shape)


def _try_channels(twin: nn.Module, image_size: tuple[int, int], find: Callable[[Tensor], Found]) -> Found:
    """What is found with two images of the model's dtype: of 3 channels, or else of as many as its first convolution takes."""
    dtype = next((parameter.dtype for parameter in twin.parameters() if parameter.is_floating_point()), torch.float32)
    first = next((part.in_channels for part in twin.modules() if isinstance(part, nn.Conv2d)), 3)
    with torch.inference_mode(False):
        images = [torch.empty(2, channels, *image_size, dtype=dtype, device="meta") for channels in dict.fromkeys((3, first))]
        try:
            return find(images[0])
        except Exception as error:  # whatever the model says
            for other in images[1:]:
                with suppress(Exception):
                    return find(other)
            raise error


def _said(error: Exception) -> str:
    """The beginning of what an error says: PyTorch's go on with links, graphs and stacks."""
    first = next(iter(str(error).strip().splitlines()), "")
    return textwrap.shorten(first, 160, placeholder=" ...").rstrip(".") or f"it raises {type(error).__name__}"


def _refused(model: nn.Module, image_size: tuple[int, int], why: str) -> UserError:
    return UserError(f"{type(model).__name__} refuses images of {image_size[0]}x{image_size[1]} px: {why}")


def _leave_out(model: nn.Module, unused: set[str]) -> None:
    """Take out parameters that are not on the way to the map; modules, where that holds for all of theirs."""
    for name, part in list(model.named_modules()):
        own = {f"{name}.{key}" if name else key for key, _ in part.named_parameters()}
        if name and own and own <= unused:
            _set(model, name, nn.Identity())
            unused -= own
    for name in unused:
        _set(model, name, None)


def _set(model: nn.Module, name: str, value: nn.Module | None) -> None:
    owner, _, leaf = name.rpartition(".")
    setattr(model.get_submodule(owner), leaf, value)
