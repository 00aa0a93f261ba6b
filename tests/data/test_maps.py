"""Maps as rows of bytes: the same values, the same strides, and keys of content alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from wisesr.data.maps import Layout, Maps, keys_of_maps
from wisesr.data.rows.store import Kind, Store


def tokens(batch: int, prefix: int) -> Tensor:
    """A transformer's map: a view on tokens, class tokens left out."""
    return torch.randn(batch, prefix + 6, 5)[:, prefix:].transpose(1, 2).reshape(batch, 5, 2, 3)


LYING = {
    "channels first": lambda: torch.randn(4, 5, 2, 3),
    "channels last": lambda: torch.randn(4, 2, 3, 5).permute(0, 3, 1, 2),
    "width first": lambda: torch.randn(4, 3, 2, 5).permute(0, 3, 2, 1),
    "tokens": lambda: tokens(4, 0),
    "behind a class token": lambda: tokens(4, 1),
    "one position": lambda: torch.randn(4, 5, 1, 1).contiguous(memory_format=torch.channels_last),
    "a single image": lambda: torch.randn(1, 5, 2, 3),
    "bfloat16": lambda: torch.randn(4, 5, 2, 3).bfloat16(),
    "float64": lambda: torch.randn(4, 2, 3, 5, dtype=torch.float64).permute(0, 3, 1, 2),
    "cut out of a larger one": lambda: torch.randn(4, 5, 4, 4)[:, :, 1:3, 1:4],
}


@pytest.mark.parametrize("lying", LYING)
def test_rows_are_the_maps_again(lying: str) -> None:
    maps = LYING[lying]()
    layout = Layout.of(maps, half=False)
    rows = layout.to_rows(maps)
    assert rows.shape == (len(maps), layout.bytes)
    memory, places = layout.empty(len(maps))
    places[:] = rows
    again = layout.to_maps(memory)
    assert torch.equal(again, maps) and again.dtype == maps.dtype
    if lying != "cut out of a larger one":
        assert again.stride() == maps.stride()
    noise = layout.noise(4, torch.Generator().manual_seed(0))
    assert noise.shape[1:] == maps.shape[1:] and noise.dtype == maps.dtype and noise.stride()[1:] == again.stride()[1:]
    assert list(Layout(*map(tuple, layout[:2]), *layout[2:])) == list(layout), "as JSON brings it back"


@pytest.mark.parametrize("lying", LYING)
def test_half_of_the_room(lying: str) -> None:
    maps = LYING[lying]()
    layout = Layout.of(maps, half=True)
    memory, places = layout.empty(len(maps))
    places[:] = layout.to_rows(maps)
    rounded = maps.half().to(maps.dtype)
    again = layout.to_maps(memory)
    assert layout.bytes == 2 * maps[0].numel()
    assert torch.equal(again, rounded) and again.dtype == maps.dtype and again.stride() == rounded.stride()


DIGESTS = np.arange(160, dtype=np.uint8).reshape(10, 16)


def test_keys_tell_views_and_last_batches_apart() -> None:
    places: list[tuple[int, int | None]] = [(0, None), (1, None), (0, 0), (0, 1), (1, 0)]
    keys = keys_of_maps(DIGESTS, places, [(2, 3), (3, 2), (2,), (0,)])
    assert keys.shape == (len(places) + 6, 16)
    assert len({key.tobytes() for key in keys}) == len(keys)
    assert keys[0].tobytes() == DIGESTS[0].tobytes()


def test_keys_are_of_content_alone() -> None:
    """Images that lie elsewhere in another manifest are found."""
    order = np.array([4, 2, 0, 1, 3])
    moved = {int(old): new for new, old in enumerate(order)}
    places: list[tuple[int, int | None]] = [(0, None), (3, 2)]
    tails = [(1, 2, 4)]
    there = [(moved[position], view) for position, view in places]
    keys = keys_of_maps(DIGESTS[order], there, [tuple(moved[position] for position in tail) for tail in tails])
    assert np.array_equal(keys, keys_of_maps(DIGESTS, places, tails))


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Maps, Tensor, Tensor]:
    """Images 0 to 5 in full batches of three, of 0 and 1 a view, and (6, 7) as an end; with what was stored."""
    generator = torch.Generator().manual_seed(0)
    maps, ends = (torch.randn(count, 5, 2, 3, generator=generator) for count in (8, 2))
    places: list[tuple[int, int | None]] = [*((position, None) for position in range(6)), (0, 1), (1, 1)]
    tails = [(6, 7)]
    layout = Layout.of(maps, half=False)
    rows = layout.to_rows(torch.cat([maps, ends]))
    store = Store(tmp_path, Kind("maps", {}, dimensions=1, item=1, text="toy"))

    def make(wanted: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
        yield from rows[wanted]

    kept = store.extend(keys_of_maps(DIGESTS, places, tails), make, what="testing", about={}, row_bytes=layout.bytes)
    assert kept is not None
    return Maps(kept, layout, places, tails, 3), maps, ends


def test_which_batches_are_there(stored: tuple[Maps, Tensor, Tensor]) -> None:
    kept, maps, ends = stored
    full = kept.batch([(4, None), (0, None), (4, None)])
    assert full is not None and torch.equal(full, maps[[4, 0, 4]])
    views = kept.batch([(1, 1), (0, 1), (0, 1)])
    assert views is not None and torch.equal(views, maps[[7, 6, 6]])
    end = kept.batch([(6, None), (7, None)])
    assert end is not None and torch.equal(end, ends)
    assert kept.batch([(7, None), (6, None)]) is None, "another order is another batch"
    assert kept.batch([(0, None), (1, None)]) is None, "a smaller batch that nobody has computed"
    assert kept.batch([(6, None), (7, None), (0, None)]) is None, "no full batch has computed it"
    assert kept.batch([(0, 0), (1, 1), (0, 1)]) is None, "a view that is not there"
    assert kept.batch([(6, 1), (7, 1)]) is None, "an end of views"
    assert kept.dtype == "float32"
