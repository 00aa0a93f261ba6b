"""Weights that must stay in some set, after every optimizer step."""

from __future__ import annotations

from torch import nn


class Constrained(nn.Module):
    """A module whose weights must stay in some set; `wisesr.constrain` calls `project` after every optimizer step."""

    def project(self) -> None:
        """Bring the weights back, in place."""
        raise NotImplementedError
