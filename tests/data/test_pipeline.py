"""Pictures to rows of a batch: to the bit, draws included, what v2.Compose and torch.stack made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from tests.support.images import noise
from wisesr.data.augmentation import Plain, Standard
from wisesr.data.batches import Batch, Images, Loader
from wisesr.data.manifest import Manifest
from wisesr.data.pipeline import Pipeline
from wisesr.data.resizing import resized
from wisesr.errors import UserError
from wisesr.types import derive_seed

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
FINISH = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
KEYS = [(epoch, index) for epoch in (0, 3) for index in (5, 0, 2, 3)]
SIDES = st.tuples(st.integers(1, 90), st.integers(1, 90))


def manifest(load: Callable[[int], Image.Image] = lambda index: noise(index, (20 + 7 * index, 50 - 6 * index))) -> Manifest:
    return Manifest([f"{index}" for index in range(6)], [0, 1, 0, 1, 0, 1], ["a", "b"], ["train"] * 6, load, [1] * 6)


def as_it_was(size: int, min_area: float, max_area: float, flip: float) -> v2.Compose:
    crop = v2.RandomResizedCrop((size, size), scale=(min_area, max_area), antialias=True)
    return v2.Compose([v2.ToImage(), crop, v2.RandomHorizontalFlip(flip), *FINISH])


def drawn(augment: Callable[[], Tensor], seed: int) -> tuple[Tensor, Tensor]:
    """What it makes after a seed, and the state in which it leaves the generator."""
    torch.manual_seed(seed)
    return augment().as_subclass(Tensor), torch.get_rng_state()


@given(
    seed=st.integers(0, 10**6),
    sides=SIDES,
    size=st.sampled_from([1, 2, 7, 32, 57, 90]),
    areas=st.sampled_from([(0.35, 1.0), (0.08, 0.2), (1.0, 1.0), (0.001, 0.002), (0.9, 0.91)]),
    flip=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    mode=st.sampled_from(["RGB", "RGB", "L", "1"]),
)
@settings(max_examples=150, deadline=None)
def test_random_crops_are_torchvisions(
    seed: int, sides: tuple[int, int], size: int, areas: tuple[float, float], flip: float, mode: str
) -> None:
    image = noise(seed % 7, sides).convert(mode)
    augment = Standard(size, MEAN, STD, min_area=areas[0], max_area=areas[1], flip=flip)
    before, state = drawn(lambda: as_it_was(size, *areas, flip)(image), seed)
    now, state_now = drawn(lambda: augment(image, training=True), seed)
    assert now.dtype == torch.float32 and torch.equal(before, now) and torch.equal(state, state_now)


@pytest.mark.parametrize("sides", [(300, 401), (401, 300), (640, 33), (33, 640), (224, 224)])
def test_large_ones_too(sides: tuple[int, int]) -> None:
    for seed in range(4):
        image = noise(seed, sides)
        before, _ = drawn(lambda image=image: as_it_was(224, 0.35, 1.0, 0.5)(image), seed)  # type: ignore[misc]
        now, _ = drawn(lambda image=image: Standard(224, MEAN, STD)(image, training=True), seed)  # type: ignore[misc]
        assert torch.equal(before, now)


@pytest.mark.parametrize("mode", ["RGBA", "I;16", "F", "I"])
def test_pictures_that_a_manifest_never_gives_are_what_they_were(mode: str) -> None:
    image = Image.new(mode, (9, 7))
    steps = v2.Compose([v2.ToImage(), v2.Resize((8, 8), antialias=True), *FINISH])

    def made(make: Callable[[], Tensor]) -> Tensor | str:
        try:
            return make()
        except (RuntimeError, TypeError) as error:
            return str(error)

    before, now = made(lambda: steps(image)), made(lambda: Plain(8, MEAN, STD)(image, training=False))
    assert torch.equal(before, now) if isinstance(before, Tensor) and isinstance(now, Tensor) else before == now


class Noisy(Plain):
    """As docs/extending has it."""

    def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
        tensor = super().__call__(image, training=training)
        return tensor + 0.1 * torch.randn(tensor.shape) if training else tensor


class OfImages(nn.Module):
    def forward(self, image: Tensor) -> Tensor:
        assert isinstance(image, tv_tensors.Image)
        return 255 - image


class MoreSteps(Plain):
    def _pipeline(self, steps: Sequence[nn.Module]) -> Any:
        return super()._pipeline([*steps, v2.ColorJitter(0.4), OfImages()])


class AnotherFinish(Standard):
    def __init__(self, size: int, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__(size, mean, std)
        self._finish += [v2.RandomErasing(0.9)]
        self.train = self._pipeline([v2.RandomResizedCrop((size, size), antialias=True)])


class OfItsOwn(Standard):
    def _pipeline(self, steps: Sequence[nn.Module]) -> Any:
        return v2.Compose([v2.ToImage(), *steps, v2.RandomGrayscale(), v2.ToDtype(torch.float32, scale=True), *self._finish])


def steps_of(augment: Plain) -> Callable[[Image.Image], Tensor]:
    """What torchvision alone makes of it in training."""
    first = v2.Resize((32, 32), antialias=True)
    crop = v2.RandomResizedCrop((32, 32), scale=(0.35, 1.0), antialias=True)
    of: dict[type, list[nn.Module]] = {
        Plain: [first, *FINISH],
        Standard: [crop, v2.RandomHorizontalFlip(), *FINISH],
        Noisy: [first, *FINISH, v2.Lambda(lambda tensor: tensor + 0.1 * torch.randn(tensor.shape))],
        MoreSteps: [first, v2.ColorJitter(0.4), OfImages(), *FINISH],
        AnotherFinish: [v2.RandomResizedCrop((32, 32), antialias=True), *FINISH, v2.RandomErasing(0.9)],
        OfItsOwn: [crop, v2.RandomHorizontalFlip(), v2.RandomGrayscale(), *FINISH],
    }
    return v2.Compose([v2.ToImage(), *of[type(augment)]])


@pytest.mark.parametrize("kind", [Plain, Standard, Noisy, MoreSteps, AnotherFinish, OfItsOwn])
@pytest.mark.parametrize("workers", [0, 1])
def test_batches_are_stacks_of_samples(kind: type[Plain], workers: int) -> None:
    images = Images(manifest(), "train", kind(32, MEAN, STD), training=True, seed=7)
    samples = []
    for epoch, index in KEYS:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derive_seed(7, "sample", epoch, index))
            samples.append(steps_of(kind(32, MEAN, STD))(manifest().load(index)).as_subclass(Tensor))
    state = torch.get_rng_state()
    loader: DataLoader[Any] = DataLoader(images, batch_sampler=[KEYS], collate_fn=lambda batch: batch, num_workers=workers)
    (batch,) = loader if workers else [images.__getitems__(KEYS)]
    assert isinstance(batch, Batch) and type(batch.images) is Tensor and batch.images.is_contiguous()
    assert torch.equal(batch.images, torch.stack(samples))
    assert batch.labels.tolist() == [1, 0, 0, 1] * 2 and batch.positions.tolist() == [5, 0, 2, 3] * 2
    assert batch.labels.dtype == batch.positions.dtype == torch.int64
    assert workers or torch.equal(state, torch.get_rng_state()), "the process's own generator is left as it was"


@pytest.mark.parametrize(("kind", "sent"), [(Standard, torch.uint8), (Noisy, torch.float32), (MoreSteps, torch.float32)])
def test_workers_send_pixels_where_they_can(kind: type[Plain], sent: torch.dtype) -> None:
    images = Images(manifest(), "train", kind(32, MEAN, STD), training=True, seed=7)
    images.sends_pixels = True
    settings: dict[str, Any] = {"batch_sampler": [KEYS, KEYS[:3]], "collate_fn": lambda batch: batch, "num_workers": 1}
    assert [batch.images.dtype for batch in DataLoader(images, **settings)] == [sent, sent]
    loader = Loader(images, **settings)
    for keys, batch in zip([KEYS, KEYS[:3]], loader, strict=True):
        here = images.__getitems__(keys)
        assert isinstance(here, Batch) and batch.images.is_contiguous()
        assert all(torch.equal(one, other) for one, other in zip(batch[:3], here[:3], strict=True))


@pytest.mark.parametrize("size", [16, 150, 600])
def test_a_batch_is_normalised_as_each_picture_is(size: int) -> None:
    """Above and below what is normalised at once, which may not divide the batch; each of the 256 values is in it."""
    generator = torch.Generator().manual_seed(size)
    pixels = torch.randint(0, 256, (13, size, size, 3), dtype=torch.uint8, generator=generator).permute(0, 3, 1, 2)
    finished = Plain(size, MEAN, STD).finish(pixels, training=False)
    assert torch.equal(finished, torch.stack([v2.Compose(FINISH)(image) for image in pixels])) and finished.is_contiguous()


@given(
    sides=SIDES, height=st.integers(1, 90), width=st.integers(1, 90), kind=st.sampled_from(["last", "first", "part", "float"])
)
@settings(max_examples=100, deadline=None)
def test_resized_is_torchvisions(sides: tuple[int, int], height: int, width: int, kind: str) -> None:
    picture = torch.from_numpy(np.array(noise(1, sides))).permute(2, 0, 1)
    of = {"last": picture, "first": picture.contiguous(), "part": picture[:, ::2, :], "float": picture / 255}
    expected = v2.functional.resize(of[kind], [height, width], antialias=True)
    assert torch.equal(resized(of[kind], height, width), expected)


def test_grey_pictures_are_grey_in_three_channels() -> None:
    """A manifest of one's own may give them beside others: torchvision's normalisation makes three channels of one."""
    mixed = manifest(lambda index: noise(index, (20, 30)).convert("L" if index % 2 else "RGB"))
    batch = Images(mixed, "train", Plain(32, MEAN, STD), training=True, seed=7).__getitems__(KEYS)
    expected = [steps_of(Plain(32, MEAN, STD))(mixed.load(index)).as_subclass(Tensor) for _, index in KEYS]
    assert isinstance(batch, Batch) and torch.equal(batch.images, torch.stack(expected))


def test_ours_are_written_at_once() -> None:
    for augment in (Plain(32, MEAN, STD), Standard(32, MEAN, STD)):
        assert isinstance(augment.train, Pipeline) and isinstance(augment.test, Pipeline)


def test_tensors_of_several_shapes_make_no_batch() -> None:
    class Ragged(Plain):
        def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
            return super().__call__(image, training=training)[..., : 1 + image.width % 2]

    refused = Images(manifest(), "train", Ragged(32, MEAN, STD), training=True, seed=0).__getitems__(KEYS)
    assert isinstance(refused, UserError)
    assert "one shape and type, not of (3, 32, 2), torch.float32, and of (3, 32, 1)" in str(refused)


def test_an_image_that_cannot_be_read_is_told() -> None:
    def load(index: int) -> Image.Image:
        if index == 2:
            raise UserError("2.jpg: no image")
        return Image.fromarray(np.zeros((4, 4, 3), np.uint8))

    images = Images(manifest(load), "train", Plain(8, MEAN, STD), training=True, seed=0)
    assert str(images.__getitems__(KEYS)) == str(images[0, 2]) == "2.jpg: no image"
    assert isinstance(images.__getitems__(KEYS[:2]), Batch)
