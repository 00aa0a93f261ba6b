"""augment=paper in one pass: the values of the steps, each of them, whatever is set; and the steps where there is no numba."""

from __future__ import annotations

import copy
import logging
import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from wisesr.config.options import load_option
from wisesr.data import keras_fused
from wisesr.data.keras_pipeline import KerasPipeline
from wisesr.data.keras_steps import Draw, affine
from wisesr.data.normalization import Normalization

PAPER: dict[str, Any] = {key: value for key, value in load_option("augment", "paper").items() if key != "_target_"}
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)


def pipeline(size: int = 32, mean: Any = MEAN, std: Any = STD, **changed: Any) -> KerasPipeline:
    return KerasPipeline(size, mean, std, **PAPER | changed)


def step_by_step(augment: KerasPipeline, image: Image.Image, *, training: bool = True) -> Tensor:
    """An image by the functions of `keras_steps` alone."""
    pixels = augment.resized(image)
    return augment._normalise(augment.applied(pixels, augment.draw()) if training else pixels)


def assert_same_bits(made: Tensor, expected: Tensor) -> None:
    assert made.dtype == expected.dtype == torch.float32
    assert torch.equal(made.view(torch.int32), expected.view(torch.int32))


def assert_as_steps(augment: KerasPipeline, image: Image.Image, seed: int = 0) -> None:
    for training in (True, False):
        torch.manual_seed(seed)
        expected, after = step_by_step(augment, image, training=training), torch.get_rng_state()
        torch.manual_seed(seed)
        assert_same_bits(augment(image, training=training), expected)
        assert torch.equal(torch.get_rng_state(), after)


def noise(height: int, width: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.fixture
def anew() -> Iterator[None]:
    """A process that has compiled nothing, before the test and after it."""
    keras_fused.compiled.cache_clear()
    yield
    keras_fused.compiled.cache_clear()


@pytest.fixture
def needs_numba() -> None:
    pytest.importorskip("numba")
    assert keras_fused.compiled() is not None


# The values.


@st.composite
def pictures(draw: st.DrawFn) -> Image.Image:
    height, width = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    lowest = draw(st.integers(0, 255))
    levels = rng.integers(lowest, draw(st.integers(lowest, 255)) + 1, (height, width, 3))  # one colour where they meet
    return Image.fromarray(levels.astype(np.uint8))


STDS = st.floats(0.01, 2.0) | st.floats(-2.0, -0.01) | st.just(1.0)
SETTINGS = st.fixed_dictionaries(
    {
        "size": st.integers(2, 70),
        "mean": st.tuples(*[st.floats(-1, 1)] * 3),
        "std": st.tuples(STDS, STDS, STDS),
        "resize": st.sampled_from(["nearest", "bilinear"]),
        "centre": st.sampled_from(["1.1.2", "later"]),
        "rotation": st.sampled_from([0, 90.0, 360.0]) | st.floats(0, 500),
        "shift": st.sampled_from([0, 0.1, 1.0]),
        "zoom": st.sampled_from([None, [0.5, 0.5], [0.8, 1.2], [2.0, 2.0], [0.01, 30.0]]),
        "channel_shift": st.sampled_from([0, 1.0, 50.0, 400.0]),
        "horizontal_flip": st.sampled_from([0, 0.5, 1.0]),
        "vertical_flip": st.sampled_from([0, 0.5, 1.0]),
        "contrast_stretch": st.booleans(),
        "brightness": st.sampled_from([None, [0.0, 0.0], [0.0, 1.2], [1.0, 1.0], [0.5, 40.0]]),
        "normalization": st.sampled_from(["caffe", "imagenet", "tf", "backbone"]),
    }
)


@pytest.mark.usefixtures("needs_numba")
@settings(max_examples=120, deadline=None)
@given(chosen=SETTINGS, picture=pictures(), seed=st.integers(0, 10**6))
def test_every_value_is_that_of_the_steps(chosen: dict[str, Any], picture: Image.Image, seed: int) -> None:
    assert_as_steps(KerasPipeline(**chosen), picture, seed)


@pytest.mark.usefixtures("needs_numba")
@pytest.mark.parametrize("size", [64, 112, 224, 512])
def test_the_papers_settings_at_its_sizes(size: int) -> None:
    smooth = noise(9, 12).resize((size + 37, size + 5), Image.Resampling.BICUBIC)
    for seed in range(6):
        assert_as_steps(pipeline(size), smooth, seed)


@pytest.mark.usefixtures("needs_numba")
@pytest.mark.parametrize("colour", [0, 77, 255])
@pytest.mark.parametrize("stretch", [True, False])
def test_one_colour(colour: int, stretch: bool) -> None:
    image = Image.new("RGB", (40, 30), (colour,) * 3)
    for seed in range(5):
        assert_as_steps(pipeline(contrast_stretch=stretch), image, seed)


@pytest.mark.usefixtures("needs_numba")
def test_the_steps_as_their_definitions_say_it() -> None:
    """A loop over pixels, from the place in the input to the level, in Python's own numbers."""
    height, width = 9, 7
    source = np.random.default_rng(3).integers(30, 200, (height, width, 3), dtype=np.uint8)
    draw = Draw(40.0, 0.7, -1.1, 0.9, 1.2, channel_shift=-12.0, flip_vertical=True, brightness=0.8)
    matrix, out = affine(draw, height, width, 0.5), torch.empty(3, height, width)
    one_pass = keras_fused.OnePass(Normalization(1.0, (10.0, 20.0, 30.0), (1.0, 1.0, 1.0), "BGR"), stretch=True)
    assert one_pass.write(torch.from_numpy(source).permute(2, 0, 1), matrix, draw, out)

    seen = np.array([[mixed(source, matrix, row, column) for column in range(width)] for row in range(height)])
    low, high = seen.min(), seen.max()
    shifted = np.clip(seen - 12.0, low, high)
    levels = np.floor((shifted - shifted.min()) / (shifted.max() - shifted.min()) * 255)
    expected = np.floor(np.minimum(levels * 0.8, 255))[..., ::-1] - np.array([10.0, 20.0, 30.0])
    off = np.abs(out.permute(1, 2, 0).numpy() - expected)
    assert off.max() <= 1  # a level that is almost reached
    assert (off > 0).mean() < 0.02


def mixed(source: np.ndarray, matrix: np.ndarray, row: int, column: int) -> np.ndarray:
    """What lies at an output pixel's place in the input: each pixel by how near it is, nothing of those a pixel away."""
    places = [
        min(max(place, 0.0), side - 1.0) for place, side in zip(matrix[:2] @ [row, column, 1.0], source.shape[:2], strict=True)
    ]
    near = [np.maximum(0, 1 - np.abs(np.arange(side) - place)) for side, place in zip(source.shape[:2], places, strict=True)]
    return np.einsum("i,j,ijk->k", *near, source)


# Where it is written.


def test_into_a_row_of_a_batch() -> None:
    augment, image, batch = pipeline(), noise(50, 60), torch.full((3, 3, 32, 32), 7.0)
    for training in (True, False):
        torch.manual_seed(1)
        augment.write(image, lambda shape, dtype: batch[1], training=training)
        torch.manual_seed(1)
        assert torch.equal(batch[1], augment(image, training=training))
        assert torch.all(batch[[0, 2]] == 7)


@pytest.mark.parametrize("training", [True, False])
def test_the_resized_image_in_any_layout_and_out_of_any(training: bool) -> None:
    augment, image = pipeline(resize="bilinear"), noise(50, 60)
    torch.manual_seed(2)
    expected = augment(image, training=training)
    pixels = augment.resized_pixels(image)
    assert (pixels.dtype, pixels.shape, pixels.stride()) == (torch.uint8, (3, 32, 32), (1, 96, 3))
    assert torch.equal(pixels.float(), augment.resized(image))
    for layout in (pixels, pixels.contiguous(), pixels.repeat(1, 1, 2)[:, :, :32]):
        for out in (torch.empty(3, 32, 32), torch.empty(32, 32, 3).permute(2, 0, 1)):
            torch.manual_seed(2)
            augment.write_view(layout, lambda shape, dtype: out, training=training)  # noqa: B023
            assert torch.equal(out, expected)


def test_a_class_built_on_it_keeps_its_own_steps() -> None:
    class Brighter(KerasPipeline):
        def applied(self, pixels: Tensor, draw: Draw) -> Tensor:
            return super().applied(pixels, draw) + 1000

    class Black(KerasPipeline):
        def resized(self, image: Image.Image) -> Tensor:
            return super().resized(image) * 0

    class Nothing(KerasPipeline):
        def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
            return torch.zeros(1)

    made: list[Tensor] = []

    def place(shape: torch.Size, dtype: torch.dtype) -> Tensor:
        made.append(torch.empty(shape, dtype=dtype))
        return made[-1]

    for kind in (Brighter, Black, Nothing):
        kind(32, MEAN, STD, **PAPER).write(noise(40, 40), place, training=True)
    assert made[0].min() > 500
    assert made[1].unique().numel() == 3
    assert made[2].tolist() == [0]


def test_it_goes_to_other_processes() -> None:
    augment, image = pipeline(), noise(40, 40)
    sent = pickle.loads(pickle.dumps(copy.deepcopy(augment)))
    for each in (augment, sent):
        assert_as_steps(each, image)


# Where it does not do.


@pytest.mark.parametrize(
    "changed",
    [
        {"brightness": [1e7, 1e7]},
        {"channel_shift": 1e7},
        {"zoom": [1e300, 1e300]},
        {"normalization": "backbone", "std": (0.0, 1.0, 1.0)},
        {"normalization": "backbone", "mean": (math.nan, 1.0, 1.0)},
    ],
)
def test_numbers_that_make_infinities_go_step_by_step(changed: dict[str, Any]) -> None:
    augment, image = pipeline(**changed), noise(40, 40)
    torch.manual_seed(0)
    expected = step_by_step(augment, image)
    torch.manual_seed(0)
    assert torch.equal(augment(image, training=True).nan_to_num(), expected.nan_to_num())


def steps_with_a_word(caplog: pytest.LogCaptureFixture, word: str) -> None:
    with caplog.at_level(logging.DEBUG, "wisesr"):
        assert_as_steps(pipeline(), noise(40, 40))
        assert keras_fused.compiled() is None
    assert word in caplog.text
    assert all(record.levelno == logging.DEBUG for record in caplog.records)


@pytest.mark.usefixtures("anew")
def test_without_numba(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "wisesr.data.keras_kernel", raising=False)
    monkeypatch.delattr("wisesr.data.keras_kernel", raising=False)
    steps_with_a_word(caplog, "numba")


@pytest.mark.usefixtures("anew")
def test_with_a_torch_that_adds_up_in_another_order(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    grid_sample = keras_fused.grid_sample
    monkeypatch.setattr(keras_fused, "grid_sample", lambda *given, **named: grid_sample(*given, **named) * (1 + 1e-15))
    steps_with_a_word(caplog, "in an order of its own")


@pytest.mark.usefixtures("anew")
def test_with_machine_code_that_is_wrong(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def wrong(fused: bool, *given: Any) -> None:
        given[-1][:] = 1.0

    monkeypatch.setattr(keras_fused, "_compile", lambda *, cached: wrong)
    steps_with_a_word(caplog, "makes other values")


@pytest.mark.usefixtures("anew")
def test_where_numba_shall_compile_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """NUMBA_DISABLE_JIT: its functions are Python then, and some of the loops' cannot be."""
    monkeypatch.setattr(pytest.importorskip("numba").config, "DISABLE_JIT", True)
    assert keras_fused.compiled() is None


@pytest.mark.usefixtures("anew")
def test_with_a_numba_that_fails(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def fails(*, cached: bool) -> Callable[..., None]:
        raise RuntimeError("no locator")

    monkeypatch.setattr(keras_fused, "_compile", fails)
    steps_with_a_word(caplog, "RuntimeError: no locator")


@pytest.mark.slow
@pytest.mark.usefixtures("anew")
def test_damaged_files_of_numba(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert keras_fused.compiled() is not None
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".nbi", ".nbc"}
    for ending in (".nbi", ".nbc"):
        for path in files:
            if path.suffix == ending:
                path.write_bytes(path.read_bytes()[:-100])
        keras_fused.compiled.cache_clear()
        assert keras_fused.compiled() is not None
        assert_as_steps(pipeline(), noise(40, 40))


@pytest.mark.slow
@pytest.mark.usefixtures("anew")
def test_no_folder_for_numbas_files(monkeypatch: pytest.MonkeyPatch) -> None:
    caching = pytest.importorskip("numba.core.caching")
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert keras_fused.compiled() is not None
    assert_as_steps(pipeline(), noise(40, 40))


OTHER_PROCESSOR = """
import sys
from tests.data.test_keras_fused import assert_as_steps, noise, pipeline, keras_fused
pipeline()(noise(40, 40), training=False)
assert "numba" not in sys.modules, "only training images want it"
for seed in range(30):
    assert_as_steps(pipeline(100), noise(40, 40), seed)
assert keras_fused.compiled().args == (False,)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("needs_numba")
def test_on_a_processor_that_rounds_each_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    subprocess.run([sys.executable, "-c", OTHER_PROCESSOR], check=True, cwd=Path(__file__).parent.parent.parent)
