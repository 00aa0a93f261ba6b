"""A check of a dataset: every fault is planted, so that the report is known row by row."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.images import noise
from wisesr.data.check import decode
from wisesr.data.check.decode import decode_file, decode_files
from wisesr.data.check.problems import KINDS, Finding, Overlap, find_problems, overlaps
from wisesr.data.folder import listed
from wisesr.data.legible import legible
from wisesr.data.listing import Listing, Row


def checked(root: Path, listing: Listing | None = None) -> list[Finding]:
    listing = listing or listed(root=str(root))
    return find_problems(listing, list(decode_files(listing.base / row.path for row in listing.rows)))


def test_nothing_to_say(copy: Path) -> None:
    assert checked(copy) == []


def truncated(path: Path) -> None:
    noise(99, (200, 200)).save(path, quality=90)
    path.write_bytes(path.read_bytes()[:2000])


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(99).save(path, exif=exif)


def sixteen_bit(path: Path) -> None:
    Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40).save(path)


def see_through(path: Path) -> None:
    image = noise(99).convert("RGBA")
    image.putpixel((0, 0), (1, 2, 3, 254))
    image.save(path)


def animated(path: Path) -> None:
    noise(99).save(path, save_all=True, append_images=[noise(98), noise(97)])


PLANTED: list[tuple[str, Callable[[Path], object], list[tuple[str, str]]]] = [
    ("x.jpg", truncated, [("corrupt", "image file is truncated")]),
    ("x.jpg", lambda path: path.write_text("no image"), [("corrupt", "not an image that can be read")]),
    ("x.png", lambda path: path.write_bytes(b""), [("corrupt", "not an image that can be read")]),
    ("x.jpg", lambda path: noise(99).save(path, format="GIF"), [("format", "GIF in a file that ends in .jpg")]),
    ("x.JPEG", lambda path: noise(99).save(path, format="PNG"), [("format", "PNG in a file that ends in .JPEG")]),
    ("x.jpg", lambda path: noise(99).convert("CMYK").save(path), [("mode", "CMYK, converted to RGB without a colour profile")]),
    ("x.png", sixteen_bit, [("mode", "16 bit grey up to 63,960: 65,535 becomes white")]),
    ("x.png", see_through, [("mode", "RGBA with transparent parts, which become black")]),
    ("x.gif", animated, [("mode", "3 frames, of which the first is read")]),
    ("x.tif", animated, [("mode", "3 frames, of which the first is read")]),
    ("x.jpg", turned, [("orientation", "EXIF says: upright when turned by 90 degrees clockwise; it is read upright")]),
    ("x.png", lambda path: noise(99, (31, 50)).save(path), [("tiny", "31x50 px")]),
    ("x.png", lambda path: noise(99, (32, 50)).save(path), []),
    ("x.png", lambda path: noise(99).convert("RGBA").save(path), []),
    ("x.png", lambda path: noise(99).convert("L").save(path), []),
    ("x.png", lambda path: noise(99).convert("P").save(path), []),
    ("x.jpg", lambda path: noise(99).save(path, format="MPO", save_all=True, append_images=[noise(98)]), []),
    ("x.jpg", lambda path: noise(99, (20, 20)).save(path, format="GIF"), [("format", "GIF in a"), ("tiny", "20x20 px")]),
]


@pytest.mark.parametrize(("name", "plant", "wanted"), PLANTED)
def test_what_one_file_has_is_told(
    copy: Path, name: str, plant: Callable[[Path], object], wanted: list[tuple[str, str]]
) -> None:
    plant(copy / "train/b" / name)
    found = checked(copy)
    assert [row[:4] for row in found] == [(problem, f"train/b/{name}", "train", "b") for problem, _ in wanted]
    for finding, (_, message) in zip(found, wanted, strict=True):
        assert finding.detail.startswith(message)


def test_an_upright_orientation_and_damaged_metadata_are_nothing(copy: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    noise(99).save(copy / "train/a/x.jpg", exif=exif)
    noise(98).save(copy / "train/a/y.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff")
    assert checked(copy) == []


def test_one_too_large_to_be_read_and_one_that_is_huge(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise(99, (60, 60)).save(copy / "train/a/x.png")
    noise(98, (120, 90)).save(copy / "train/b/x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3500)
    monkeypatch.setattr(decode, "HUGE", 3500)
    large, huge = checked(copy)
    assert large == (
        *("corrupt", "train/b/x.png", "train", "b"),
        "120 x 90 = 0.011 million pixels, more than the 0.007 million that are read: scale it down",
    )
    assert huge[:4] == ("huge", "train/a/x.png", "train", "a") and huge.detail.startswith("60 x 60 = ")


def test_files_that_vanish_or_refuse(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = listed(root=str(copy))
    (copy / "train/a/1.png").unlink()
    opened = Image.open

    def refuse(path: Path) -> Image.Image:
        if path.name == "2.png":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(Image, "open", refuse)
    assert checked(copy, listing) == [
        ("unopened", "train/a/1.png", "train", "a", "No such file or directory"),
        ("unopened", "train/a/2.png", "train", "a", "Permission denied"),
        ("unopened", "train/b/2.png", "train", "b", "Permission denied"),
    ]


def test_the_same_picture_again(copy: Path) -> None:
    noise(0).save(copy / "train/a/again.bmp")  # other bytes than 0.png, the same pixels
    noise(4).save(copy / "train/a/other label.png")
    noise(1).save(copy / "test/a/leak.png")
    noise(5).save(copy / "test/a/both.png")
    Image.fromarray(np.asarray(noise(2)).reshape(40, 36, 3)).save(copy / "train/a/reshaped.png")  # pixels, but not their size
    assert checked(copy) == [
        ("leak", "train/a/1.png", "train", "a", "as test/a/leak.png (test, a)"),
        ("leak", "test/a/leak.png", "test", "a", "as train/a/1.png (train, a)"),
        ("leak", "train/b/2.png", "train", "b", "as test/a/both.png (test, a)"),
        ("leak", "test/a/both.png", "test", "a", "as train/b/2.png (train, b)"),
        ("two-labels", "train/a/other label.png", "train", "a", "as train/b/1.png (train, b)"),
        ("two-labels", "train/b/1.png", "train", "b", "as train/a/other label.png (train, a)"),
        ("two-labels", "train/b/2.png", "train", "b", "as test/a/both.png (test, a)"),
        ("two-labels", "test/a/both.png", "test", "a", "as train/b/2.png (train, b)"),
        ("duplicate", "train/a/0.png", "train", "a", "as train/a/again.bmp (train, a)"),
        ("duplicate", "train/a/again.bmp", "train", "a", "as train/a/0.png (train, a)"),
    ]


def test_many_twins_are_counted_and_those_of_the_other_split_named_first() -> None:
    rows = [Row(f"{i}.png", "a") for i in range(5)] + [Row("t.png", "a", "test")]
    found = find_problems(Listing(Path(), rows), [decode.Decoded((), (1, 1), "PNG", b"x")] * 6)
    assert found[0].detail == "as t.png (test, a), 1.png (train, a), 2.png (train, a) and 2 more"


def test_the_share_of_a_split_that_others_have_too() -> None:
    seen = [decode.Decoded((), (1, 1), "PNG", bytes([byte]) if byte else b"") for byte in (1, 2, 0, 1, 3, 2, 2, 0, 3, 4)]
    rows = [Row(str(i), "a", split) for i, split in enumerate(["train"] * 3 + ["val"] * 2 + ["test"] * 5)]
    assert overlaps(rows, seen) == [Overlap("test", "train", 2, 5), Overlap("test", "val", 1, 5), Overlap("val", "train", 1, 2)]
    assert overlaps(rows[:3], seen[:3]) == []


def test_files_are_looked_at_in_order_and_the_last_ones_too(copy: Path) -> None:
    paths = [copy / f"{index:03d}.bmp" for index in range(80)]
    for index, path in enumerate(paths):
        noise(index, (40, 40 + index)).save(path)
    assert [image.size for image in decode_files(paths)] == [(40, 40 + index) for index in range(80)]


def test_a_large_picture_is_hashed_in_strips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = np.zeros((3, 2**20 + 1, 3), np.uint8)
    for value in (0, 1):
        wide[2, -1, 2] = value
        Image.fromarray(wide).save(tmp_path / f"{value}.bmp")
    assert len({decode_file(tmp_path / name).digest for name in ("0.bmp", "1.bmp")}) == 2


def test_every_kind_says_what_to_do() -> None:
    assert all(kind.description and kind.advice for kind in KINDS.values())


@pytest.mark.parametrize("text", ["plain é 中.jpg", "line\nbreak", os.fsdecode(b"caf\xe9.jpg"), "\x1b[31mred"])
def test_any_name_of_a_file_can_be_written(text: str) -> None:
    assert legible(text).isprintable()
    legible(text).encode("utf-8")
    assert (legible(text) == text) == text.isprintable()
