"""What is said of grey levels that do not fit, of several kinds in one dataset, and of colours of 16 bits."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.configs import composed
from tests.support.images import noise
from tests.support.tiff import tiff
from wisesr.build.data import build_manifest
from wisesr.data.images import open_rgb, read_header

SIZE = WIDTH, HEIGHT = 12, 10


@pytest.fixture(autouse=True)
def _kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))


def between(low: float, high: float, seed: int, channels: int = 1) -> NDArray[np.float64]:
    """Values that reach both ends."""
    values = np.random.default_rng(seed).uniform(low, high, (HEIGHT, WIDTH, channels))
    values.flat[:channels], values.flat[-channels:] = low, high
    return values


def grey16(low: float, high: float, seed: int) -> tuple[str, bytes]:
    file = BytesIO()
    Image.fromarray(between(low, high, seed)[..., 0].round().astype(np.uint16)).save(file, "PNG")
    return "png", file.getvalue()


def floats(low: float, high: float, seed: int) -> tuple[str, bytes]:
    return "tif", tiff(between(low, high, seed).astype("<f4").tobytes(), SIZE, 32, sample_format=3)


def signed(low: float, high: float, seed: int, bits: int = 16) -> tuple[str, bytes]:
    values = between(low, high, seed).round().astype(f">i{bits // 8}")
    return "tiff", tiff(values.tobytes(), SIZE, bits, order=">", sample_format=2)


def colour_png(low: float, high: float, seed: int, kind: int = 2) -> tuple[str, bytes]:
    """Of 16 bits a channel; `kind`: 2 colours, 4 grey with alpha, 6 colours with alpha."""
    channels = {2: 3, 4: 2, 6: 4}[kind]
    values = between(low, high, seed, channels).round().astype(">u2")
    if kind != 2:
        values[..., -1] = 65535
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", *SIZE, 16, kind, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    text = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return "png", b"\x89PNG\r\n\x1a\n" + text


def colour_tiff(low: float, high: float, seed: int) -> tuple[str, bytes]:
    """Little-endian, 16 bits a channel, one strip, the three counts of bits behind the tags."""
    pixels = between(low, high, seed, 3).round().astype("<u2").tobytes()
    tags = [(256, WIDTH), (257, HEIGHT), (258, 0), (259, 1), (262, 2), (273, 0), (277, 3), (278, HEIGHT), (279, len(pixels))]
    behind = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", tag, 3, 3, behind)
        if tag == 258
        else struct.pack("<HHII", tag, 4, 1, behind + 6 if tag == 273 else value)
        for tag, value in tags
    )
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    return "tif", head + entries + bytes(4) + struct.pack("<HHH", 16, 16, 16) + pixels


def colour_ppm(low: float, high: float, seed: int) -> tuple[str, bytes]:
    return "ppm", b"P6 %d %d 65535\n" % SIZE + between(low, high, seed, 3).round().astype(">u2").tobytes()


def colour_sgi(low: float, high: float, seed: int) -> tuple[str, bytes]:
    head = struct.pack(">HBBHHHH", 474, 0, 2, 3, WIDTH, HEIGHT, 3).ljust(512, b"\0")
    return "sgi", head + between(low, high, seed, 3).round().astype(">u2").transpose(2, 0, 1).tobytes()


def colour_8(low: float, high: float, seed: int) -> tuple[str, bytes]:
    file = BytesIO()
    noise(seed).save(file, "PNG")
    return "png", file.getvalue()


Kind = Callable[[float, float, int], tuple[str, bytes]]


def said(root: Path, *classes: tuple[str, int, Kind, float, float], range: Any = "auto") -> list[str]:
    """Sentences about classes of so many images of a kind between two values; more of a class may follow."""
    for number, (name, count, kind, low, high) in enumerate(classes):
        for index in np.arange(count):
            ending, content = kind(low, high, 1000 * number + int(index))
            path = root / name / f"{number}-{index}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    manifest = build_manifest(composed("dataset=folder", f"dataset.root={root}", f"dataset.range={range}"))
    return manifest.notes.sentences()


TWO_KINDS = "two kinds of range in one dataset? Then store them alike, as dataset.range is one for all"
NONE_SUITS = "no dataset.range suits these and the others, so store them alike"


@pytest.mark.parametrize(
    ("kind", "dark", "bright", "white"),
    [(grey16, 1000, 60000, "65,535"), (grey16, 255, 40000, "65,535"), (floats, 0.01, 0.9, "1"), (signed, 900, 32000, "32,767")],
)
def test_a_class_that_is_dark_as_a_whole_is_named(tmp_path: Path, kind: Kind, dark: float, bright: float, white: str) -> None:
    (sentence,) = said(tmp_path / "i", ("cat", 5, kind, 0, dark), ("dog", 9, kind, 0, bright), ("owl", 8, kind, 0, bright))
    what = "floats" if kind is floats else "16 bits"
    start = (
        f"all 5 grey images of {what} of class cat are darker than an eighth of their range, at most {dark:,} where {white} "
    )
    assert sentence.startswith(start + "is white, and the others are not: ")
    assert sentence.endswith((TWO_KINDS, NONE_SUITS))


def test_several_classes_are_named_and_single_dark_images_are_not(tmp_path: Path) -> None:
    classes = [(name, 6, grey16, 0, 3000 if name in "ac" else 50000) for name in "abcd"]
    (sentence,) = said(tmp_path / "i", *classes)
    assert sentence.startswith("all 12 grey images of 16 bits of classes a, c are darker")
    classes = [("a", 20, grey16, 0, 50000), ("a", 2, grey16, 0, 3000), ("b", 20, grey16, 0, 50000)]
    assert said(tmp_path / "j", *classes) == []
    classes[1] = ("a", 9, grey16, 0, 3000)
    (sentence,) = said(tmp_path / "k", *classes)
    assert sentence.startswith("9 of 49 grey images of 16 bits are darker")
    (sentence,) = said(tmp_path / "k", ("c", 3, grey16, 0, 300))
    assert sentence.startswith("12 of 52 grey images of 16 bits, all of class c among them, are darker")


def test_black_images_are_not_dark_ones(tmp_path: Path) -> None:
    classes = [("a", 8, grey16, 0, 50000), ("b", 8, grey16, 0, 50000), ("a", 1, grey16, 0, 0)]
    assert said(tmp_path / "i", *classes) == []


@pytest.mark.parametrize("high", [255.0, 3000.0])
def test_no_setting_is_proposed_that_would_blacken_others(tmp_path: Path, high: float) -> None:
    (sentence,) = said(tmp_path / "i", ("a", 7, floats, 0, 0.97), ("b", 6, floats, 0, high))
    assert sentence == (
        f"all 6 grey images of floats of class b have values above 1, up to {high:,.6g}, which become white: {NONE_SUITS}"
    )


@pytest.mark.parametrize(("range", "top"), [(8, 255), (12, 3900)])
def test_a_setting_that_blackens_a_class_is_told(tmp_path: Path, range: int, top: float) -> None:
    (sentence,) = said(tmp_path / "i", ("a", 7, floats, 0, 0.97), ("b", 6, floats, 0, top), range=range)
    white = f"{2**range - 1:,}"
    assert sentence == (
        "all 7 grey images of floats of class a are darker than an eighth of their range, at most 0.97 where "
        f"{white} is white, and the others are not: {NONE_SUITS}"
    )


def test_a_setting_must_suit_images_of_other_depths(tmp_path: Path) -> None:
    """12 bits would be right for the one half, and turn the other black."""
    (sentence,) = said(tmp_path / "i", ("a", 6, grey16, 0, 4000), ("b", 6, floats, 0, 0.9))
    assert sentence.startswith("all 6 grey images of 16 bits are darker") and sentence.endswith(NONE_SUITS)
    (sentence,) = said(tmp_path / "j", ("a", 6, grey16, 0, 4000), ("b", 6, floats, 0, 3500))[:1]
    assert sentence.endswith("dataset.range=12, if that is what they hold")


def test_what_the_type_says_is_proposed_where_a_setting_is_wrong(tmp_path: Path) -> None:
    (sentence,) = said(tmp_path / "i", ("a", 6, grey16, 0, 60000), ("b", 6, grey16, 0, 64000), range=12)
    assert sentence.endswith("which become white: dataset.range=auto, if that is what they hold")


def test_one_bright_image_does_not_hide_that_the_others_are_dark(tmp_path: Path) -> None:
    classes = [("a", 8, grey16, 0, 255), ("b", 8, grey16, 0, 255), ("b", 1, grey16, 0, 65535)]
    (sentence,) = said(tmp_path / "i", *classes)
    assert sentence.startswith("16 of 17 grey images of 16 bits, all of class a among them, are darker")
    assert sentence.endswith("dataset.range=8, if that is what they hold")


@pytest.mark.parametrize(
    ("kind", "low", "high", "words"),
    [
        (floats, -0.5, 0.9, "down to -0.5"),
        (floats, -1, 1, "down to -1"),
        (signed, -2000, 30000, "down to -2,000"),
        (signed, -32768, 32767, "down to -32,768"),
        (lambda low, high, seed: signed(low, high, seed, 32), -(2**30), 2**31 - 1, "down to -1.07374e+09"),
        (floats, -0.0001, 0.9, ""),
        (signed, -1, 30000, ""),
    ],
)
def test_values_below_0_are_told(tmp_path: Path, kind: Kind, low: float, high: float, words: str) -> None:
    sentences = said(tmp_path / "i", ("a", 6, kind, low, high), ("b", 7, kind, 0, high))
    if not words:
        assert sentences == []
        return
    (sentence,) = sentences
    assert sentence.startswith("all 6 grey images of ") and sentence.endswith(
        f" of class a have values below 0, {words}, which become black"
    )


@pytest.mark.parametrize("kind", [colour_png, colour_tiff, colour_ppm, colour_sgi], ids=["png", "tiff", "ppm", "sgi"])
def test_colours_of_16_bits_that_hold_fewer(tmp_path: Path, kind: Kind) -> None:
    """Told by what Pillow makes of them, which is the high byte: no setting brings the low one back."""
    dark, bright = kind(0, 4095, 1)[1], kind(0, 65535, 2)[1]
    for content, top in ((dark, 4095), (bright, 65535)):
        (tmp_path / "x").write_bytes(content)
        header = read_header(content)
        read = np.asarray(open_rgb(tmp_path / "x")).max()
        assert header is not None and (header.bits, header.depth, header.peak) == (16, "8", read)
        assert abs(int(read) - top // 256) <= 1
    words = (
        "darker than an eighth of their range: the upper 8 bits of each are read, and dataset.range is for grey images alone, "
        "so store them with 8 bits a channel"
    )
    root = tmp_path / "i"
    assert said(root, ("a", 6, kind, 0, 65000), ("b", 6, kind, 0, 50000)) == []
    applies = "dataset.range=12 changes nothing of 12 images of 16 bits a colour channel: it is for grey images alone"
    assert said(root, range=12) == [applies]
    assert said(root, ("c", 5, kind, 0, 4095)) == [f"all 5 images of 16 bits a colour channel of class c are {words}"]
    assert said(root, range=12) == [f"all 5 images of 16 bits a colour channel of class c are {words}"]


@pytest.mark.parametrize("kind", [4, 6])
def test_transparency_is_no_brightness(kind: int) -> None:
    header = read_header(colour_png(0, 3000, 4, kind)[1])
    assert header is not None and (header.bits, header.peak) == (16, 3000 // 256)


def test_jpeg_2000_tells_the_bits_of_its_channels() -> None:
    file = BytesIO()
    noise(3).save(file, "JPEG2000")
    content = bytearray(file.getvalue())
    header = read_header(bytes(content))
    assert header is not None and header.bits == 8
    start = content.find(b"\xff\x4f\xff\x51")
    assert list(content[start + 42 : start + 51 : 3]) == [7, 7, 7]
    content[start + 42 : start + 51 : 3] = bytes([15, 15, 15])
    header = read_header(bytes(content))
    assert header is None or header.bits == 16


@pytest.mark.parametrize("range", [8, 12, 16, "float"])
def test_a_setting_that_changes_nothing_is_told(tmp_path: Path, range: Any) -> None:
    classes = (("a", 6, colour_8, 0, 0), ("b", 6, colour_8, 0, 0))
    assert said(tmp_path / "i", *classes) == []
    assert said(tmp_path / "i", range=range) == [f"dataset.range={range} changes nothing: no image here has more than 8 bits"]
    assert said(tmp_path / "i", ("b", 1, grey16, 0, 200 if range == 8 else 4000), range=range)[:1] != [
        f"dataset.range={range} changes nothing: no image here has more than 8 bits"
    ]
