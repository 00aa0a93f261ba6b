"""How a whole picture becomes a square: against sums written out, and against torchvision's own steps where these are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from tests.support.configs import change, composed
from tests.support.images import noise
from wisesr.config.check import check
from wisesr.config.identity import fingerprint
from wisesr.config.signatures import target_settings
from wisesr.data.augmentation import Plain, Standard

RESIZES: list[Any] = ["squash", "crop", "pad"]
SIDES = [(1, 1), (1, 2), (1, 400), (401, 1), (3, 100), (40, 36), (36, 40), (32, 32), (31, 33), (300, 64), (64, 301)]
NONE: Any = ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def seen(image: Image.Image, resize: Any, size: int = 32) -> Tensor:
    return Plain(size, *NONE, resize=resize)(image, training=False)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("size", [1, 7, 32])
def test_pictures_of_any_sides_become_squares(resize: Any, sides: tuple[int, int], size: int) -> None:
    for augment in (Plain(size, MEAN, STD, resize=resize), Standard(size, MEAN, STD, resize=resize)):
        for training in (True, False):
            tensor = augment(noise(1, sides), training=training)
            assert tensor.shape == (3, size, size) and tensor.dtype == torch.float32 and bool(tensor.isfinite().all())


def test_the_default_is_what_it_always_was_to_the_bit() -> None:
    before = v2.Compose(
        [
            v2.ToImage(),
            v2.Resize((32, 32), antialias=True),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(list(MEAN), list(STD)),
        ]
    )
    for seed, sides in enumerate(SIDES):
        image = noise(seed, sides)
        for augment in (Plain(32, MEAN, STD), Plain(32, MEAN, STD, resize="squash"), Standard(32, MEAN, STD)):
            assert torch.equal(augment(image, training=False), before(image))
        assert torch.equal(Plain(32, MEAN, STD)(image, training=True), before(image))


@pytest.mark.parametrize("sides", [(40, 36), (36, 40), (64, 250), (251, 64), (90, 30), (32, 32), (20, 21)])
def test_a_crop_is_the_middle_of_the_picture_resized_by_its_short_side(sides: tuple[int, int]) -> None:
    steps = v2.Compose([v2.ToImage(), v2.Resize(32, antialias=True), v2.CenterCrop(32), v2.ToDtype(torch.float32, scale=True)])
    assert torch.equal(seen(noise(2, sides), "crop"), steps(noise(2, sides)))


@pytest.mark.parametrize("sides", [(6, 400), (401, 6), (10, 77), (1, 60), (61, 1), (2, 999)])
def test_a_crop_of_a_strip_is_nearly_that(sides: tuple[int, int]) -> None:
    """What is cut off beforehand is far from the middle; a smooth picture, as the strip's rounded length differs."""
    rows, columns = np.mgrid[: sides[1], : sides[0]]
    pixels = (127 + 100 * np.sin(rows / 9 + columns / 7)).astype(np.uint8)
    image = Image.fromarray(np.stack([pixels, 255 - pixels, pixels // 2], axis=-1))
    steps = v2.Compose([v2.ToImage(), v2.Resize(32, antialias=True), v2.CenterCrop(32), v2.ToDtype(torch.float32, scale=True)])
    torch.testing.assert_close(seen(image, "crop"), steps(image), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("sides", "inside"), [((64, 32), (32, 16)), ((16, 64), (8, 32)), ((1, 500), (1, 32)), ((30, 20), (32, 21))]
)
def test_padding_is_black_and_centred(sides: tuple[int, int], inside: tuple[int, int]) -> None:
    tensor = seen(Image.new("RGB", sides, (255, 255, 255)), "pad")
    wanted = torch.zeros(3, 32, 32)
    left, top = (32 - inside[0]) // 2, (32 - inside[1]) // 2
    wanted[:, top : top + inside[1], left : left + inside[0]] = 1
    assert torch.equal(tensor, wanted)


def test_black_is_black_before_the_normalisation() -> None:
    corner = Plain(16, MEAN, STD, resize="pad")(noise(3, (40, 10)), training=False)[:, 0, 0]
    torch.testing.assert_close(corner, torch.tensor([-mean / std for mean, std in zip(MEAN, STD, strict=True)]))


@pytest.mark.parametrize("resize", RESIZES)
def test_a_square_is_the_same_whichever_way(resize: Any) -> None:
    assert torch.equal(seen(noise(4, (50, 50)), resize), seen(noise(4, (50, 50)), "squash"))


@pytest.mark.parametrize("resize", RESIZES)
def test_only_the_test_view_of_random_crops_follows_it(resize: Any) -> None:
    image = noise(5, (60, 30))
    views = []
    for chosen in ("squash", resize):
        torch.manual_seed(3)
        views.append(Standard(32, *NONE, resize=chosen)(image, training=True))
    assert torch.equal(*views)
    assert torch.equal(Standard(32, *NONE, resize=resize)(image, training=False), seen(image, resize))


def test_other_words_are_refused() -> None:
    for augment in (Plain, Standard):
        with pytest.raises(ValueError, match="augment.resize must be one of squash, crop, pad, not 'stretch'"):
            augment(32, *NONE, resize="stretch")  # type: ignore[arg-type]


@pytest.mark.parametrize(("augment", "value"), [("none", "fit"), ("standard", "nearest"), ("paper", "crop"), ("paper", "pad")])
def test_the_configuration_is_checked(augment: str, value: str) -> None:
    config = composed(f"augment={augment}")
    assert list(check(config)) == []
    choices = "nearest, bilinear" if augment == "paper" else "squash, crop, pad"
    (problem,) = check(change(config, "augment.resize", value))
    assert "augment.resize" in str(problem) and f"one of {choices}" in str(problem)


@pytest.mark.parametrize("augment", ["none", "standard"])
def test_the_default_renames_no_finished_cell_and_another_is_another_cell(augment: str) -> None:
    config = composed(f"augment={augment}")
    settings = target_settings(config["augment"]["_target_"])
    assert settings["resize"].default == config["augment"]["resize"] == "squash"
    without = {**config, "augment": {key: value for key, value in config["augment"].items() if key != "resize"}}
    assert fingerprint(without) == fingerprint(config) != fingerprint(change(config, "augment.resize", "crop"))
