"""Parts of a batch with one image: foreseen against a loop over the batches, and against what training itself does."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.support.configs import change as changed
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.config.options import load_option
from wisesr.data.sampling import TrainBatches, smallest_part
from wisesr.errors import UserError
from wisesr.grid.planning.planner import plan_cells
from wisesr.models.heads.base import Head
from wisesr.training.fit import fit
from wisesr.training.single_image import check_single_images
from wisesr.types import FeatureShape, Steps

Config = dict[str, Any]


def smallest_by_loop(count: int, size: int, world: int, accumulate: int) -> int:
    """Over all devices and three epochs."""
    samplers = [TrainBatches(count, size, seed=0, rank=rank, world=world, accumulate=accumulate) for rank in range(world)]
    found = []
    for epoch in range(3):
        for sampler in samplers:
            sampler.set_epoch(epoch)
            found += [len(batch) for batch in sampler]
    return min(found)


cases = {"count": st.integers(2, 60), "world": st.integers(1, 3), "accumulate": st.integers(1, 4), "times": st.integers(1, 9)}


@settings(max_examples=150)
@given(**cases)
def test_the_smallest_part_is_that_of_the_batches(count: int, world: int, accumulate: int, times: int) -> None:
    size = world * accumulate * times
    assert smallest_part(count, size, world * accumulate) == smallest_by_loop(count, size, world, accumulate)


class Flat(nn.Module):
    """BatchNorm over vectors, as a head may have it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, images: Tensor) -> Tensor:
        answer: Tensor = self.norm(images.mean(dim=(2, 3)))
        return answer


@settings(max_examples=100)
@given(**cases)
def test_the_setting_that_is_proposed_leaves_no_such_part(count: int, world: int, accumulate: int, times: int) -> None:
    size = world * accumulate * times
    assume(smallest_by_loop(count, size, world, accumulate) == 1)
    with pytest.raises(UserError) as told:
        check_single_images(Flat(), 8, Steps(count, size, 3), world=world, accumulate=accumulate)
    text = str(told.value)
    if found := re.search(r"recipe\.batch_size=(\d+) trainer\.accumulate=(\d+) leave", text):
        other, fewer = map(int, found.groups())
        assert other % (world * fewer) == 0 and smallest_by_loop(count, other, world, fewer) > 1
    elif found := re.search(r"recipe\.batch_size=(\d+) leaves", text):
        assert int(found[1]) % (world * accumulate) == 0
        assert smallest_by_loop(count, int(found[1]), world, accumulate) > 1
    elif found := re.search(r"trainer\.accumulate=(\d+) leaves", text):
        assert size % (world * int(found[1])) == 0
        assert smallest_by_loop(count, size, world, int(found[1])) > 1
    else:
        assert count < 2 * world * accumulate, "there are settings with two images for each part"
        assert ("take fewer devices" if world > 1 else "there must be more training images") in text
        assert world > 1 or count == 1


BOTTLENECK = {
    "batch norm": (nn.BatchNorm2d(4), True),
    "batch norm without statistics": (nn.BatchNorm2d(4, track_running_stats=False), True),
    "batch norm with a cumulative mean, which asks for a number": (nn.BatchNorm2d(4, momentum=None), True),
    "batch norm in eval mode": (nn.BatchNorm2d(4).eval(), False),
    "group norm": (nn.GroupNorm(2, 4), False),
    "none": (nn.Identity(), False),
}


@pytest.mark.parametrize("name", BOTTLENECK)
@pytest.mark.parametrize("pooled", [1, 2])
def test_what_takes_one_image(name: str, pooled: int) -> None:
    """Each kind of layer on a map of 1x1 and of 2x2: refused before training exactly where training itself would raise."""
    layer, refused = BOTTLENECK[name]
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(pooled), copy.deepcopy(layer), nn.Flatten())
    if name == "batch norm in eval mode":
        model[2].eval()
    refused &= pooled == 1
    try:
        copy.deepcopy(model)(torch.rand(1, 3, 8, 8))
        assert not refused
    except ValueError:
        assert refused
    if not refused:
        check_single_images(model, 8, Steps(10, 3, 1), world=1, accumulate=1)
        return
    with pytest.raises(UserError) as told:
        check_single_images(model, 8, Steps(10, 3, 1), world=1, accumulate=1)
    assert str(told.value) == (
        "of 10 training images the last batch of each epoch holds 1 (recipe.batch_size=3), and BatchNorm (2, on a map of 1x1) "
        "cannot train on a single value a channel: recipe.batch_size=2 leaves no such batch"
    )


def test_a_model_that_is_refused_two_images_as_well_is_left_to_training() -> None:
    class Broken(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise KeyError("nothing of one image")

    check_single_images(Broken(), 8, Steps(10, 3, 1), world=1, accumulate=1)


def test_another_part_that_refuses_one_image_is_named_with_its_error() -> None:
    class Pairs(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            if len(images) < 2:
                raise RuntimeError("no pair")
            return images

    with pytest.raises(UserError, match=r"and 1 cannot train on a single image \(RuntimeError: no pair\): recipe"):
        check_single_images(nn.Sequential(nn.Identity(), Pairs()), 8, Steps(10, 3, 1), world=1, accumulate=1)


@pytest.mark.parametrize(
    ("steps", "world", "accumulate", "words"),
    [
        (Steps(9, 1, 1), 1, 1, "each batch holds 1 image (recipe.batch_size=1), and "),
        (Steps(9, 4, 1), 2, 2, "each batch of 4 images (recipe.batch_size) is divided into 4 parts (devices x "),
        (
            Steps(1203, 600, 1),
            1,
            2,
            "of 1,203 training images the last batch of each epoch holds 3 (recipe.batch_size=600), of ",
        ),
        (Steps(3, 8, 1), 1, 2, ": trainer.accumulate=1 leaves no such part"),
        (Steps(3, 8, 1), 2, 1, ": take fewer devices (trainer.devices)"),
    ],
)
def test_sentences(steps: Steps, world: int, accumulate: int, words: str) -> None:
    with pytest.raises(UserError) as told:
        check_single_images(Flat(), 8, steps, world=world, accumulate=accumulate)
    assert words in str(told.value)
    assert "BatchNorm (norm) cannot train on a single value a channel" in str(told.value)


def deep(config: Config, **recipe: Any) -> Config:
    """54 training images, and a map of 1x1."""
    config = changed(changed(config, "backbone.model", "test_resnet"), "resolution.size", 32)
    return config | {
        "head": {"name": "gap", **load_option("head", "gap")},
        "recipe": config["recipe"] | recipe,
    }


def planned(config: Config) -> list[str]:
    ((_, problems),) = plan_cells([config], 0, lambda *_: None)
    return problems


def fitted(config: Config, directory: Path) -> Any:
    directory.mkdir()
    parts = build(config, build_manifest(config))
    fit(parts.module, parts.data, parts.trainer, directory=directory, loggers=[])
    return parts.module


@pytest.mark.parametrize("size", [53, 1])
def test_the_plan_foresees_it_and_a_training_by_hand_says_the_same_before_its_first_step(
    config: Config, tmp_path: Path, size: int
) -> None:
    config = deep(config, batch_size=size)
    (problem,) = planned(config)
    assert "a map of 1x1) cannot train on a single value a channel: recipe.batch_size=" in problem
    parts = build(config, build_manifest(config))
    with pytest.raises(UserError) as told:
        fit(parts.module, parts.data, parts.trainer, directory=tmp_path, loggers=[])
    assert str(told.value) == problem
    assert parts.module.trainer.global_step == 0


def test_what_the_plan_proposes_trains(config: Config, tmp_path: Path) -> None:
    (problem,) = planned(deep(config, batch_size=53, epochs=1))
    assert "recipe.batch_size=52 leaves no such batch" in problem
    proposed = deep(config, batch_size=52, epochs=1)
    assert planned(proposed) == []
    fitted(proposed, tmp_path / "cell")


def test_parts_of_accumulation_are_parts(config: Config) -> None:
    config = deep(config, batch_size=50)
    assert planned(config) == []
    (problem,) = planned(changed(config, "trainer.accumulate", 5))
    assert "the last batch of each epoch holds 4 (recipe.batch_size=50), of which the smallest of 5 parts" in problem


def test_a_frozen_backbone_and_one_with_a_larger_map_train_on_one_image(config: Config, tmp_path: Path) -> None:
    frozen = changed(deep(config, batch_size=53, epochs=1), "backbone.freeze", "all")
    larger = changed(deep(config, batch_size=53, epochs=1), "resolution.size", 64)
    for number, cell in enumerate((frozen, larger)):
        assert planned(cell) == []
        fitted(cell, tmp_path / f"{number}")


class NormedAverage(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, features: Tensor) -> Tensor:
        answer: Tensor = self.norm(features.mean(dim=(2, 3)))
        return answer


class NormedHead(Head):
    """Somebody's head, with a BatchNorm of its own behind the average."""

    def __init__(self, feature_shape: FeatureShape, num_classes: int) -> None:
        super().__init__(feature_shape, num_classes, aggregation=NormedAverage(feature_shape.channels), dropout=0.0)


def test_a_head_with_batch_norm(config: Config) -> None:
    """The map is 2x2, so the backbone takes one image; the shared backbone of a second cell is left as it was."""
    config["recipe"]["batch_size"] = 53
    other = config | {"head": {"name": "normed", "_target_": f"{__name__}.NormedHead"}}
    plans = plan_cells([config, other, config], 0, lambda *_: None)
    assert [len(problems) for _, problems in plans] == [0, 1, 0]
    assert "BatchNorm (head.aggregation.norm) cannot train on a single value a channel: recipe.batch_size=52" in plans[1][1][0]


def test_looking_changes_no_number(config: Config) -> None:
    """A cell that trains on parts of one image today, as its map is 2x2: weights, statistics and modes stay."""
    config["recipe"]["batch_size"] = 53
    module = build(config, build_manifest(config)).module
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    random = torch.get_rng_state()
    module.check_parts(1, 1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert [part.training for part in module.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    assert not torch.nn.modules.module._global_forward_pre_hooks
