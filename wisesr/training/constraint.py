"""Kernels brought back into their constraint after every optimizer step, however the step comes about.

The hook sits on the optimizer itself, so it runs exactly when weights have moved: once per accumulated step, not at all
when AMP skips one, on every rank of DDP, inside Lightning and out. The optimizer's state is left untouched, as in Keras.
https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.register_step_post_hook.html
"""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from wisesr.models.heads.constrained import Constrained


def constrain(optimizer: Optimizer, module: nn.Module) -> RemovableHandle:
    """Call `project()` of every `Constrained` submodule after each `optimizer.step()`.

    Args:
        optimizer: of the module's parameters.
        module: a head, or any module that contains heads.

    Returns:
        A handle whose `remove()` lifts the constraint.
    """
    constrained = [part for part in module.modules() if isinstance(part, Constrained)]

    def project(*_: object) -> None:
        for part in constrained:
            part.project()

    return optimizer.register_step_post_hook(project)
