"""What a model costs: parameters, floating-point operations, room in checkpoints, peak memory."""

from __future__ import annotations

import math
import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim import Optimizer
from torch.utils.flop_counter import FlopCounterMode

from wisesr.models.classifier import Classifier
from wisesr.models.heads.base import Head

_PER_TENSOR = 640
"""Bytes, rather more than less: torch pads each to 64 and writes two headers, and its name stands in the pickle."""


def parameters(module: nn.Module) -> int:
    """Numbers that an optimizer could train, frozen ones among them; running statistics of BatchNorm do not count."""
    return sum(parameter.numel() for parameter in module.parameters())


def flops(model: Classifier, image_size: int) -> dict[str, int]:
    """Floating-point operations of one image's forward pass, a multiply-add counted as two, by part.

    Counted by torch (convolutions and matrix products only: an average counts as nothing). On "meta" nothing is computed.

    Returns:
        `backbone` and `head`.
    """
    device = next(model.parameters()).device
    images = torch.zeros(1, 3, image_size, image_size, device=device)
    backbone, features = forward_flops(model.backbone, images)
    return {"backbone": backbone, "head": head_flops(model.head, features, images)}


def forward_flops(part: nn.Module, inputs: Tensor) -> tuple[int, Tensor]:
    """Floating-point operations of one forward pass in eval mode, and what it answers. See `flops`."""
    return _counted(part, lambda: part(inputs))


def head_flops(head: Head, features: Tensor, images: Tensor) -> int:
    """Floating-point operations of a head on maps and the images that they come from, as of `Head.of_images`. See `flops`."""
    return _counted(head, lambda: head.of_images(features, images))[0]


def _counted(part: nn.Module, forward: Callable[[], Tensor]) -> tuple[int, Tensor]:
    was_training = part.training
    part.eval()
    # Fused attention on CPU has no formula in torch's counter; as plain matrix products it is counted on every device.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        outputs = forward()
    part.train(was_training)
    return counter.get_total_flops(), outputs


class Kind(NamedTuple):
    """What tensors must have in common to take the same room."""

    shape: tuple[int, ...]
    dtype: torch.dtype


def kinds(tensors: Iterable[Tensor], precision: str) -> Counter[Kind]:
    """How many tensors of each kind, under a precision of the trainer: "64-true" makes float64 of all floats."""
    wide = precision == "64-true"
    return Counter(
        Kind(tuple(tensor.shape), torch.float64 if wide and tensor.is_floating_point() else tensor.dtype) for tensor in tensors
    )


def stored_bytes(kind: Kind) -> int:
    """What a tensor takes in a checkpoint: its numbers, its name, its place in the archive."""
    return math.prod(kind.shape) * kind.dtype.itemsize + _PER_TENSOR


def state_bytes(make: Callable[[Iterable[dict[str, Any]]], Optimizer], parameters: Sequence[Kind]) -> list[int]:
    """What an optimizer's state takes in a checkpoint, for one parameter of each kind.

    From one step with zero gradients on the meta device. Where that cannot be had (an optimizer that wants a closure,
    say), twice the parameter, as Adam's.
    """
    twins = [nn.Parameter(torch.empty(kind.shape, dtype=kind.dtype, device="meta")) for kind in parameters]
    try:
        optimizer = make([{"params": twins, "names": ["weight"] * len(twins)}])
        for twin in twins:
            twin.grad = torch.zeros_like(twin)
        optimizer.step()
    except Exception:  # of anybody's optimizer
        return [2 * stored_bytes(kind) for kind in parameters]
    states = [[value for value in optimizer.state[twin].values() if isinstance(value, Tensor)] for twin in twins]
    return [sum(stored_bytes(Kind(tuple(value.shape), value.dtype)) for value in state) for state in states]


def peak_memory(device: torch.device) -> int:
    """Bytes: of the GPU's allocator where `device` is one, else the largest resident size of this process.

    Linux tells it in `VmHWM`; `ru_maxrss`, there in KiB, is at least that of whoever started the process
    (https://man7.org/linux/man-pages/man2/getrusage.2.html).
    """
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        if told := [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]:
            return told[0] * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def forget_peak_memory(device: torch.device) -> None:
    """Let `peak_memory` begin anew with what is taken now; where the system cannot do that, it goes on.

    Linux: https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
