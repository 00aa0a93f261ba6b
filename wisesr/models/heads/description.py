"""What a built head computes, in a text: two heads with the same text are one computation under two names.

`wise` on a map of 4x4 averages nothing and is `depthwise_nonneg`; on a map of 1x1 `gap`, `max` and `flatten` all hand on the
one position. A name says none of that; the modules that were built do. Nothing is computed: a head on the meta device will do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from timm.layers import SelectAdaptivePool2d
from torch import Tensor, nn

from wisesr.models.heads.base import Head
from wisesr.models.heads.gap import GlobalAverage

_OWN_OF_MODULES = frozenset(nn.Module().__dict__)
"""Attributes that every module has, and that say nothing of what it computes."""
_KNOWN = ("torch.nn.", "timm.layers.", "wisesr.models.heads.")
"""Where modules live whose start is a function of their settings. Others may keep a setting in nothing but a tensor."""


class _UnknownPartError(Exception):
    """Something that no text can be trusted to describe."""


def describe_head(head: Head) -> str | None:
    """A text that two heads share only if they are one computation to the last bit: function, start, and training.

    Two such heads, made from one seed behind one backbone, draw the same numbers in the same order, have the same parameters
    and gradients, and are constrained alike. What is equal in mathematics alone (an average of averages and one average, or
    `gwap_attention` on one position, which starts with other draws) has two texts.

    Args:
        head: as built, on any device.

    Returns:
        The text; None for a head with code that is not known here, which is never taken for another.
    """
    try:
        parts: Any = _stages(head) if type(head).forward is Head.forward else _module(head)
        return json.dumps([list(head.feature_shape), head.init, parts], sort_keys=True)
    except _UnknownPartError:
        return None


def _stages(head: Head) -> list[Any]:
    """Of a head with the forward pass of all: its four stages, whatever its class."""
    if not type(head).__module__.startswith(_KNOWN):
        raise _UnknownPartError
    alone = isinstance(head.pre_average, nn.Identity) and tuple(head.feature_shape[1:]) == (1, 1)
    aggregation = "the one position" if alone and _hands_on(head.aggregation) else _module(head.aggregation)
    return [_module(head.pre_average), aggregation, _module(head.dropout), _module(head.classifier)]


def _hands_on(aggregation: nn.Module) -> bool:
    """Whether an aggregation without weights gives the one position of a 1x1 map back, gradient and all, to the bit.

    Half the average and half the maximum (`avgmax`) do not in float16, whose smallest gradients have no half.
    """
    if isinstance(aggregation, SelectAdaptivePool2d):
        return aggregation.pool_type in ("fastmax", "fastavg")
    return type(aggregation) in (GlobalAverage, nn.Flatten)


def _module(module: nn.Module) -> Any:
    """Type, settings, tensors and parts of a module."""
    kind = type(module)
    if not f"{kind.__module__}.".startswith(_KNOWN):
        raise _UnknownPartError
    if isinstance(module, nn.Identity):
        return "identity"
    settings = {name: _plain(value) for name, value in module.__dict__.items() if name not in _OWN_OF_MODULES}
    tensors = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
    parts = [[name, _module(part)] for name, part in module.named_children()]
    return [_name(kind), settings, [[name, *_tensor(value)] for name, value in tensors], parts]


def _tensor(tensor: Tensor) -> list[Any]:
    return [list(tensor.shape), str(tensor.dtype), tensor.requires_grad]


def _plain(value: object) -> Any:
    """A setting as JSON; a function by its name."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (type, FunctionType)):
        return _name(value)
    raise _UnknownPartError


def _name(code: Any) -> str:
    """Where a class or function is, with its module."""
    return f"{code.__module__}.{code.__qualname__}"
