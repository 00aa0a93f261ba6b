"""Which way up pictures are read: against the definitions of EXIF's eight orientations, written out with numpy."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tests.support.tiff import tiff
from wisesr.data.check.decode import decode_file
from wisesr.data.images import PixelRules, endings, open_rgb, read_header, to_rgb

AS_STORED = PixelRules(upright=False)
TAG = 0x0112

# CIPA DC-008-2012, section 4.6.5: which side of the picture the stored rows and columns begin at.
STORED: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    1: lambda picture: picture,
    2: lambda picture: picture[:, ::-1],  # rows from the top, columns from the right
    3: lambda picture: picture[::-1, ::-1],
    4: lambda picture: picture[::-1],
    5: lambda picture: picture.swapaxes(0, 1),  # rows are the picture's columns, from the left
    6: lambda picture: picture[:, ::-1].swapaxes(0, 1),  # from the right
    7: lambda picture: picture[::-1, ::-1].swapaxes(0, 1),
    8: lambda picture: picture[::-1].swapaxes(0, 1),
}
FORMATS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 98, "subsampling": 0},
    "MPO": {"quality": 98, "subsampling": 0, "save_all": True},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "AVIF": {"quality": 98, "subsampling": "4:4:4"},
    "JPEG2000": {},
}


def picture(width: int = 48, height: int = 32) -> NDArray[np.uint8]:
    """No two corners are alike, and blocks survive a lossy format."""
    blocks = np.random.default_rng(7).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return blocks.repeat(8, 0).repeat(8, 1)


def saved(pixels: NDArray[Any], form: str, exif: Image.Exif | bytes, **options: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, form, exif=exif, **FORMATS.get(form, {}), **options)
    return file.getvalue()


def tag(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[TAG] = orientation
    return exif


def near(image: Image.Image, pixels: NDArray[Any], form: str = "PNG") -> bool:
    """Equal, but for what a lossy format changes."""
    tolerance = 24 if form in ("JPEG", "MPO", "AVIF") else 0
    found = np.asarray(image).astype(int)
    return found.shape == pixels.shape and int(np.abs(found - pixels).max()) <= tolerance


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("form", [name for name in FORMATS if name not in ("AVIF", "JPEG2000")])
def test_upright_by_default_and_as_stored_on_demand(tmp_path: Path, form: str, orientation: int) -> None:
    stored = STORED[orientation](picture())
    more = {"append_images": [Image.new("RGB", (8, 8))]} if form == "MPO" else {}
    path = tmp_path / "x.bin"
    path.write_bytes(saved(stored, form, tag(orientation), **more))
    assert near(open_rgb(path), picture(), form)
    assert near(open_rgb(path, AS_STORED), stored, form)
    with Image.open(path) as image:
        assert near(ImageOps.exif_transpose(image).convert("RGB"), picture(), form)
    header = read_header(path.read_bytes())
    assert header is not None and header[:3] == (stored.shape[1], stored.shape[0], orientation)


@pytest.mark.skipif(".avif" not in endings(), reason="a Pillow without AVIF")
@pytest.mark.parametrize("orientation", STORED)
def test_avif_that_turns_its_picture_in_a_way_of_its_own(tmp_path: Path, orientation: int) -> None:
    stored = STORED[orientation](picture())
    path = tmp_path / "x.avif"
    path.write_bytes(saved(stored, "AVIF", tag(orientation)))
    assert near(open_rgb(path), picture(), "AVIF") and near(open_rgb(path, AS_STORED), stored, "AVIF")
    header = read_header(path.read_bytes())
    assert header is not None and header[:3] == (stored.shape[1], stored.shape[0], orientation)


@pytest.mark.parametrize("kind", ["|u1", "<u2", ">u2", "<f4"])
@pytest.mark.parametrize("orientation", STORED)
def test_grey_tiffs_that_pillow_would_map_into_memory(tmp_path: Path, kind: str, orientation: int) -> None:
    upright = np.arange(6 * 4).reshape(4, 6) * 10
    stored = STORED[orientation](upright)
    values = (stored / 255 if kind == "<f4" else stored if kind == "|u1" else stored * 257).astype(kind)
    (tmp_path / "x").write_bytes(
        tiff(
            values.tobytes(),
            (stored.shape[1], stored.shape[0]),
            8 * values.itemsize,
            order=">" if kind[0] == ">" else "<",
            sample_format=3 if kind == "<f4" else 1,
            orientation=orientation,
        )
    )
    for rules, wanted in ((PixelRules(), upright), (AS_STORED, stored)):
        assert np.asarray(open_rgb(tmp_path / "x", rules))[..., 1].tolist() == wanted.tolist()
        with Image.open(tmp_path / "x") as image:  # as other libraries hand it over
            assert np.asarray(to_rgb(image, rules))[..., 1].tolist() == wanted.tolist()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_mode_is_turned(tmp_path: Path, mode: str) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
    form = "JPEG" if mode == "CMYK" else "PNG"
    image = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    image.save(tmp_path / "as it is", form)
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned", form, exif=tag(6))
    assert near(open_rgb(tmp_path / "turned"), np.asarray(open_rgb(tmp_path / "as it is")), form)


def xmp(text: str) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description {text}</x:xmpmeta>'.encode()


@pytest.mark.parametrize("text", ['tiff:Orientation="8"/>', "><tiff:Orientation>8</tiff:Orientation></rdf:Description>"])
def test_an_orientation_in_xmp_counts_as_it_does_for_pillow(tmp_path: Path, text: str) -> None:
    stored = Image.fromarray(np.ascontiguousarray(STORED[8](picture())))
    stored.save(tmp_path / "x.jpg", quality=98, subsampling=0, xmp=xmp(text))
    with Image.open(tmp_path / "x.jpg") as image:
        assert near(open_rgb(tmp_path / "x.jpg"), np.asarray(ImageOps.exif_transpose(image)), "JPEG")
    header = read_header((tmp_path / "x.jpg").read_bytes())
    with Image.open(tmp_path / "x.jpg") as image:
        assert header is not None and header.orientation == image.getexif().get(TAG, 1)


def chunks(content: bytes) -> list[bytes]:
    """Of a PNG, each with its length and checksum."""
    found, at = [], 8
    while at < len(content):
        end = at + 12 + struct.unpack(">I", content[at : at + 4])[0]
        found.append(content[at:end])
        at = end
    return found


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.mark.parametrize("kind", ["before", "behind", "profile"])
def test_a_png_keeps_its_exif_before_or_behind_its_pixels_or_as_text(tmp_path: Path, kind: str) -> None:
    stored = STORED[5](picture())
    plain = chunks(saved(stored, "PNG", b""))
    data = tag(5).tobytes()
    exif = chunk(b"eXIf", data.removeprefix(b"Exif\0\0"))
    if kind == "profile":  # as ImageMagick writes it
        exif = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(f"\nexif\n{len(data):8}\n{data.hex()}\n".encode()))
    at = len(plain) - 1 if kind == "behind" else 1
    content = b"\x89PNG\r\n\x1a\n" + b"".join([*plain[:at], exif, *plain[at:]])
    (tmp_path / "x.png").write_bytes(content)
    assert near(open_rgb(tmp_path / "x.png"), picture())
    header = read_header(content)
    assert header is not None and header.orientation == 5


DAMAGED = {
    "cut": b"Exif\0\0II*\0\xff\xff\xff",
    "empty": b"Exif\0\0",
    "no tiff": b"Exif\0\0hello, this is no TIFF header at all",
    "many entries": b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"[:8],
    "beyond the end": b"Exif\0\0MM\0*\xff\xff\xff\xf0",
    "text for a number": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x02\0\0\0\x36\0\0\0\0\0\0\0",
    "nine": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x09\0\0\0\0\0\0\0",
    "nought": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("action", ["error", "ignore"])
def test_damaged_exif_stops_no_picture_that_can_be_read(tmp_path: Path, form: str, damage: str, action: Any) -> None:
    (tmp_path / "x").write_bytes(saved(picture(), form, DAMAGED[damage]))
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        assert near(open_rgb(tmp_path / "x"), picture(), form)
        header = read_header((tmp_path / "x").read_bytes())
    assert header is not None and header[:3] == (48, 32, 1)


def test_a_picture_from_memory_is_turned_once() -> None:
    with Image.open(BytesIO(saved(STORED[6](picture()), "WEBP", tag(6)))) as image:
        upright = to_rgb(image)
        again = to_rgb(ImageOps.exif_transpose(image))
    assert near(upright, picture()) and near(again, picture())


@pytest.mark.parametrize(("rules", "read"), [(PixelRules(), "it is read upright"), (AS_STORED, "it is read as it is stored")])
@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG"])
def test_a_check_says_what_happens_to_it(tmp_path: Path, form: str, rules: PixelRules, read: str) -> None:
    (tmp_path / "x").write_bytes(saved(STORED[8](picture()), form, tag(8)))
    (kind, detail), *_ = decode_file(tmp_path / "x", rules).notes
    assert kind == "orientation" and "turned by 90 degrees counterclockwise" in detail and read in detail
    assert decode_file(tmp_path / "x", rules).size == ((48, 32) if rules.upright else (32, 48))
