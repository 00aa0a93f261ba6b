"""Settings of torch by which the same computation gives other numbers or takes another time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def torch_flags() -> dict[str, Any]:
    """Settings of torch's, in this process, by which the same computation gives other numbers or takes another time."""
    import torch

    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    flags: dict[str, Callable[[], Any]] = {
        "matmul_precision": torch.get_float32_matmul_precision,
        "cuda_matmul_tf32": lambda: matmul.allow_tf32,
        "cudnn_tf32": lambda: cudnn.allow_tf32,
        "cudnn_benchmark": lambda: cudnn.benchmark,
        "cudnn_deterministic": lambda: cudnn.deterministic,
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled,
    }
    return {name: _told(read) for name, read in flags.items()}


def _told(read: Callable[[], Any]) -> Any:
    """A flag; None where torch refuses to tell, as it does of TF32 where somebody has set it in its newer way.

    https://docs.pytorch.org/docs/stable/notes/cuda.html#tensorfloat-32-tf32-on-ampere-and-later-devices
    """
    try:
        return read()
    except RuntimeError:
        return None
