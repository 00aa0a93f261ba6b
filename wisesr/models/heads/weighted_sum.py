"""Weighted sums over the positions of a map, in whatever memory layout it has, at about the speed of memory.

A matrix product wants the channels first, and copies a channels_last map to get there, forward and backward. Product and sum
need no order; done for the whole map they write and read a second one of its size. So they are done in blocks of images
that stay in the cache. Measured: benchmarks/heads.py.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

_BLOCK = 2**17
"""Numbers of a block, 512 KiB in float32, or of one image: the product is still in the cache when it is summed."""
_IMAGE = 2**14
"""Numbers of an image's map from which one call an image costs less than products that are written and read again."""


def plain_weighted_sum(features: Tensor, kernel: Tensor) -> Tensor:
    """y_c = sum_ij k_cij x_cij as a batched matrix product, which any device, compiler and counter of operations knows.

    (batch, channels, height, width), (channels, height, width) -> (batch, channels)
    """
    return torch.einsum("bchw,chw->bc", features, kernel)


def weighted_sum(features: Tensor, kernel: Tensor) -> Tensor:
    """The same on a CPU, in the layout of the map; its gradient to the map is in that layout, too.

    Args:
        features: (batch, channels, height, width), of at least one image.
        kernel: (channels, height, width), of the same type.

    Returns:
        (batch, channels)
    """
    answer: Tensor = _WeightedSum.apply(features, kernel, _laid_out(kernel.detach(), features))
    return answer


class _WeightedSum(torch.autograd.Function):
    """Its derivatives are sums of products as well. Taken of them in turn, they are those of the plain one."""

    @staticmethod
    def forward(features: Tensor, kernel: Tensor, laid_out: Tensor) -> Tensor:
        """(batch, channels, height, width), a kernel, and the kernel as an image's map is laid out -> (batch, channels)."""
        del kernel
        images = max(1, _BLOCK // laid_out.numel())
        sums, room = features.new_empty(features.shape[:2]), torch.empty_like(features[:images])
        for block, answer in zip(features.split(images), sums.split(images), strict=True):
            product = torch.mul(block, laid_out, out=room if len(block) == images else room[: len(block)])
            torch.sum(product, (2, 3), out=answer)
        return sums

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        """Keep the arguments."""
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Of map and kernel."""
        features, kernel, laid_out = ctx.saved_tensors
        gradient = gradients[0][:, :, None, None]
        if torch.is_grad_enabled():  # a gradient of gradients is asked for: autograd follows this, and nothing below
            return gradient * kernel, (features * gradient).sum(0), None
        of_features, of_kernel, _ = ctx.needs_input_grad
        return (
            torch.mul(gradient, laid_out, out=torch.empty_like(features)) if of_features else None,
            _row_by_row(_sum_over_images(features, gradient)) if of_kernel else None,
            None,
        )

    @staticmethod
    def jvp(ctx: Any, of_features: Tensor | None, of_kernel: Tensor | None, _: Any) -> Tensor:
        """The derivative along a direction, for forward-mode differentiation."""
        features, kernel, _laid_out = ctx.saved_tensors
        pairs = ((of_features, kernel), (features, of_kernel))
        parts = [plain_weighted_sum(one, other) for one, other in pairs if one is not None and other is not None]
        return sum(parts[1:], parts[0])

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Tensor) -> tuple[Tensor, int]:
        """For `torch.vmap`, which gets the plain one."""
        del info
        return torch.vmap(plain_weighted_sum, in_dims[:2])(*inputs[:2]), 0


def _laid_out(kernel: Tensor, features: Tensor) -> Tensor:
    """A kernel in the memory layout of the images of a map, which torch copies to fastest as a matrix."""
    if features.stride(1) != 1 or features.is_contiguous():
        return kernel.contiguous()
    turned: Tensor = kernel.flatten(1).t().contiguous().t().unflatten(1, kernel.shape[1:])
    return turned


def _row_by_row(kernel: Tensor) -> Tensor:
    """Back from there, as parameters are laid out."""
    if kernel.is_contiguous():
        return kernel
    turned: Tensor = kernel.permute(1, 2, 0).flatten(0, 1).t().contiguous().unflatten(1, kernel.shape[1:])
    return turned


def _sum_over_images(features: Tensor, gradient: Tensor) -> Tensor:
    """sum_b g_bc x_bcij, as an image is laid out: of (batch, channels, height, width) and (batch, channels, 1, 1)."""
    total = torch.zeros_like(features[0])
    if total.numel() >= _IMAGE:
        for image, one in zip(features.unbind(0), gradient.unbind(0), strict=True):
            total.addcmul_(image, one)
        return total
    images = max(1, _BLOCK // total.numel())
    room, part = torch.empty_like(features[:images]), torch.empty_like(total)
    for block, some in zip(features.split(images), gradient.split(images), strict=True):
        total += torch.sum(torch.mul(block, some, out=room[: len(block)]), 0, out=part)
    return total
