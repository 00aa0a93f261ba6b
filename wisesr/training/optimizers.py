"""Optimizers by name, for `recipe.optimizer`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch.optim import SGD, AdamW, Optimizer

Groups = Iterable[dict[str, Any]]
"""As torch.optim takes them: https://docs.pytorch.org/docs/stable/optim.html#per-parameter-options"""


def adamw(parameters: Groups, *, lr: float, weight_decay: float) -> Optimizer:
    """AdamW (Loshchilov and Hutter 2017, https://arxiv.org/abs/1711.05101) with its usual betas.

    Args:
        parameters: to train, in groups.
        lr: the schedule's peak.
        weight_decay: decoupled, on all parameters.
    """
    return AdamW(parameters, lr=lr, weight_decay=weight_decay)


def sgd(parameters: Groups, *, lr: float, momentum: float, weight_decay: float) -> Optimizer:
    """Stochastic gradient descent with (heavy-ball) momentum.

    Args:
        parameters: to train, in groups.
        lr: the schedule's start.
        momentum: in [0, 1).
        weight_decay: L2, added to the gradient.
    """
    return SGD(parameters, lr=lr, momentum=momentum, weight_decay=weight_decay)
