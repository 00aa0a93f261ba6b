"""Files without an end, found without decoding the others: held against decoding each of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile, features

from tests.support.images import noise
from tests.support.tiff import tiff
from wisesr.data.cut_short import looks_cut_short
from wisesr.data.image_file import problem_of
from wisesr.data.images import open_rgb, read_header
from wisesr.errors import UserError


def saved(form: str, image: Image.Image | None = None, **options: Any) -> bytes:
    file = BytesIO()
    (image or noise(1, (64, 48))).save(file, form, **options)
    return file.getvalue()


def with_thumbnail() -> bytes:
    """A JPEG in whose EXIF a whole JPEG lies."""
    thumbnail = saved("JPEG", noise(2, (16, 16)))
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + thumbnail
    return saved("JPEG", exif=exif)


def film(content: bytes) -> bytes:
    """What a phone appends to a picture that moves."""
    return content + b"\0\0\0\x18ftypmp42" + bytes(range(200)) * 20


def frames(form: str, **options: Any) -> bytes:
    return saved(form, save_all=True, append_images=[noise(number, (64, 48)) for number in (2, 3)], **options)


WHOLE: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: saved("JPEG"),
    "progressive JPEG": lambda: saved("JPEG", progressive=True),
    "grey JPEG": lambda: saved("JPEG", noise(3).convert("L")),
    "JPEG with a thumbnail": with_thumbnail,
    "JPEG with a film behind it": lambda: film(saved("JPEG")),
    "JPEG filled up with zeros": lambda: saved("JPEG") + bytes(5000),
    "JPEG with a line end": lambda: saved("JPEG") + b"\r\n",
    "MPO": lambda: frames("MPO"),
    "PNG": lambda: saved("PNG"),
    "palette PNG": lambda: saved("PNG", noise(3).convert("P")),
    "PNG with more behind it": lambda: film(saved("PNG")),
    "PNG filled up with zeros": lambda: saved("PNG") + bytes(4096),
    "GIF": lambda: saved("GIF"),
    "GIF with frames": lambda: frames("GIF"),
    "GIF filled up with zeros": lambda: saved("GIF") + bytes(100),
    "WebP": lambda: saved("WEBP"),
    "lossless WebP": lambda: saved("WEBP", lossless=True),
    "TIFF": lambda: saved("TIFF"),
    "TIFF, LZW": lambda: saved("TIFF", compression="tiff_lzw"),
    "TIFF, tags first": lambda: tiff(bytes(range(1, 49)) * 40, (48, 40), 8),
}
QUICK = {
    "BMP": lambda: saved("BMP"),
    "PPM": lambda: saved("PPM"),
    "TGA": lambda: saved("TGA"),
    "PCX": lambda: saved("PCX"),
    "ICO": lambda: saved("ICO"),
    "SGI": lambda: saved("SGI"),
}
"""Of which no end is known: they are decoded."""
if features.check("avif"):
    WHOLE["AVIF"] = lambda: saved("AVIF")
if features.check("jpg_2000"):
    WHOLE |= {"JPEG 2000": lambda: saved("JPEG2000"), "bare JPEG 2000": lambda: saved("JPEG2000", no_jp2=True)}


class Decodings:
    """Counts the pictures that are decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        for kind in {ImageFile.ImageFile, *(factory for factory, _ in Image.OPEN.values() if isinstance(factory, type))}:
            if "load" in vars(kind):
                monkeypatch.setattr(kind, "load", self._counting(kind.load))

    def _counting(self, load: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def counted(image: Any) -> Any:
            self.number += 1
            return load(image)

        return counted


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_with_its_end_is_not_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = WHOLE[kind]()
    decodings = Decodings(monkeypatch)
    header = read_header(content)
    assert header is not None and header.readable and decodings.number == 0


@pytest.mark.parametrize("kind", QUICK)
def test_kinds_without_a_known_end_are_decoded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = QUICK[kind]()
    decodings = Decodings(monkeypatch)
    header = read_header(content)
    assert header is not None and header.readable and decodings.number > 0


def decodes(path: Path, content: bytes) -> bool:
    path.write_bytes(content)
    try:
        open_rgb(path)
    except UserError:
        return False
    return True


@pytest.mark.parametrize("kind", [*WHOLE, *QUICK])
def test_cut_anywhere_it_is_unreadable_if_and_only_if_it_does_not_decode(tmp_path: Path, kind: str) -> None:
    whole = (WHOLE | QUICK)[kind]()
    spread = np.random.default_rng(len(whole)).integers(0, len(whole), 30)
    for length in {*spread.tolist(), *(max(0, len(whole) - cut) for cut in (0, 1, 2, 3, 8, 12, 20, 64))}:
        content = whole[:length]
        header = read_header(content)
        found = header is not None and header.readable
        assert found == decodes(tmp_path / "x", content), length
        assert (problem_of(tmp_path / "x") == "") == found


@pytest.mark.parametrize("kind", [kind for kind in WHOLE if "zeros" not in kind and "behind" not in kind])
def test_a_place_that_was_reserved_and_not_filled(tmp_path: Path, kind: str) -> None:
    """As broken downloads leave it: of the right size, zeros at the end."""
    whole = WHOLE[kind]()
    for share in (0.0, 0.3, 0.6, 0.9):
        written = int(len(whole) * share)
        content = whole[:written] + bytes(len(whole) - written)
        header = read_header(content)
        assert (header is not None and header.readable) == decodes(tmp_path / "x", content)


def test_a_thumbnails_end_is_not_the_pictures() -> None:
    content = with_thumbnail()
    scan = content.rfind(b"\xff\xda")
    assert content[:scan].count(b"\xff\xd9") == 1
    with Image.open(BytesIO(content)) as image:
        assert not looks_cut_short(image, content) and looks_cut_short(image, content[: scan + 300])


@pytest.mark.parametrize("content", [lambda: saved("PNG")[:-12], lambda: frames("GIF")[:-400]])
def test_what_looks_cut_short_and_decodes_is_no_problem(content: Callable[[], bytes], tmp_path: Path) -> None:
    """Some writers leave the end out."""
    header = read_header(content())
    assert decodes(tmp_path / "x", content()) and header is not None and header.readable


def test_one_that_is_too_large_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    header = read_header(saved("PNG"))
    assert header is not None and header[:2] == (64, 48) and not header.readable
