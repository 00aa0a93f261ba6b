"""Copies of a model that cost no memory: one with its very weights, one on the meta device that computes shapes alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from wisesr.errors import UserError

Model = TypeVar("Model", bound=nn.Module)


def sharing_copy(model: Model) -> Model:
    """A copy of a model's modules with the same parameters and buffers, the objects themselves.

    Parts can be taken out of it and the model stays as it was; whatever trains the one trains the other.

    Raises:
        UserError: its modules cannot be copied.
    """
    return _copy(model, lambda tensor: tensor)


def meta_copy(model: Model) -> Model:
    """A copy of a model on the meta device, which computes shapes and no numbers. All its parameters take gradients.

    Raises:
        UserError: its modules cannot be copied, or have parameters without a shape yet.
    """

    def without_numbers(tensor: Tensor) -> Tensor:
        twin = torch.empty_like(tensor, device="meta", requires_grad=False)
        if isinstance(tensor, nn.Parameter):
            return nn.Parameter(twin, requires_grad=twin.is_floating_point())
        return twin

    with torch.inference_mode(False), torch.no_grad():
        return _copy(model, without_numbers)


def take_modes(model: nn.Module, source: nn.Module) -> None:
    """Set training or eval mode of every part of a model as the part of this name has it in another one."""
    model.train(source.training)  # a model cut out of a graph has one graph for each mode, and chooses here
    modes = {name: part.training for name, part in source.named_modules()}
    for name, part in model.named_modules():
        part.training = modes.get(name, part.training)


def deepcopy_with_modes(model: Model, memo: dict[int, Any]) -> Model:
    """For `__deepcopy__` of what holds a model cut by torchvision, whose copies would come back in training mode."""
    twin = type(model).__new__(type(model))
    memo[id(model)] = twin
    twin.__dict__.update(copy.deepcopy(model.__dict__, memo))
    take_modes(twin, model)
    return twin


def _copy(model: Model, as_copied: Callable[[Tensor], Tensor]) -> Model:
    found = {id(tensor): tensor for tensor in _tensors(model)}
    for tensor in found.values():
        if is_lazy(tensor):
            raise UserError(f"{type(model).__name__} has lazy layers that have not seen an image yet: call it once, then again")
    try:
        return copy.deepcopy(model, {key: as_copied(tensor) for key, tensor in found.items()})
    except Exception as error:  # of whatever the modules hold
        raise UserError(f"{type(model).__name__} cannot be copied with copy.deepcopy: {error}") from error


def _tensors(model: nn.Module) -> Iterator[Tensor]:
    """All tensors that a model holds, those among them that it keeps as plain attributes."""
    yield from model.parameters()
    yield from model.buffers()
    for part in model.modules():
        yield from (value for value in vars(part).values() if isinstance(value, Tensor))
