"""The groups of parameters that an optimizer gets: the backbone's and the head's, with a name for each parameter."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer

from wisesr.errors import UserError


def named_group(part: nn.Module) -> dict[str, Any]:
    """What is trained of a part, as `torch.optim` takes it, with `names`, by which weights are told from offsets."""
    trained = [(name, parameter) for name, parameter in part.named_parameters() if parameter.requires_grad]
    return {"params": [parameter for _, parameter in trained], "names": [name for name, _ in trained]}


def finish_groups(optimizer: Optimizer, head: nn.Module, head_lr_scale: float) -> None:
    """Give the head its rate, and forget the names, which are no setting of the optimizer's.

    Args:
        optimizer: made from the groups of backbone and head; it may have divided them.
        head: of the model.
        head_lr_scale: the head's rate as a multiple of the optimizer's.

    Raises:
        UserError: the head is to have a rate of its own, and the optimizer keeps its parameters with the backbone's.
    """
    heads = {id(parameter) for parameter in head.parameters()}
    for group in optimizer.param_groups:
        group.pop("names", None)
        of_head = [id(parameter) in heads for parameter in group["params"]]
        if head_lr_scale == 1 or not any(of_head):
            continue
        if not all(of_head):
            raise UserError(
                f"recipe.head_lr_scale={head_lr_scale:g} needs the head's parameters in groups of their own, and "
                "recipe.optimizer has put them in one with the backbone's: recipe.head_lr_scale=1, or keep the groups"
            )
        group["lr"] *= head_lr_scale
