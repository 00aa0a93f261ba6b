"""Optimizers by name, for `recipe.optimizer`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer

from wisesr.errors import UserError

Groups = Iterable[dict[str, Any]]
"""As torch.optim takes them: https://docs.pytorch.org/docs/stable/optim.html#per-parameter-options

The framework's also have `names`, a name for each of their parameters.
"""

_LAST_RATE = "last_lr"
"""Key of a parameter group."""


def adamw(
    parameters: Groups, *, lr: float, weight_decay: float, weight_decay_on: Literal["all", "weights"] = "all"
) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101) with its usual betas.

    Args:
        parameters: to train, in groups.
        lr: the schedule's peak.
        weight_decay: decoupled from the gradient.
        weight_decay_on: "all" parameters, or only "weights": see `spared`.

    Raises:
        UserError: another word for `weight_decay_on`; "weights" for groups without `names`.
    """
    if weight_decay_on not in ("all", "weights"):
        raise UserError(f"recipe.optimizer.weight_decay_on must be one of all, weights, not {weight_decay_on!r}")
    groups = [part for group in parameters for part in (_divided(group) if weight_decay_on == "weights" else [group])]
    return AdamW(groups, lr=lr, weight_decay=weight_decay)


def spared(name: str, parameter: Tensor) -> bool:
    """Whether a parameter is no weight: decay, which draws to 0, would say something that nobody means.

    Weights are called so, `weight` or `in_proj_weight`, and have two dimensions or more: kernels of convolutions and linear
    layers. Spared are scales and offsets of norms, offsets of layers, embeddings of positions, the exponent of GeM, and
    kernels that pool, whose start is an average (they are called `kernel`).
    """
    return parameter.ndim < 2 or not name.endswith("weight")


def _divided(group: dict[str, Any]) -> list[dict[str, Any]]:
    """A group as two: its weights, and what is spared."""
    if "names" not in group:
        raise UserError("weight_decay_on=weights needs the names of parameters: give each group a list `names` beside `params`")
    pairs = list(zip(group["names"], group["params"], strict=True))
    kinds = {False: [pair for pair in pairs if not spared(*pair)], True: [pair for pair in pairs if spared(*pair)]}
    parts = [
        group | {"names": [name for name, _ in own], "params": [parameter for _, parameter in own]} for own in kinds.values()
    ]
    parts[1]["weight_decay"] = 0.0
    return parts


def sgd(parameters: Groups, *, lr: float, momentum: float, weight_decay: float, lr_in_velocity: bool = False) -> Optimizer:
    """Stochastic gradient descent with (heavy-ball) momentum.

    Args:
        parameters: to train, in groups.
        lr: the schedule's start.
        momentum: in [0, 1).
        weight_decay: L2, added to the gradient.
        lr_in_velocity: True for v = momentum v - lr g, w = w + v, where a gradient keeps the rate of its own step, as in
            Keras; False for v = momentum v + g, w = w - lr v, where all follow the present rate, as in PyTorch. The same
            until the rate changes. https://github.com/keras-team/keras/blob/v3.15.1/keras/src/optimizers/sgd.py
    """
    optimizer = SGD(parameters, lr=lr, momentum=momentum, weight_decay=weight_decay)
    if lr_in_velocity:
        optimizer.register_step_pre_hook(_keep_rates)
    return optimizer


@torch.no_grad()
def _keep_rates(optimizer: Optimizer, *_: object) -> None:
    """Before a step whose rate is another than the last one's, scale velocities by last / present, group by group.

    -lr v is then what Keras' velocity is. The last rate is kept in the group, so in checkpoints too. A step that AMP skips
    does not come here, and counts neither here nor in Keras.

    Raises:
        UserError: the rate has become 0, at which Keras' weights would move on and PyTorch's cannot.
    """
    for group in optimizer.param_groups:
        rate = group["lr"]
        last = group.get(_LAST_RATE, rate)
        states = [optimizer.state[parameter] for parameter in group["params"] if parameter in optimizer.state]
        velocities = [velocity for state in states if (velocity := state.get("momentum_buffer")) is not None]
        if velocities and rate != last:
            if rate == 0:
                raise UserError(
                    f"recipe.optimizer.lr_in_velocity=true needs a learning rate above 0 once weights move, and the schedule "
                    f"goes from {last:g} to 0: recipe.optimizer.lr_in_velocity=false, or another recipe.schedule"
                )
            for velocity in velocities:
                velocity.mul_(last / rate)
        group[_LAST_RATE] = rate
