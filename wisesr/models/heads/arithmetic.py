"""In which order a head adds up: a setting, because the last bits of its numbers depend on it.

Arithmetic 1 is how cells were computed that lack the setting: sums as matrix products, in one memory layout whatever that of
the map. 2 adds up in the layout of the map and answers with gradients in it, which the layers before the head then need
not copy; values differ by rounding alone. A finished cell keeps its own, which is in its fingerprint.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

Arithmetic = Literal[1, 2]
"""`head.arithmetic`. Signatures of heads spell it out: they are read as source."""


def check_arithmetic(arithmetic: int) -> None:
    """Refuse an arithmetic that there is not.

    Raises:
        ValueError: it is neither 1 nor 2.
    """
    if arithmetic not in (1, 2):
        raise ValueError(f"head.arithmetic must be one of 1, 2, not {arithmetic!r}")


def adds_in_layout(arithmetic: Arithmetic, features: Tensor, *others: Tensor) -> bool:
    """Whether sums over the positions of a map are computed in its memory layout.

    Measured on CPUs, and done there alone. Compilers lay out tensors themselves, and autocast chooses types by operation. Where
    operations are counted or recorded, the matrix products of arithmetic 1 are what is seen, so FLOPs stay what they were.

    Args:
        arithmetic: of the head.
        features: (batch, channels, height, width).
        others: what is computed with them.
    """
    return (
        arithmetic == 2
        and not torch.compiler.is_compiling()
        and len(features) > 0
        and features.dtype in (torch.float32, torch.float64)
        and all(one.device.type == "cpu" and one.dtype == features.dtype for one in (features, *others))
        and not torch.is_autocast_enabled("cpu")
        and not torch.jit.is_tracing()  # type: ignore[attr-defined]
        and not is_in_torch_dispatch_mode()
    )
