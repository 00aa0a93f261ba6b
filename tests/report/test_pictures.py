"""Small pictures: their size, their number, their room."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from wisesr.errors import UserError
from wisesr.report.pictures import SIDE, pictures


def load(name: str) -> Image.Image:
    return Image.new("RGB", (400, 200), name)


def test_a_picture_is_small_keeps_its_shape_and_colour() -> None:
    made = pictures(["red", "blue", "red"], load, room=10**6)
    assert set(made.jpegs) == {"red", "blue"}
    assert made[1:] == ((), 0)
    image = Image.open(io.BytesIO(made.jpegs["red"]))
    assert (image.format, image.size) == ("JPEG", (SIDE, SIDE // 2))
    red, green, blue = image.getpixel((10, 10))  # type: ignore[misc]
    assert red > 240
    assert max(green, blue) < 15


def test_an_image_is_not_made_larger() -> None:
    made = pictures(["x"], lambda _: Image.new("RGB", (8, 5)), room=10**6)
    assert Image.open(io.BytesIO(made.jpegs["x"])).size == (8, 5)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "LA", "CMYK"])
def test_every_kind_of_image_can_be_shown(mode: str) -> None:
    assert set(pictures(["x"], lambda _: Image.new(mode, (30, 30)), room=10**6).jpegs) == {"x"}


@pytest.mark.parametrize("error", [OSError, UserError, KeyError, ValueError, Image.DecompressionBombError])
def test_what_cannot_be_opened_is_named_and_the_others_are_shown(error: type[Exception]) -> None:
    def gone(name: str) -> Image.Image:
        if name == "gone":
            raise error("gone")
        return load(name)

    made = pictures(["red", "gone", "blue"], gone, room=10**6)
    assert set(made.jpegs) == {"red", "blue"}
    assert made.unread == ("gone",)


def test_there_is_only_so_much_room() -> None:
    names = [f"#0000{index:02x}" for index in range(20)]
    whole = pictures(names, load, room=10**6)
    room = sum(len(whole.jpegs[name]) for name in names[:7]) + 10
    some = pictures(names, load, room=room)
    assert list(some.jpegs) == names[:7]
    assert some.without_room == 13
    assert sum(map(len, some.jpegs.values())) <= room
