"""Files that can be read, files that cannot, what is said of them, and what a header tells; nothing of it with a warning."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.images import noise
from wisesr.data import image_formats
from wisesr.data.image_formats import heif
from wisesr.data.images import HUGE, Header, PixelRules, ending_hint, endings, open_rgb, read_header
from wisesr.data.quiet import quiet
from wisesr.errors import UserError


def content(form: str, image: Image.Image | None = None, **options: Any) -> bytes:
    file = BytesIO()
    (image or noise(1)).save(file, form, **options)
    return file.getvalue()


def test_every_ending_that_this_pillow_writes_too_is_decoded(tmp_path: Path) -> None:
    Image.init()
    written = [ending for ending, name in Image.registered_extensions().items() if name in Image.SAVE and ending in endings()]
    assert {".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".tga"} <= set(written)
    for ending in written:
        path, image = tmp_path / f"x{ending.upper()}", noise(4, (64, 64))
        for mode in ("RGB", "P", "L", "1"):
            try:
                with quiet():  # .im is to go
                    image.convert(mode).save(path)
                break
            except (OSError, ValueError):
                continue  # a format of few modes
        assert open_rgb(path).size == ((1024, 1024) if ending == ".icns" else (64, 64)), ending


def test_names_without_pixels_are_no_endings() -> None:
    assert not endings() & {".h5", ".hdf", ".grib", ".bufr", ".wmf", ".emf", ".mpg", ".mpeg", ".pdf", ".palm", ".txt", ""}
    assert endings() == {ending.lower() for ending in endings()} and (".heic" in endings()) == heif()


def test_endings_go_by_what_this_pillow_was_built_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_formats.features, "check", lambda feature: feature == "jpg")
    monkeypatch.setattr(image_formats.EpsImagePlugin, "has_ghostscript", lambda: True)
    found = image_formats.endings.__wrapped__()
    assert {".jpg", ".png", ".eps", ".ps"} <= found and not found & {".webp", ".jp2", ".j2k", ".avif"}
    monkeypatch.setattr(image_formats, "endings", lambda: found)
    assert ending_hint(".AVIF") == "pip install 'pillow>=11.3'" and "pip install" in ending_hint(".webp")


@pytest.mark.parametrize(
    ("ending", "hint"),
    [
        (".jpg", ""),
        (".JFIF", ""),
        (".txt", ""),
        ("", ""),
        (".", ""),
        (".heic", "" if heif() else "pip install 'wisesr[heif]'"),
        (".HEIF", "" if heif() else "pip install 'wisesr[heif]'"),
        (".NEF", "cameras' raw files: convert them to PNG, TIFF or JPEG"),
        (".cr3", "cameras' raw files: convert them to PNG, TIFF or JPEG"),
        (".jxl", "convert them to PNG, TIFF or JPEG"),
        (".mp4", "videos: take pictures out of them"),
        (".svg", "drawings or pages: convert them to PNG, TIFF or JPEG"),
    ],
)
def test_what_helps_with_other_endings(ending: str, hint: str) -> None:
    assert ending_hint(ending) == hint


def test_heif_is_read_upright_where_pillow_heif_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    assert ".heic" in endings() and ending_hint(".heic") == ""
    picture = np.random.default_rng(3).integers(0, 256, (4, 6, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(picture).transpose(Image.Transpose.ROTATE_90)
    stored.save(tmp_path / "x.heic", quality=95, chroma=444, exif=exif.tobytes())
    (tmp_path / "y.jpg").write_bytes((tmp_path / "x.heic").read_bytes())
    for name in ("x.heic", "y.jpg"):
        for rules in (PixelRules(), PixelRules(upright=False)):  # its rotation is part of its decoding
            assert np.abs(np.asarray(open_rgb(tmp_path / name, rules)).astype(int) - picture).mean() < 4
    assert read_header((tmp_path / "x.heic").read_bytes()) == pytest.approx((96, 64, 1, "8", np.nan, 255), nan_ok=True)


def test_a_heif_without_pillow_heif_is_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if heif():
        pytest.skip("pillow-heif is installed")
    (tmp_path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    with pytest.raises(UserError, match=r"phone.heic: not an image that can be read. Replace"):
        open_rgb(tmp_path / "phone.heic")
    assert read_header((tmp_path / "phone.heic").read_bytes()) is None


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP"])
def test_a_picture_of_too_many_pixels_is_told_with_its_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50_000)
    (tmp_path / "x").write_bytes(content(form, Image.new("L", (1000, 345))))
    with pytest.raises(UserError) as caught:
        open_rgb(tmp_path / "x")
    problem = "1,000 x 345 = 0.3 million pixels, more than the 0.1 million that are read: scale it down. Replace the file"
    assert f"x: {problem}" in str(caught.value)
    header = read_header((tmp_path / "x").read_bytes())
    assert header is not None and header[:2] == (1000, 345)


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ((15_000, 13_000), "15,000 x 13,000 = 195 million pixels, more than the 179 million that are read: scale it down"),
        (
            (13_378, 13_378),
            "13,378 x 13,378 = 178.97 million pixels, more than the 178.96 million that are read: scale it down",
        ),
    ],
)
def test_the_words_on_real_sizes(tmp_path: Path, sides: tuple[int, int], words: str) -> None:
    Image.new("1", sides).save(tmp_path / "x.png")
    with pytest.raises(UserError) as caught:
        open_rgb(tmp_path / "x.png")
    assert f"x.png: {words}. Replace" in str(caught.value)


def test_a_huge_picture_is_read_without_a_warning_and_known_from_its_header(tmp_path: Path) -> None:
    Image.new("1", (9500, 9501)).save(tmp_path / "x.png")
    header = read_header((tmp_path / "x.png").read_bytes())
    assert header == Header(9500, 9501, peak=header.peak) and HUGE < 9500 * 9501  # type: ignore[union-attr]


DAMAGE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"not a picture",
    "half a JPEG": lambda: content("JPEG", noise(2, (200, 200)))[:3000],
    "half a PNG": lambda: content("PNG")[:1500],
    "half a TIFF": lambda: content("TIFF")[:1500],
    "half a WebP": lambda: content("WEBP", lossless=True)[:500],
    "half a PGM": lambda: b"P5 40 40 65535\n" + bytes(99),
    "a PGM without an end": lambda: b"P2 2 2 65535\n1 2 x",
    "a BMP of no size": lambda: content("BMP")[:18] + bytes(8) + content("BMP")[26:],
    "a GIF's head": lambda: b"GIF89a\x01",
    "a PSD's head": lambda: b"8BPS\0\1" + bytes(30),
    "an ICO's head": lambda: b"\0\0\1\0\1\0" + bytes(10),
    "a TIFF without tags": lambda: b"II*\0\x08\0\0\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_is_named_in_one_sentence(tmp_path: Path, damage: str) -> None:
    (tmp_path / "x.jpg").write_bytes(DAMAGE[damage]())
    with pytest.raises(UserError, match=r"x\.jpg: [^.]*[^.]\. Replace the file") as caught:
        open_rgb(tmp_path / "x.jpg")
    assert ".." not in str(caught.value)
    header = read_header(DAMAGE[damage]())
    assert header is None or header.width * header.height > 0


@pytest.mark.parametrize(("form", "options"), [("JPEG", {}), ("PNG", {}), ("GIF", {}), ("WEBP", {}), ("BMP", {}), ("TIFF", {})])
def test_a_header_of_colours(form: str, options: dict[str, Any]) -> None:
    header = read_header(content(form, noise(3, (31, 17)), **options))
    assert header is not None and header[:4] == (31, 17, 1, "8") and np.isnan(header.peak) and header.top(16) == 255


def warn_here(times: int = 50) -> None:
    for number in range(times):
        warnings.warn(f"number {number}", stacklevel=1)


def test_warnings_are_held_back_in_one_thread_and_come_through_in_another() -> None:
    inside, done = threading.Event(), threading.Event()

    def held_back() -> None:
        with quiet():
            inside.set()
            assert done.wait(10)
            warn_here()

    with warnings.catch_warnings(record=True) as seen, ThreadPoolExecutor(1) as pool:
        warnings.simplefilter("always")
        held = pool.submit(held_back)
        assert inside.wait(10)
        warn_here(3)
        done.set()
        held.result()
        assert [str(warning.message) for warning in seen] == ["number 0", "number 1", "number 2"]
        with quiet(), quiet():
            pass
        warn_here(1)
        assert len(seen) == 4


@pytest.mark.parametrize("action", ["error", "always", "default"])
def test_warnings_are_held_back_whatever_filter_was_set_last(action: Any) -> None:
    def held_back(_: int) -> None:
        with quiet():
            warn_here(5)

    with warnings.catch_warnings(record=True) as seen, ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            warnings.simplefilter(action)
            list(pool.map(held_back, range(100)))
        assert seen == []
        with pytest.warns(UserWarning, match="number 0") if action != "error" else pytest.raises(UserWarning):
            warn_here(1)
