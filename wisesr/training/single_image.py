"""Parts of a batch that hold a single image, on which some models cannot train: BatchNorm over a map of 1x1 then has one value.

How many images a part holds is known before the first step, and whether the model takes one is tried on the meta device, which
computes no numbers. So an epoch never ends in an error that could be told beforehand.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import register_module_forward_pre_hook

from wisesr.data.sampling import smallest_part
from wisesr.errors import UserError
from wisesr.types import Steps
from wisesr.wording import count_of


def check_single_images(model: nn.Module, image_size: int, steps: Steps, *, world: int, accumulate: int) -> None:
    """Refuse a training in which the model would be given one image and does not take it. The model stays as it is.

    Args:
        model: (batch, 3, image_size, image_size) -> (batch, classes), its parts in the modes that they train in.
        image_size: pixels, height and width.
        steps: the training split in batches.
        world: devices of all nodes.
        accumulate: batches of one device in one optimizer step.

    Raises:
        UserError: there is such a part of a batch; it says which, and a setting without it.
    """
    if smallest_part(steps.train_images, steps.batch_size, world * accumulate) > 1:
        return
    if why := _refusal(model, image_size):
        way_out = _way_out(steps, world, accumulate)
        raise UserError(f"{_which(steps, world * accumulate)}, and {why}: {way_out}")


def _which(steps: Steps, parts: int) -> str:
    """The batch that is meant, in words."""
    count, size = steps.train_images, steps.batch_size
    divided = f"{parts} parts (devices x trainer.accumulate)"
    if size == parts == 1:
        return "each batch holds 1 image (recipe.batch_size=1)"
    if size == parts:
        return f"each batch of {size} images (recipe.batch_size) is divided into {divided} of 1 image"
    last = count - (steps.per_epoch - 1) * size
    text = f"of {count_of(count, 'training image')} the last batch of each epoch holds {last:,} (recipe.batch_size={size})"
    return text if parts == 1 else f"{text}, of which the smallest of {divided} gets 1"


def _way_out(steps: Steps, world: int, accumulate: int) -> str:
    """The setting nearest to this one that leaves no part with one image; of two the smaller one, which takes less memory."""
    count, size, parts = steps.train_images, steps.batch_size, world * accumulate
    sizes = range(2 * parts, count + parts, parts)
    for other in sorted(sizes, key=lambda other: (abs(other - size), other)):
        if smallest_part(count, other, parts) > 1:
            return f"recipe.batch_size={other} leaves no such batch"
    for fewer in range(accumulate - 1, 0, -1):
        if size % (world * fewer) == 0 and smallest_part(count, size, world * fewer) > 1:
            return f"trainer.accumulate={fewer} leaves no such part"
    return "take fewer devices (trainer.devices)" if world > 1 else "there must be more training images"


def _refusal(model: nn.Module, image_size: int) -> str | None:
    """Why one image is not taken where two are, in words; None where one is taken, or two are not either.

    On the meta device, and where the model asks its tensors for their numbers, which there are none of, on a copy.
    """
    for run in (_run_on_meta, _run_copy):
        refused = _refused(model, run, _images(model, 1, image_size))
        if refused is None:
            return None
        if _refused(model, run, _images(model, 2, image_size)) is None:
            return refused
    return None


def _images(model: nn.Module, number: int, size: int) -> Tensor:
    """Of the kind and on the device of the model's numbers."""
    like = next((parameter for parameter in model.parameters() if parameter.is_floating_point()), torch.empty(0))
    return torch.zeros(number, 3, size, size, dtype=like.dtype, device=like.device)


def _refused(model: nn.Module, run: Callable[[nn.Module, Tensor], None], images: Tensor) -> str | None:
    """What a forward pass raises, in words, and in which part of the model; None where it raises nothing."""
    entered: list[tuple[nn.Module, Any]] = []
    handle = register_module_forward_pre_hook(lambda part, inputs: entered.append((part, inputs)))
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), torch.compiler.set_stance("force_eager"):
            run(model, images)
    except Exception as error:  # of anybody's model
        return _describe(entered, error)
    finally:
        handle.remove()
    return None


def _run_on_meta(model: nn.Module, images: Tensor) -> None:
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())
    twins = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
    torch.func.functional_call(model, twins, (images.to("meta"),))


def _run_copy(model: nn.Module, images: Tensor) -> None:
    copy.deepcopy(model)(images)


def _describe(entered: Sequence[tuple[nn.Module, Any]], error: Exception) -> str:
    """Why a model cannot train on one image. Entered: its modules as they were called, with their inputs; the last raised."""
    if not entered:
        return f"the model cannot train on a single image ({type(error).__name__}: {error})"
    part, inputs = entered[-1]
    name = next((name for name, other in entered[0][0].named_modules() if other is part), "") or type(part).__name__
    if not isinstance(part, _BatchNorm):
        return f"{name} cannot train on a single image ({type(error).__name__}: {error})"
    extent = "x".join(map(str, inputs[0].shape[2:]))
    return f"BatchNorm ({name}{f', on a map of {extent}' if extent else ''}) cannot train on a single value a channel"
