"""Maps whose positions are permuted, once or by the image: against loops, and that nothing but seed and image decides."""

from __future__ import annotations

import math
from itertools import permutations as all_orders

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.small import maps, randomised
from wisesr import create_head
from wisesr.models.heads.base import Head
from wisesr.models.heads.shuffled import ShuffledWiseHead, image_keys, permutations

PRIME = 2**31 - 1
SHAPE = (4, 7, 6)
NORMALISATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 255.0),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 255.0),
    "caffe": ((103.939, 116.779, 123.68), (1.0, 1.0, 1.0), 1.0),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 255.0),
}
"""Mean, standard deviation, and what levels are divided by before."""


def normalised(levels: Tensor, way: str, dtype: torch.dtype = torch.float32) -> Tensor:
    mean, std, divisor = NORMALISATIONS[way]
    column = torch.tensor([mean, std], dtype=dtype)[:, :, None, None]
    return (levels.to(dtype) / divisor - column[0]) / column[1]


def pictures(count: int, size: int = 32, seed: int = 0) -> Tensor:
    """8-bit pictures (count, 3, size, size): gradients, a disc, a little noise; light ones are clipped, as photographs' are."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size] / size
    a, b, c, x, y, r = random.uniform(-1, 1, (6, count, 3, 1, 1))
    smooth = 140 + 90 * (a * rows + b * columns) + 80 * c * ((rows - x[:, :1]) ** 2 + (columns - y[:, :1]) ** 2 < r[:, :1] ** 2)
    return torch.from_numpy((smooth + random.normal(0, 2, smooth.shape)).clip(0, 255).astype(np.uint8))


def pair(name: str, **settings: object) -> tuple[ShuffledWiseHead, Head]:
    """A shuffled head and `wise` with the same weights."""
    shuffled = randomised(create_head(name, SHAPE, 3, **settings))
    wise = create_head("wise", SHAPE, 3, **settings).double().eval()
    wise.load_state_dict({key: value for key, value in shuffled.state_dict().items() if key != "numbers"})
    assert isinstance(shuffled, ShuffledWiseHead)
    return shuffled, wise


def put(x: Tensor, order: list[int]) -> Tensor:
    """A map (channels, height, width) whose position n is that of order[n], one by one."""
    result, width = torch.empty_like(x), x.shape[2]
    for n, source in enumerate(order):
        result[:, n // width, n % width] = x[:, source // width, source % width]
    return result


def key_of(image: Tensor) -> int:
    """In Python's whole numbers."""
    height, width = image.shape[1:]
    grid = image[:, :: max(1, height // 8), :: max(1, width // 8)].double().flatten().tolist()
    return sum(math.floor(value * 16 + 0.3719) * pow(place, 5, PRIME) for place, value in enumerate(grid, 1)) % PRIME


@pytest.mark.parametrize("mode", ["valid", "ceil"])
def test_shuffled_once_is_wise_on_a_map_put_in_another_order(mode: str) -> None:
    shuffled, wise = pair("wise_shuffled", pre_pool_mode=mode)
    order, x = shuffled.numbers.tolist(), maps(SHAPE)
    assert sorted(order) == list(range(42)) != order
    torch.testing.assert_close(shuffled(x), wise(torch.stack([put(one, order) for one in x])))
    inverse = [order.index(n) for n in range(42)]
    torch.testing.assert_close(shuffled(torch.stack([put(one, inverse) for one in x])), wise(x))
    assert torch.equal(shuffled.of_images(x, x[:, :3]), shuffled(x)), "whatever the images"


@pytest.mark.parametrize("mode", ["valid", "ceil"])
def test_shuffled_by_image_is_wise_on_each_map_in_an_order_of_its_own(mode: str) -> None:
    shuffled, wise = pair("wise_shuffled_images", pre_pool_mode=mode)
    x, images, numbers = maps(SHAPE, 4), normalised(pictures(4), "imagenet"), shuffled.numbers.tolist()
    orders = []
    for image in images:
        key = key_of(image)
        orders.append(sorted(range(42), key=lambda n: pow(key + numbers[n], 5, PRIME)))
    assert all(sorted(order) == list(range(42)) for order in orders)
    assert len({tuple(order) for order in orders}) == 4
    expected = torch.stack([put(one, order) for one, order in zip(x, orders, strict=True)])
    torch.testing.assert_close(shuffled.of_images(x, images), wise(expected))


@pytest.mark.parametrize("name", ["wise_shuffled", "wise_shuffled_images"])
def test_where_all_positions_are_alike_it_is_wise(name: str) -> None:
    shuffled, wise = pair(name)
    x = maps((4, 1, 1)).expand(-1, *SHAPE)
    torch.testing.assert_close(shuffled.of_images(x, torch.randn(3, 3, 20, 20)), wise(x))


def test_an_image_has_one_answer_in_any_company_memory_and_precision() -> None:
    shuffled, _ = pair("wise_shuffled_images")
    shuffled.float()
    x, images = maps(SHAPE, 5).float(), normalised(pictures(5, 40), "imagenet")
    together = shuffled.of_images(x, images)
    for at in range(5):
        torch.testing.assert_close(shuffled.of_images(x[at : at + 1], images[at : at + 1]), together[at : at + 1])
    order = torch.tensor([3, 0, 4, 4, 1])
    torch.testing.assert_close(shuffled.of_images(x[order], images[order]), together[order])
    layout = torch.channels_last
    torch.testing.assert_close(shuffled.of_images(x.to(memory_format=layout), images.to(memory_format=layout)), together)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(shuffled.of_images(x, images).float(), together, rtol=0.05, atol=0.3)
    exact = normalised(pictures(5, 40), "imagenet", torch.float64)
    torch.testing.assert_close(shuffled.double().of_images(x.double(), exact), together.double(), rtol=1e-4, atol=1e-4)
    other = shuffled.of_images(x.double(), exact.flip(0))
    assert (other - together).abs().mean() > 1, "and another image another answer"


@pytest.mark.parametrize("way", NORMALISATIONS)
def test_no_level_of_8_bits_lies_on_a_step(way: str) -> None:
    """Float32 and float64 round differently, and so do devices: no number may be near enough to a step to change sides."""
    levels = torch.arange(256)[None, None].expand(1, 3, -1, -1)
    steps = normalised(levels, way, torch.float64) * 16 + 0.3719
    assert (steps - steps.round()).abs().min() > 1e-4


@pytest.mark.parametrize("way", NORMALISATIONS)
def test_pictures_have_keys_of_their_own(way: str) -> None:
    """Two of 2,300 would meet in one study of a thousand; flipped, moved and lightened pictures are others."""
    photos = pictures(300)
    variants = (photos, photos.flip(3), photos.flip(2), photos.roll(1, 3), photos.roll(1, 2), photos // 2 + 3, 255 - photos)
    levels = torch.cat([*variants, pictures(200, seed=1)])
    keys = image_keys(normalised(levels, way))
    assert keys.min() >= 0 and keys.max() < PRIME
    assert len(set(keys.tolist())) == len(levels)
    assert torch.equal(keys, image_keys(normalised(levels, way, torch.float64)))
    assert keys[:20].tolist() == [key_of(image) for image in normalised(levels[:20], way)]


@pytest.mark.parametrize("size", [7, 8, 15, 17, 224])
def test_keys_of_any_size(size: int) -> None:
    images = torch.randn(3, 3, size, size)
    assert image_keys(images).tolist() == [key_of(image) for image in images]


def test_all_permutations_are_alike_likely() -> None:
    """Chi-square, over 24 orders of 4 positions, and over who comes where on 7x7; both below their 99.9 % points."""
    keys = image_keys(normalised(pictures(4800, 8), "half"))
    torch.manual_seed(0)
    found = permutations(keys, torch.randint(PRIME, (4,))).tolist()
    counts = [sum(tuple(order) == one for order in found) for one in all_orders(range(4))]
    assert sum((count - 200) ** 2 / 200 for count in counts) < 49.7
    orders = permutations(keys, torch.randint(PRIME, (49,)))
    table = torch.stack([torch.bincount(orders[:, at], minlength=49) for at in range(49)]).double()
    expected = 4800 / 49
    freedom = 48**2
    assert ((table - expected) ** 2 / expected).sum() < freedom + 3.1 * math.sqrt(2 * freedom)


@pytest.mark.parametrize("name", ["wise_shuffled", "wise_shuffled_images"])
def test_the_seed_draws_the_permutation_and_nothing_else_of_it(name: str) -> None:
    def made(seed: int, name: str = name) -> dict[str, Tensor]:
        torch.manual_seed(seed)
        return dict(create_head(name, SHAPE, 3).state_dict())

    one, again, other, wise = made(1), made(1), made(2), made(1, "wise")
    assert torch.equal(one["numbers"], again["numbers"]) and not torch.equal(one["numbers"], other["numbers"])
    assert all(torch.equal(value, one[key]) for key, value in wise.items()), "kernel and classifier as wise's"
    keys = torch.arange(5)
    if name == "wise_shuffled_images":
        assert not torch.equal(permutations(keys, one["numbers"]), permutations(keys, other["numbers"]))


def test_what_needs_one_permutation_says_why_there_is_none() -> None:
    shuffled, _ = pair("wise_shuffled_images")
    x = maps(SHAPE)
    for call in (lambda: shuffled.evidence(x), shuffled.offset, shuffled.full_kernel):
        with pytest.raises(NotImplementedError, match="with shuffle=image, which permutes the positions of each image"):
            call()
    with pytest.raises(ValueError, match=r"head\.shuffle=image permutes by the image: call of_images\(features, images\)"):
        shuffled(x)
    for name in ("wise_shuffled", "wise_shuffled_images"):
        with pytest.raises(ValueError, match=r"made for maps of \(4, 7, 6\), not \(4, 6, 7\)"):
            pair(name)[0].of_images(maps((4, 6, 7)), torch.zeros(3, 3, 8, 8))
