"""Kernels brought back into their constraint after every optimizer step, however the step comes about.

The hook sits on the optimizer itself, so it runs exactly when weights have moved: once per accumulated step, not at all
when AMP skips one, on every rank of DDP, inside Lightning and out. The optimizer's state is left untouched, as in Keras.
https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_post_hook.html
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from wisesr.errors import UserError
from wisesr.models.heads.constrained import Constrained


def constrain(optimizer: Optimizer, module: nn.Module) -> RemovableHandle:
    """Call `project()` of every `Constrained` submodule that the optimizer moves, after each `optimizer.step()`.

    As in the paper's Keras, a kernel is free until its first step: it starts around 0 and is projected with that step.
    A copy of the optimizer (deepcopy, pickle) has no hooks, as PyTorch leaves them out: constrain it again.

    Args:
        optimizer: of the module's parameters; parameters that it is given later count from then on.
        module: a head, or any module that contains heads; one with nothing to constrain is fine.

    Returns:
        A handle whose `remove()` lifts the constraint.

    Raises:
        UserError: none of the module's constrained parameters is the optimizer's, so nothing would ever be constrained; or
            one of the two is something else than an optimizer and a module.
    """
    if not isinstance(optimizer, Optimizer):
        raise UserError(
            f"constrain takes an optimizer and a module, and its first argument is a {type(optimizer).__name__}: "
            "call it as constrain(optimizer, model), once for each optimizer"
        )
    if not isinstance(module, nn.Module):
        raise UserError(f"constrain takes an optimizer and a module, and its second argument is a {type(module).__name__}")
    (handle,) = constrain_all([optimizer], module)
    return handle


def constrain_all(optimizers: Sequence[Optimizer], module: nn.Module) -> list[RemovableHandle]:
    """As `constrain`, for a module that several optimizers train: each constrains what it moves.

    Raises:
        UserError: none of the module's constrained parameters is one of theirs.
    """
    constrained = [part for part in module.modules() if isinstance(part, Constrained)]
    trained = [part for part in constrained if any(parameter.requires_grad for parameter in part.parameters())]
    if trained and not any(_moves(optimizer, part) for optimizer in optimizers for part in trained):
        raise UserError(
            f"constrain: the optimizer has no parameter of the module's {type(trained[0]).__name__}, which it is to constrain: "
            f"give it the head's parameters first, as by optimizer.add_param_group({{'params': head.parameters()}})"
        )
    return [_constrain(optimizer, constrained) for optimizer in optimizers]


def _constrain(optimizer: Optimizer, constrained: Sequence[Constrained]) -> RemovableHandle:
    def project(*_: object) -> None:
        for part in constrained:
            if _moves(optimizer, part):
                part.project()

    # timm's Lookahead has no hooks before its first zero_grad, and takes means of weights between steps, too: they stay in the
    # constraint where those of the optimizer inside of it do.
    # https://github.com/huggingface/pytorch-image-models/blob/main/timm/optim/lookahead.py
    inside: Optimizer = getattr(optimizer, "_base_optimizer", optimizer)
    if not hasattr(inside, "_optimizer_step_post_hooks"):  # an optimizer around another, as accelerate's, with none of its own
        inside = getattr(inside, "optimizer", inside)
    if not hasattr(inside, "_optimizer_step_post_hooks"):
        raise UserError(
            f"constrain: {type(optimizer).__name__} has no hooks of PyTorch's: constrain the optimizer inside of it"
        )
    return inside.register_step_post_hook(project)


def _moves(optimizer: Optimizer, part: nn.Module) -> bool:
    """Whether an optimizer has a parameter of a module."""
    own = {id(parameter) for parameter in part.parameters()}
    return any(id(parameter) in own for group in optimizer.param_groups for parameter in group["params"])
