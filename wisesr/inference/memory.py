"""Which errors say that there is not enough memory: on a GPU torch has a class for it, on a CPU only words."""

from __future__ import annotations

import torch


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether a computation ended for want of memory, on whichever device."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "can't allocate memory" in str(error)
