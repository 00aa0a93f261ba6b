"""Kernels brought back into their constraint after every optimizer step, however the step comes about.

The hook sits on the optimizer itself, so it runs exactly when weights have moved: once per accumulated step, not at all
when AMP skips one, on every rank of DDP, inside Lightning and out. The optimizer's state is left untouched, as in Keras.
https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_post_hook.html
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle


def constrain(optimizer: Optimizer, module: nn.Module) -> RemovableHandle:
    """Call `project()` of every submodule that has one after each `optimizer.step()`.

    Args:
        optimizer: of the module's parameters.
        module: a head, or any module that contains heads.

    Returns:
        A handle whose `remove()` lifts the constraint.
    """
    found = [getattr(part, "project", None) for part in module.modules()]
    projections = [call for call in found if callable(call)]

    def project(*_: object) -> None:
        for call in projections:
            call()

    return optimizer.register_step_post_hook(project)
