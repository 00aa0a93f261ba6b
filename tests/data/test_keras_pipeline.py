"""The paper's augmentation against Keras-Preprocessing 1.1.2: numbers of its own making (fixtures/make_keras_pipeline.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import torch
from PIL import Image, ImageEnhance
from torch import Tensor

from wisesr.build.parts import build_augmentation
from wisesr.config.options import load_option
from wisesr.data.augmentation import Plain
from wisesr.data.datamodule import Images
from wisesr.data.folder import folder
from wisesr.data.keras_pipeline import KerasPipeline
from wisesr.data.keras_steps import Draw, affine, brightened, channel_shifted, stretched, warp
from wisesr.data.normalization import named_normalization
from wisesr.errors import UserError

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
OFF: dict[str, Any] = {
    "rotation": 0,
    "shift": 0,
    "zoom": None,
    "channel_shift": 0,
    "horizontal_flip": 0,
    "vertical_flip": 0,
    "contrast_stretch": False,
    "brightness": None,
}


def pipeline(size: int = 32, **settings: Any) -> KerasPipeline:
    made = build_augmentation({**load_option("augment", "paper"), **settings}, size, MEAN, STD)
    assert isinstance(made, KerasPipeline)
    return made


def chw(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1))).float()


class Case(NamedTuple):
    draw: Draw
    source: Tensor
    made: dict[str, Tensor]


@pytest.fixture(scope="module")
def keras() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parent.parent / "fixtures" / "keras_pipeline.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def cases(keras: dict[str, np.ndarray]) -> list[Case]:
    found = []
    for number in range(9):
        own = {key.partition("/")[2]: value for key, value in keras.items() if key.startswith(f"{number}/")}
        *numbers, horizontal, vertical, brightness = own.pop("draw").tolist()
        draw = Draw(*numbers, bool(horizontal), bool(vertical), brightness)
        found.append(Case(draw, chw(own["source"]), {key: chw(value) for key, value in own.items()}))
    return found


@pytest.fixture
def photo() -> Tensor:
    """Noise beside an area of white, where a number slightly off would show."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 96, 81)).astype(np.float32)
    pixels[:, :, 50:] = 255
    return torch.from_numpy(pixels)


def place(draw: Draw, pixels: Tensor) -> np.ndarray:
    return affine(draw, pixels.shape[1], pixels.shape[2], 0.5)


# Each stage, and all of them.


def test_the_warp_borders_included(cases: list[Case]) -> None:
    for draw, source, made in cases:
        draw = draw._replace(flip_horizontal=False, flip_vertical=False)
        assert (warp(source, place(draw, source)) - made["affine"]).abs().max() < 0.01


def test_the_channel_shift(cases: list[Case]) -> None:
    for draw, source, made in cases:
        assert torch.equal(channel_shifted(source, draw.channel_shift), made["channel_shift"])


def test_stretch_and_brightness(cases: list[Case]) -> None:
    for draw, _, made in cases:
        assert draw.brightness is not None
        assert torch.equal(brightened(stretched(made["affine"]), draw.brightness), made["brightness"])


def test_mirror_images(cases: list[Case]) -> None:
    for _, source, made in cases:
        draw = Draw(flip_horizontal=True, flip_vertical=True)
        assert torch.equal(warp(source, place(draw, source)), made["mirrored"])


def test_the_whole_pipeline(cases: list[Case]) -> None:
    augment = pipeline()
    caffe = named_normalization("caffe", MEAN, STD)
    for draw, source, made in cases:
        off = (caffe(augment.applied(source, draw)) - made["whole"]).abs()
        assert off.max() <= 1.001
        assert (off > 0).float().mean() < 0.01


@pytest.mark.parametrize(("name", "mode"), [("caffe", "caffe"), ("tf", "tf"), ("imagenet", "torch")])
def test_the_normalisation(cases: list[Case], keras: dict[str, np.ndarray], name: str, mode: str) -> None:
    assert torch.equal(named_normalization(name, MEAN, STD)(cases[0].source), chw(keras[mode]))


@pytest.mark.parametrize("name", ["large", "small"])
def test_the_resize(keras: dict[str, np.ndarray], name: str) -> None:
    image = Image.fromarray(keras[name])
    assert torch.equal(pipeline(32).resized(image), chw(keras[f"{name}/nearest"]))


# The parts that the fixture shows only in few cases.


def test_the_warp_is_scipys_to_the_last_bits(photo: Tensor) -> None:
    torch.manual_seed(0)
    augment = pipeline(96)
    for _ in range(8):
        matrix = place(augment.draw(), photo)
        channels = [
            scipy.ndimage.affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest")
            for channel in photo.numpy()
        ]
        torch.testing.assert_close(warp(photo, matrix), torch.from_numpy(np.stack(channels)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("flips", [(True, False), (False, True), (True, True)])
def test_mirrored_in_the_warp_is_mirrored_afterwards(photo: Tensor, flips: tuple[bool, bool]) -> None:
    torch.manual_seed(1)
    augment = pipeline(96)
    for _ in range(5):
        draw = augment.draw()._replace(flip_horizontal=False, flip_vertical=False)
        after = warp(photo, place(draw, photo)).flip([axis for axis, flip in zip((2, 1), flips, strict=True) if flip])
        within = warp(photo, place(draw._replace(flip_horizontal=flips[0], flip_vertical=flips[1]), photo))
        torch.testing.assert_close(within, after, atol=1e-4, rtol=0)


def test_brightness_is_pils() -> None:
    levels = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None], (256, 1, 3))
    for factor in [0.0, 0.5, 1.0, 1.2, 3.0, *np.random.default_rng(0).uniform(0, 1.2, 300).tolist()]:
        expected = np.asarray(ImageEnhance.Brightness(Image.fromarray(levels)).enhance(factor))
        assert torch.equal(brightened(chw(levels), factor), chw(expected)), factor


def test_an_image_of_one_colour_is_black() -> None:
    torch.manual_seed(2)
    augment = pipeline(64, channel_shift=0)
    for _ in range(5):
        assert augment.applied(torch.full((3, 64, 64), 77.0), augment.draw()).count_nonzero() == 0


@pytest.mark.parametrize(("centre", "beyond"), [("later", 0), ("1.1.2", 2)])
def test_the_centre(photo: Tensor, centre: str, beyond: int) -> None:
    """Half a turn about the middle is both mirror images; about a pixel further on, it lies two pixels further on."""
    turned = pipeline(96, **OFF | {"centre": centre}).applied(photo, Draw(rotation=180))
    rows, columns = (np.clip(np.arange(n - 1, -1, -1) + beyond, 0, n - 1) for n in photo.shape[1:])
    torch.testing.assert_close(turned, photo[:, rows][:, :, columns], atol=1e-4, rtol=0)


def test_the_same_bits_on_any_number_of_threads(photo: Tensor) -> None:
    big = photo.repeat(1, 5, 6)  # above what torch gives one thread
    augment, threads, made = pipeline(480), torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            torch.manual_seed(3)
            made.append(augment.applied(big, augment.draw()))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])


# What is drawn.


def test_parameters_are_distributed_as_keras_draws_them(keras: dict[str, np.ndarray]) -> None:
    torch.manual_seed(4)
    augment = pipeline(200)
    drawn = np.array([augment.draw() for _ in range(3000)], dtype=np.float64)
    theirs = keras["drawn"].astype(np.float64)
    theirs[:, 2] *= 2  # their images are half as wide as high, ours are square
    for column, name in enumerate(Draw._fields):
        if name.startswith("flip"):
            assert abs(drawn[:, column].mean() - theirs[:, column].mean()) < 4 * np.sqrt(0.25 * (1 / 3000 + 1 / 2000)), name
        else:
            assert scipy.stats.ks_2samp(drawn[:, column], theirs[:, column]).pvalue > 0.001, name
    correlation = np.corrcoef(drawn.T) - np.eye(len(Draw._fields))
    assert np.abs(correlation).max() < 5 / np.sqrt(3000), "height's zoom tells nothing of width's, nor anything of anything"
    assert np.all(drawn[:, [3, 4]].min(axis=0) < 0.801)
    assert np.all(drawn[:, [3, 4]].max(axis=0) > 1.199)


# The switches.


@pytest.mark.parametrize(
    ("settings", "neutral"),
    [
        ({"rotation": 0}, {"rotation": 0.0}),
        ({"shift": 0}, {"shift_rows": 0.0, "shift_columns": 0.0}),
        ({"zoom": None}, {"zoom_rows": 1.0, "zoom_columns": 1.0}),
        ({"channel_shift": 0}, {"channel_shift": 0.0}),
        ({"horizontal_flip": 0}, {"flip_horizontal": False}),
        ({"horizontal_flip": 1.0}, {"flip_horizontal": True}),
        ({"vertical_flip": 0.0}, {"flip_vertical": False}),
        ({"brightness": None}, {"brightness": None}),
        ({"contrast_stretch": False}, {}),
        ({"centre": "later", "resize": "bilinear", "normalization": "tf"}, {}),
    ],
)
def test_a_switch_leaves_all_other_draws(settings: dict[str, Any], neutral: dict[str, Any]) -> None:
    paper, other = pipeline(), pipeline(**settings)
    for seed in range(20):
        torch.manual_seed(seed)
        whole = paper.draw()
        torch.manual_seed(seed)
        assert other.draw() == whole._replace(**neutral)


def test_stretch_and_brightness_apart(photo: Tensor) -> None:
    dull = photo * 0.3 + 100.3  # 100.3 to 176.8
    draw = Draw(brightness=0.5)
    both = pipeline().applied(dull, draw)
    assert (both.min(), both.max()) == (0, 127)
    dark = pipeline(contrast_stretch=False).applied(dull, draw)
    assert torch.equal(dark, (dull.floor() * 0.5).floor())
    wide = pipeline(brightness=None).applied(dull, Draw())
    assert (wide.min(), wide.max()) == (0, 255)
    assert torch.equal(wide, wide.round())
    assert torch.equal(pipeline(contrast_stretch=False, brightness=None).applied(dull, Draw()), dull), "nothing is rounded"
    assert torch.equal(pipeline(contrast_stretch=False).applied(dull + 100, Draw(brightness=1.0)).amax(), torch.tensor(255.0))


def test_with_all_steps_off_training_images_are_test_images(keras: dict[str, np.ndarray]) -> None:
    image, augment = Image.fromarray(keras["large"]), pipeline(**OFF)
    assert torch.equal(augment(image, training=True), augment(image, training=False))


def test_a_training_image_is_resized_drawn_for_and_normalised(keras: dict[str, np.ndarray]) -> None:
    image, augment = Image.fromarray(keras["large"]), pipeline()
    torch.manual_seed(5)
    made = augment(image, training=True)
    torch.manual_seed(5)
    pixels = augment.applied(chw(keras["large/nearest"]), augment.draw())
    assert torch.equal(made, named_normalization("caffe", MEAN, STD)(pixels))


def test_a_test_image_is_only_resized_and_normalised(keras: dict[str, np.ndarray]) -> None:
    image = Image.fromarray(keras["large"])
    state = torch.get_rng_state()
    made = pipeline()(image, training=False)
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(made, pipeline(**OFF)(image, training=False))
    assert torch.equal(made, named_normalization("caffe", MEAN, STD)(chw(keras["large/nearest"])))
    assert (made.dtype, made.shape) == (torch.float32, (3, 32, 32))


def test_without_its_conventions_it_is_augment_none(keras: dict[str, np.ndarray]) -> None:
    image = Image.fromarray(keras["large"])
    made = pipeline(resize="bilinear", normalization="backbone")(image, training=False)
    torch.testing.assert_close(made, Plain(32, MEAN, STD)(image, training=False), atol=1e-5, rtol=0)


def test_a_sample_depends_on_its_key_only(images: Path) -> None:
    data = [Images(folder(root=str(images)), "train", pipeline(), training=True, seed=seed) for seed in (0, 1)]
    first = data[0][(1, 5)][0]
    torch.rand(7)
    assert torch.equal(first, data[0][(1, 5)][0])
    assert not any(torch.equal(first, other) for other in (data[0][(2, 5)][0], data[1][(1, 5)][0], data[0][(1, 6)][0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resize": "bicubic"}, "augment.resize must be one of nearest, bilinear, not 'bicubic'"),
        ({"centre": "1.2"}, "augment.centre must be one of 1.1.2, later, not '1.2'"),
        ({"rotation": -1}, "augment.rotation must be at least 0, not -1"),
        ({"shift": 1.5}, "augment.shift must be from 0 to 1, not 1.5"),
        ({"zoom": [1.2, 0.8]}, r"augment.zoom must be null or two numbers, the lower one first .* not \[1.2, 0.8\]"),
        ({"zoom": [0.8]}, "augment.zoom must be null or two numbers"),
        ({"zoom": [0, 1]}, "augment.zoom must be above 0"),
        ({"channel_shift": -5}, "augment.channel_shift must be at least 0, not -5"),
        ({"horizontal_flip": 2}, "augment.horizontal_flip must be from 0 to 1, not 2"),
        ({"vertical_flip": -0.1}, "augment.vertical_flip must be from 0 to 1, not -0.1"),
        ({"brightness": [-1, 1]}, "augment.brightness must be null or two numbers"),
        ({"normalization": "torch"}, "augment.normalization must be one of caffe, imagenet, tf, backbone, not 'torch'"),
    ],
)
def test_settings_out_of_range(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        pipeline(**settings)
