"""Whether a map depends on its image's place in a full batch: kept maps are read at all places, and are computed at one.

It does where an operation takes a batch in blocks, and computes the rest of it in another way. Two things are looked at:

- Maps of one image at every place of a batch. What sums in another order at some places shows in nearly any image.
- On a CPU, how many values are written by operations that go value by value through a whole batch. Vectors of them go through
  other code than those that are left at the end, where a sigmoid differs in its last bit for one value in ten: no test with a
  few images finds that for sure. So nothing may be left, of the whole and of what each thread takes of it, but of operations
  that are rounded correctly, or begin anew with each image, row or channel.
  https://github.com/pytorch/pytorch/blob/v2.9.0/aten/src/ATen/native/cpu/Loops.h
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_AT_ONCE = 128
"""Bytes that such a loop takes in one step at most: two vectors of AVX-512."""
_GRAIN = 32768
"""Values below which a loop is not divided among threads."""
_SAME = frozenset(
    (
        *("relu", "hardtanh", "clamp", "clamp_min", "clamp_max", "abs", "neg", "add", "sub", "mul", "div", "sqrt", "maximum"),
        *("leaky_relu", "threshold", "where", "minimum", "hardsigmoid", "hardswish"),
        *("convolution", "addmm", "mm", "bmm", "baddbmm", "native_batch_norm", "native_layer_norm", "native_group_norm"),
        *("_softmax", "_safe_softmax", "_scaled_dot_product_flash_attention_for_cpu", "mean", "sum", "amax", "max", "cumsum"),
        *("max_pool2d_with_indices", "avg_pool2d", "_adaptive_avg_pool2d", "adaptive_max_pool2d", "constant_pad_nd"),
        *("reflection_pad2d", "replication_pad2d", "upsample_nearest2d", "cat", "stack", "clone", "copy", "_to_copy", "roll"),
        *("index", "gather", "repeat", "empty", "empty_like", "zeros", "zeros_like", "ones", "ones_like", "full", "arange"),
    )
)
"""Operations that give the same bits for a value wherever it stands. Views write nothing."""


class Places(NamedTuple):
    """How far maps depend on places."""

    difference: float
    """The largest that was seen between maps of one image."""
    left_over: bool
    """Whether some values of a batch go through other code than the rest."""

    @property
    def matter(self) -> bool:
        """Whether maps that are kept may be others, in their last bits, than those of a batch."""
        return bool(self.difference) or self.left_over


class Sizes(TorchDispatchMode):
    """Notes of what other operations than those of `_SAME` write how many values it has, and the bytes of one."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, int]] = set()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        outputs = func(*args, **kwargs or {})
        if func.is_view or (func.namespace == "aten" and func.overloadpacket.__name__.rstrip("_") in _SAME):
            return outputs
        floats = [leaf for leaf in tree_leaves(outputs) if isinstance(leaf, Tensor) and leaf.is_floating_point()]
        self.seen |= {(tensor.numel(), tensor.element_size()) for tensor in floats}
        return outputs

    def left_over(self, batch: int, threads: int) -> bool:
        """Whether one that has values of each of so many images leaves some, on so many threads."""
        of_images = [(count, size) for count, size in self.seen if count and count % batch == 0]
        return any(part * size % _AT_ONCE for count, size in of_images for part in _parts(count, threads))


def _parts(count: int, threads: int) -> set[int]:
    """Values that threads take of so many, as of `at::parallel_for`."""
    used = min(threads, math.ceil(count / _GRAIN)) if count >= _GRAIN else 1
    each = math.ceil(count / used)
    return {each, count - (math.ceil(count / each) - 1) * each}


def largest_distance(one: Tensor, other: Tensor) -> float:
    """Of two tensors' values; the highest number there is where it is none."""
    if torch.equal(one, other):
        return 0.0
    distance = float((one.double() - other.double()).abs().max())
    return distance if math.isfinite(distance) else float(torch.finfo(torch.float64).max)
