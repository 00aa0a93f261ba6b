"""Weights that must stay in some set, after every optimizer step."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Constrained(nn.Module):
    """A module whose weights must stay in some set; `wisesr.constrain` calls `project` after every optimizer step."""

    def project(self) -> None:
        """Bring the weights back, in place."""
        raise NotImplementedError


@torch.no_grad()
def project_non_negative(kernel: Tensor) -> None:
    """Clamp a kernel at 0 in place, as Keras' `NonNeg` does after each update.

    https://github.com/keras-team/keras/blob/v2.6.0/keras/constraints.py
    """
    kernel.clamp_(min=0)
