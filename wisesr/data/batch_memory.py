"""Memory for whole batches, in huge pages where the system gives them.

A batch is tens of megabytes, fresh ones for each: filled in pages of 4 kB, the system's handing out of these took several times
as long as what is written there (3.6 of 3.9 ms an image at 512 px). NumPy asks for huge pages (madvise) where torch does not
unless an environment variable says so before it starts:
https://numpy.org/doc/stable/reference/global_state.html#madvise-hugepage-on-linux
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

_ALIGNED = 64
"""Bytes, as torch's own memory is."""


def empty_batch(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """As `torch.empty`: contiguous, not filled."""
    count = math.prod(shape) * dtype.itemsize
    memory = np.empty(count + _ALIGNED, np.uint8)
    start = -memory.ctypes.data % _ALIGNED
    return torch.from_numpy(memory[start : start + count]).view(dtype).view(shape)
