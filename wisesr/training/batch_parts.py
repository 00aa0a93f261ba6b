"""What in a training looks at several images at once, and so depends on how batches are divided over devices.

BatchNorm takes its statistics over the images of one forward pass, which are one device's part of a batch; mixing pairs images
within that part. A batch of 32 on 8 devices is therefore normalised by fours: another computation than on one device, not other
last bits. `trainer.sync_batchnorm` takes the statistics over the parts of all devices.
"""

from __future__ import annotations

from collections.abc import Iterator

from lightning.pytorch.plugins.layer_sync import LayerSync
from timm.layers import BatchNormAct2d, convert_sync_batchnorm
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

BATCH_NORM, MIXING = "BatchNorm", "mixing"
_CONVERTIBLE = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, BatchNormAct2d)
"""Kinds of BatchNorm that can be synchronised and stay what they are; of their subclasses nobody knows what they add."""
_KNOWN = ("torch", "torchvision", "timm", "wisesr")
"""Packages whose modules look at one image at a time, but for those that keep running statistics."""
_SHOWN = 3


def sees_several(model: nn.Module, *, mixes: bool, synchronised: bool) -> list[str]:
    """What in training sees several images of one device's part of a batch, and no other part; empty if nothing does.

    Args:
        model: its parts in the modes that they train in; a BatchNorm in eval mode normalises by statistics that stand.
        mixes: whether images of a batch are mixed (`recipe.mixup`, `recipe.cutmix`).
        synchronised: whether BatchNorm sees the parts of all devices.

    Returns:
        BatchNorm, mixing, and the classes of code that nobody here knows: it is taken for what sees several.
    """
    own = [type(part) for part in model.modules() if part.training]
    foreign = {f"{kind.__module__}.{kind.__qualname__}" for kind in own if kind.__module__.partition(".")[0] not in _KNOWN}
    others = {type(part).__name__ for part in _running(model) if not isinstance(part, _BatchNorm)}
    normalised = any(isinstance(part, _BatchNorm) for part in _running(model)) and not synchronised
    return [BATCH_NORM] * normalised + sorted(others) + [MIXING] * mixes + sorted(foreign)


def _running(model: nn.Module) -> Iterator[nn.Module]:
    """Modules in training mode that take statistics over a batch: BatchNorm, and what else keeps running ones (EvoNorm)."""
    for part in model.modules():
        keeps = any("running" in name for name, _ in part.named_buffers(recurse=False))
        if part.training and (isinstance(part, _BatchNorm) or keeps):
            yield part


def describe_statistics(model: nn.Module, *, batch_size: int, devices: int, accumulate: int, synchronised: bool) -> str:
    """Over how many images BatchNorm takes its statistics, in a sentence; empty where the model trains none.

    Args:
        model: its parts in the modes that they train in.
        batch_size: images of one optimizer step.
        devices: of all nodes.
        accumulate: batches of one device in one optimizer step.
        synchronised: whether BatchNorm sees the parts of all devices.
    """
    if not any(isinstance(part, _BatchNorm) for part in _running(model)):
        return ""
    images = max(1, batch_size // (accumulate * (1 if synchronised else devices)))
    together = ", synchronised" if synchronised else ""
    over = f"batch {batch_size} over {count_of(devices, 'device')}{together}, accumulate {accumulate}"
    return f"BatchNorm sees {count_of(images, 'image')} at a time ({over})"


def check_synchronisable(model: nn.Module) -> None:
    """Refuse `trainer.sync_batchnorm` for a model that it would do nothing to, or something else than it says.

    Raises:
        UserError: no BatchNorm is trained; a class of it that the conversion would replace by a plainer one.
    """
    kinds = {type(part) for part in _running(model) if isinstance(part, _BatchNorm)}
    if not kinds:
        raise UserError(
            "trainer.sync_batchnorm=true has nothing to synchronise: no BatchNorm of this model is trained; leave it false"
        )
    if unknown := sorted(kind.__name__ for kind in kinds if kind not in _CONVERTIBLE):
        raise UserError(
            f"trainer.sync_batchnorm=true cannot synchronise {some_of(unknown, _SHOWN)}, only PyTorch's BatchNorm and timm's: "
            f"leave it false"
        )


def require_several_gpus(devices: int, kind: str) -> None:
    """Refuse `trainer.sync_batchnorm` where a cell's devices cannot have it; kind: cpu, cuda, ...

    Raises:
        UserError: there is one device, which needs no synchronising, or PyTorch cannot synchronise these.
    """
    if devices < 2 or kind != "cuda":
        there = f"{count_of(devices, 'device')} ({kind})"
        raise UserError(f"trainer.sync_batchnorm=true needs several GPUs, not {there}: leave it false")


class SynchronisedBatchNorm(LayerSync):
    """BatchNorm over the parts of all devices, by timm's conversion.

    PyTorch's own, which `Trainer(sync_batchnorm=True)` calls, drops the activation that timm's `BatchNormAct2d` holds
    (https://github.com/huggingface/pytorch-image-models/issues/1254): the network would train without it.
    """

    def apply(self, model: nn.Module) -> nn.Module:
        """The model, its BatchNorms replaced in place; their parameters and statistics are the same tensors."""
        converted: nn.Module = convert_sync_batchnorm(model)
        return converted

    def revert(self, model: nn.Module) -> nn.Module:
        """The model as it is: in eval mode a synchronised BatchNorm is a plain one."""
        return model
