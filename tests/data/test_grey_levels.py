"""Grey of more than 8 bits and of floats, from files written byte by byte; and every other kind as it has always been read."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.images import noise
from tests.support.tiff import tiff
from wisesr.data.check.decode import decode_file
from wisesr.data.images import PixelRules, open_rgb, range_top, read_header, to_rgb

SIZE = WIDTH, HEIGHT = 8, 5


def ramp(top: float, kind: str = "f8") -> NDArray[Any]:
    return np.linspace(0, top, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(kind)


def png(values: NDArray[Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(values.astype(np.uint16)).save(file, "PNG")
    return file.getvalue()


def jpeg2000(values: NDArray[Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(values.astype(np.uint16)).save(file, "JPEG2000")
    return file.getvalue()


def twelve_bits(values: NDArray[Any]) -> bytes:
    """Two values in three bytes, as TIFF packs them."""
    bits = "".join(f"{value:012b}" for value in values.astype(int).ravel())
    return tiff(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)), SIZE, 12)


def pgm(top: int) -> Callable[[NDArray[Any]], bytes]:
    return lambda values: f"P5 {WIDTH} {HEIGHT} {top}\n".encode() + values.astype(">u2").tobytes()


def in_tiff(kind: str, **tags: Any) -> Callable[[NDArray[Any]], bytes]:
    bits = 8 * np.dtype(kind).itemsize
    return lambda values: tiff(values.astype(kind).tobytes(), SIZE, bits, order=kind[0], **tags)


UNSIGNED, SIGNED, FLOATS = {"sample_format": 1}, {"sample_format": 2}, {"sample_format": 3}
# how it is written; the depth and the value that is white by the file's own word
KINDS: dict[str, tuple[Callable[[NDArray[Any]], bytes], str, float]] = {
    "png": (png, "16", 65535),
    "jpeg2000": (jpeg2000, "16", 65535),
    "pgm": (pgm(65535), "16", 65535),
    "pgm of 12 bit": (pgm(4095), "16", 4095),
    "pgm up to 1,000": (pgm(1000), "16", 1000),
    "plain pgm": (
        lambda values: (
            f"P2 {WIDTH} {HEIGHT} 9999\n".encode() + b" ".join(b"%d" % value for value in values.astype(int).ravel())
        ),
        "16",
        9999,
    ),
    "tiff, little-endian": (in_tiff("<u2", **UNSIGNED), "16", 65535),
    "tiff, big-endian": (in_tiff(">u2", **UNSIGNED), "16", 65535),
    "tiff, signed": (in_tiff("<i2", **SIGNED), "16", 32767),
    "tiff, signed, big-endian": (in_tiff(">i2", **SIGNED), "16", 32767),
    "tiff of 12 bit": (twelve_bits, "16", 4095),
    "tiff of 32 bit": (in_tiff("<u4", **UNSIGNED), "32", 2**32 - 1),
    "tiff of 32 bit, signed": (in_tiff("<i4", **SIGNED), "32", 2**31 - 1),
    "tiff of 32 bit, signed, big-endian": (in_tiff(">i4", **SIGNED), "32", 2**31 - 1),
    "floats": (in_tiff("<f4", **FLOATS), "float", 1),
    "floats, big-endian": (in_tiff(">f4", **FLOATS), "float", 1),
    "pfm": (lambda values: f"Pf {WIDTH} {HEIGHT} -1.0\n".encode() + values[::-1].astype("<f4").tobytes(), "float", 1),
}


def grey(path: Path, content: bytes, rules: PixelRules) -> NDArray[np.uint8]:
    path.write_bytes(content)
    pixels = np.asarray(open_rgb(path, rules))
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


def eighths(values: NDArray[Any], top: float) -> NDArray[Any]:
    return np.clip(values / top * 255, 0, 255)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [1.0, 0.3, 0.004])
def test_white_is_what_the_file_says_however_bright_the_picture(tmp_path: Path, kind: str, share: float) -> None:
    written, depth, white = KINDS[kind]
    values = ramp(white * share) if depth == "float" else ramp(white * share).round()
    np.testing.assert_allclose(grey(tmp_path / "x", written(values), PixelRules()), eighths(values, white), atol=0.51)
    header = read_header(written(values))
    assert header is not None and header[:4] == (WIDTH, HEIGHT, 1, depth) and header.white == header.top("auto") == white
    assert header.peak == pytest.approx(values.max(), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("range", "top"), [("8", 255), (8, 255), ("12", 4095), (12, 4095), (16, 65535), ("float", 1.0)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_setting_outranks_the_file(tmp_path: Path, kind: str, range: Any, top: float) -> None:
    written, depth, white = KINDS[kind]
    highest = min(1.2 * top, white)  # above what the setting says, where the file can hold it
    values = ramp(highest) if depth == "float" else ramp(highest).round()
    wanted = eighths(values, top)
    np.testing.assert_allclose(grey(tmp_path / "x", written(values), PixelRules(range=range)), wanted, atol=0.51)
    header = read_header(written(values))
    assert header is not None and header.top(range) == top and (header.peak > top) == (values.max() > top)


@pytest.mark.parametrize("range", ["auto", "8", "12", "16", "float"])
def test_a_range_leaves_8_bits_alone(tmp_path: Path, range: Any) -> None:
    for mode in ("L", "RGB", "P", "1", "LA"):
        noise(3).convert(mode).save(tmp_path / "x.png")
        assert open_rgb(tmp_path / "x.png", PixelRules(range=range)).tobytes() == open_rgb(tmp_path / "x.png").tobytes()
    assert range_top("8", range) == 255


@pytest.mark.parametrize(
    ("kind", "dark", "brighter"),
    [
        ("png", 254, 257),
        ("tiff, big-endian", 255, 256),
        ("pgm", 250, 260),
        ("jpeg2000", 255, 256),
        ("floats", 1.0, 1.02),
        ("pfm", 0.99, 1.01),
    ],
)
def test_two_that_differ_by_little_are_read_alike(tmp_path: Path, kind: str, dark: float, brighter: float) -> None:
    written = KINDS[kind][0]
    first, second = (grey(tmp_path / "x", written(ramp(top)), PixelRules()).astype(int) for top in (dark, brighter))
    assert np.abs(first - second).max() <= 6


def test_every_grey_level_of_16_bits(tmp_path: Path) -> None:
    values = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(values).save(tmp_path / "x.png")
    for range, top in (("auto", 65535), ("12", 4095), ("8", 255)):
        wanted = (values.astype(np.float64) / top * 255).round().clip(0, 255)
        assert (np.asarray(open_rgb(tmp_path / "x.png", PixelRules(range=range)))[..., 2] == wanted).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [16, 32])
def test_where_0_is_white(tmp_path: Path, bits: int) -> None:
    values, kind = (ramp(65535), "<u2") if bits == 16 else (ramp(1.0), "<f4")
    content = in_tiff(kind, photometric=0, sample_format=3 if bits == 32 else 1)(values)
    wanted = 255 - eighths(values, values.max())
    np.testing.assert_allclose(grey(tmp_path / "x", content, PixelRules()), wanted, atol=0.51)


def test_no_number_and_infinity(tmp_path: Path) -> None:
    values = ramp(0.8, "f4")
    values[0, :4] = np.nan, np.inf, -np.inf, -3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = grey(tmp_path / "x", in_tiff("<f4", **FLOATS)(values), PixelRules())
        header = read_header((tmp_path / "x").read_bytes())
    assert list(found[0, :4]) == [0, 255, 0, 0] and header is not None and header.peak == pytest.approx(0.8)
    values[:] = np.nan
    content = in_tiff("<f4", **FLOATS)(values)
    assert not grey(tmp_path / "x", content, PixelRules()).any()
    header = read_header(content)
    assert header is not None and np.isnan(header.peak)
    assert decode_file(tmp_path / "x").notes[0][0] == "mode"


def test_32_bit_from_a_png_of_16_as_older_pillows_have_it() -> None:
    image = Image.fromarray(ramp(40000, "i4"))
    image.format = "PNG"
    np.testing.assert_allclose(np.asarray(to_rgb(image))[..., 0], eighths(ramp(40000, "i4"), 65535), atol=0.51)


def test_colours_of_16_bits_keep_their_scale(tmp_path: Path) -> None:
    header = f"P6 {WIDTH} {HEIGHT} 65535\n".encode()
    values = np.stack([ramp(65535, "u2"), ramp(300, "u2"), ramp(30000, "u2")], axis=-1)
    (tmp_path / "x.ppm").write_bytes(header + values.astype(">u2").tobytes())
    np.testing.assert_allclose(np.asarray(open_rgb(tmp_path / "x.ppm")), eighths(values, 65535), atol=1)


def as_it_was(image: Image.Image) -> Image.Image:
    """How an upright image of 8 bits became RGB before there were orientations and ranges."""
    if image.mode not in ("RGBA", "LA", "PA") and "transparency" not in image.info:
        return image.convert("RGB")
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")


ENDINGS = {
    **dict.fromkeys(("RGB", "L"), "jpg png gif bmp webp tif ppm jp2 avif tga"),
    **dict.fromkeys(("RGBA", "LA"), "png webp tif"),
    **{"P": "png gif bmp tif", "1": "png bmp tif pbm", "CMYK": "jpg tif", "YCbCr": "jpg tif"},
}


@pytest.mark.parametrize(("mode", "ending"), [(mode, ending) for mode in ENDINGS for ending in ENDINGS[mode].split()])
def test_upright_8_bits_are_read_as_they_were_to_the_byte(tmp_path: Path, mode: str, ending: str) -> None:
    path = tmp_path / f"x.{ending}"
    image = noise(5, (37, 23)).convert("RGBA")
    image.putalpha(noise(6, (37, 23)).convert("L"))
    try:
        (image if mode == "RGBA" else image.convert("RGB") if mode in ("CMYK", "YCbCr") else image).convert(mode).save(path)
        with Image.open(path) as opened:
            opened.load()
            wanted = as_it_was(opened)
    except (KeyError, ValueError, OSError):
        pytest.skip("this Pillow does not write it, or does not read what it wrote")
    for rules in (PixelRules(), PixelRules(upright=False)):
        assert (open_rgb(path, rules).tobytes(), open_rgb(path, rules).size) == (wanted.tobytes(), wanted.size)


@pytest.mark.parametrize("transparency", [0, 17, bytes([0, 128, 255, 3])])
def test_palettes_with_transparency_are_read_as_they_were(tmp_path: Path, transparency: Any) -> None:
    noise(8).convert("P").save(tmp_path / "x.png", transparency=transparency)
    with Image.open(tmp_path / "x.png") as opened:
        wanted = as_it_was(opened)
    assert open_rgb(tmp_path / "x.png").tobytes() == wanted.tobytes()


def test_a_check_tells_the_scale(tmp_path: Path) -> None:
    def told(content: bytes, range: Any = "auto") -> str:
        (tmp_path / "x").write_bytes(content)
        return next(detail for kind, detail in decode_file(tmp_path / "x", PixelRules(range=range)).notes if kind == "mode")

    assert told(png(ramp(4080))) == "16 bit grey up to 4,080: 65,535 becomes white"
    assert told(png(ramp(4080)), "12") == "16 bit grey up to 4,080: 4,095 becomes white"
    assert told(png(ramp(4100)), "12") == "16 bit grey up to 4,100: 4,095 becomes white, and what is above it"
    assert told(in_tiff("<f4", **FLOATS)(ramp(1.5))) == "floats up to 1.5: 1 becomes white, and what is above it"
