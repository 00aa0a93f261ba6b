"""What sees several images of a batch, against gradients between images; BatchNorm that is synchronised stays what it was."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from timm.layers import BatchNormAct2d, EvoNorm2dB0, SplitBatchNorm2d
from torch import nn

from wisesr import create_model
from wisesr.build.cell import build_trainer_settings
from wisesr.errors import UserError
from wisesr.training.batch_parts import (
    BATCH_NORM,
    MIXING,
    SynchronisedBatchNorm,
    check_synchronisable,
    describe_statistics,
    require_several_gpus,
    sees_several,
)
from wisesr.training.trainer import TrainerSettings, _lightning_trainer


def _toy(name: str, head: str = "wise_dropout") -> nn.Module:
    torch.manual_seed(0)
    return create_model(name, head, 3, 64)


def _small(*parts: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), *parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))


def _mixes_images(model: nn.Module) -> bool:
    """Whether the first image's logits depend on the second image's pixels in training."""
    images = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    copy.deepcopy(model)(images)[0].square().sum().backward()
    assert images.grad is not None and images.grad[0].abs().max() > 0
    return bool(images.grad[1:].abs().max() > 0)


MODELS = {
    "resnet": lambda: _toy("test_resnet"),
    "efficientnet": lambda: _toy("test_efficientnet", "gap_dropout"),
    "convnext": lambda: _toy("test_convnext"),
    "vit": lambda: _toy("test_vit", "gap"),
    "frozen": lambda: _toy("test_resnet").eval(),
    "batch norm": lambda: _small(nn.BatchNorm2d(8)),
    "without running statistics": lambda: _small(nn.BatchNorm2d(8, track_running_stats=False)),
    "evonorm": lambda: _small(EvoNorm2dB0(8)),
    "group norm": lambda: _small(nn.GroupNorm(2, 8)),
}


@pytest.mark.parametrize("name", MODELS)
def test_what_sees_several_images_is_what_carries_a_gradient_between_them(name: str) -> None:
    model = MODELS[name]()
    assert bool(sees_several(model, mixes=False, synchronised=False)) == _mixes_images(model)


def test_batchnorm_mixing_and_unknown_code_are_named() -> None:
    class Own(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images - images.mean(dim=0)

    own = f"{__name__}.test_batchnorm_mixing_and_unknown_code_are_named.<locals>.Own"
    assert sees_several(_small(nn.BatchNorm2d(8)), mixes=True, synchronised=False) == [BATCH_NORM, MIXING]
    assert sees_several(_small(nn.BatchNorm2d(8)), mixes=True, synchronised=True) == [MIXING]
    assert sees_several(_small(nn.BatchNorm2d(8)), mixes=False, synchronised=True) == []
    assert sees_several(_small(Own()), mixes=False, synchronised=True) == [own]
    assert sees_several(_small(EvoNorm2dB0(8)), mixes=False, synchronised=True) == ["EvoNorm2dB0"]


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet"])
def test_synchronised_batchnorm_computes_what_plain_one_does_on_one_device(name: str) -> None:
    """In both modes, activations of timm's BatchNormAct2d among it; weights and statistics are the same tensors."""
    model, images = _toy(name, "gap"), torch.randn(4, 3, 64, 64)
    plain = copy.deepcopy(model)
    before = dict(model.named_parameters()) | dict(model.named_buffers())
    synchronised = SynchronisedBatchNorm().apply(model)
    kinds = {type(part) for part in synchronised.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)}
    assert kinds and all(issubclass(kind, nn.SyncBatchNorm) for kind in kinds)
    assert synchronised is model
    after = dict(model.named_parameters()) | dict(model.named_buffers())
    assert before.keys() == after.keys() and all(after[key] is tensor for key, tensor in before.items())
    for mode in (True, False):
        assert torch.equal(model.train(mode)(images), plain.train(mode)(images))
    assert SynchronisedBatchNorm().revert(model) is model
    for key, tensor in plain.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[key]), key


def test_pytorch_s_own_conversion_would_drop_activations() -> None:
    """Why Lightning's `sync_batchnorm` is not used: the day that this fails it can be."""
    model = _small(BatchNormAct2d(8)).eval()
    images = torch.randn(4, 3, 64, 64)
    before = model(images)
    assert not torch.equal(nn.SyncBatchNorm.convert_sync_batchnorm(model)(images), before)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([nn.GroupNorm(2, 8)], "no BatchNorm of this model is trained"),
        ([nn.BatchNorm2d(8).eval()], "no BatchNorm of this model is trained"),
        ([nn.BatchNorm2d(8), SplitBatchNorm2d(8)], "cannot synchronise SplitBatchNorm2d"),
    ],
)
def test_a_model_that_cannot_be_synchronised_is_refused(parts: list[nn.Module], words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_synchronisable(_small(*parts))
    check_synchronisable(_small(nn.BatchNorm2d(8), BatchNormAct2d(8)))


@pytest.mark.parametrize(("devices", "kind", "refused"), [(1, "cuda", True), (2, "cpu", True), (2, "cuda", False)])
def test_several_gpus_are_asked_for(devices: int, kind: str, refused: bool) -> None:
    if refused:
        with pytest.raises(UserError, match="trainer.sync_batchnorm=true needs several GPUs"):
            require_several_gpus(devices, kind)
    else:
        require_several_gpus(devices, kind)


def test_lightning_is_given_the_conversion(config: dict[str, Any]) -> None:
    for wanted in (True, False):
        trainer = config["trainer"] | {"sync_batchnorm": wanted, "devices": 2, "strategy": "ddp"}
        settings: TrainerSettings = build_trainer_settings(trainer)
        strategy: Any = _lightning_trainer(settings, 1, []).strategy
        assert isinstance(strategy._layer_sync, SynchronisedBatchNorm) == wanted


@pytest.mark.parametrize(
    ("devices", "accumulate", "synchronised", "sentence"),
    [
        (1, 1, False, "BatchNorm sees 32 images at a time (batch 32 over 1 device, accumulate 1)"),
        (8, 1, False, "BatchNorm sees 4 images at a time (batch 32 over 8 devices, accumulate 1)"),
        (8, 4, False, "BatchNorm sees 1 image at a time (batch 32 over 8 devices, accumulate 4)"),
        (8, 4, True, "BatchNorm sees 8 images at a time (batch 32 over 8 devices, synchronised, accumulate 4)"),
    ],
)
def test_how_many_images_batchnorm_sees(devices: int, accumulate: int, synchronised: bool, sentence: str) -> None:
    settings: dict[str, Any] = {"devices": devices, "accumulate": accumulate, "synchronised": synchronised}
    assert describe_statistics(_small(nn.BatchNorm2d(8)), batch_size=32, **settings) == sentence
    assert describe_statistics(_small(nn.GroupNorm(2, 8)), batch_size=32, **settings) == ""
