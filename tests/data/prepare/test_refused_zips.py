"""Zips that are refused: the entry is named, and nothing is written anywhere."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.downloads import NOISE, intel_files, make, pack, refused


def change(name: str, **values: object) -> Callable[[zipfile.ZipFile], None]:
    """Add an entry, and make the directory say something else about it."""

    def its(archive: zipfile.ZipFile) -> None:
        archive.writestr(name, NOISE)
        for key, value in values.items():
            setattr(archive.infolist()[-1], key, value)

    return its


def mode(kind: int, system: int) -> dict[str, int]:
    return {"external_attr": (kind | 0o777) << 16, "create_system": system}


def zeros(archive: zipfile.ZipFile, name: str, size: int) -> None:
    archive.writestr(name, bytes(size))


def other(archive: zipfile.ZipFile, packing: int) -> None:
    """A few bytes that would take a hundred times the memory, and declare to be few."""
    archive.writestr("x.jpg", bytes(10_000_000), packing)
    archive.infolist()[-1].file_size = archive.infolist()[-1].compress_size


def overlap(archive: zipfile.ZipFile) -> None:
    change("twice.jpg")(archive)
    archive.infolist()[-1].header_offset = archive.infolist()[0].header_offset


def quote(archive: zipfile.ZipFile) -> None:
    """An entry whose bytes are those of the next one, header and all."""
    archive.writestr(zipfile.ZipInfo("outer.jpg"), NOISE)
    archive.writestr("inner.jpg", NOISE)
    archive.infolist()[-2].compress_size += 60


zipfile_of = partial(zipfile.ZipFile, mode="w")
ZIPS: dict[str, tuple[Callable[[zipfile.ZipFile], None], str]] = {
    "a link": (change("link.jpg", **mode(stat.S_IFLNK, 3)), "entry 'link.jpg' is a symbolic link"),
    "a link of DOS": (change("link.jpg", **mode(stat.S_IFLNK, 0)), "entry 'link.jpg' is a symbolic link"),
    "a link as a folder": (change("link/", **mode(stat.S_IFLNK, 3)), "entry 'link/' is a symbolic link"),
    "a pipe": (change("pipe", **mode(stat.S_IFIFO, 3)), "entry 'pipe' is a pipe or a device"),
    "a device": (change("dev", **mode(stat.S_IFBLK, 3)), "entry 'dev' is a pipe or a device"),
    "encrypted": (change("secret.jpg", flag_bits=1), "entry 'secret.jpg' is encrypted"),
    "encrypted strongly": (change("secret.jpg", flag_bits=0x41), "entry 'secret.jpg' is encrypted"),
    "Deflate64": (change("x.jpg", compress_type=9), "entry 'x.jpg' is packed in a way that is not read here (Deflate64)"),
    "bzip2": (
        lambda archive: other(archive, zipfile.ZIP_BZIP2),
        "entry 'x.jpg' is packed in a way that is not read here (bzip2)",
    ),
    "LZMA": (lambda archive: other(archive, zipfile.ZIP_LZMA), "entry 'x.jpg' is packed in a way that is not read here (LZMA)"),
    "PPMd": (change("x.jpg", compress_type=98), "entry 'x.jpg' is packed in a way that is not read here (method 98)"),
    "a folder with content": (change("folder/"), "entry 'folder/' is a folder with content"),
    "a folder by its mode": (change("folder", **mode(stat.S_IFDIR, 3)), "entry 'folder' is a folder with content"),
    "a bomb": (lambda archive: zeros(archive, "bomb.jpg", 2_000_000), "entry 'bomb.jpg' unpacks to 2,000,000 bytes from"),
    "declared a bomb": (change("bomb.jpg", file_size=10**15), "entry 'bomb.jpg' unpacks to 1,000,000,000,000,000 bytes"),
    "many small bombs": (
        lambda archive: [zeros(archive, f"{index}.jpg", 900_000) for index in range(4)].clear(),
        "unpacks to 3,60",
    ),
    "overlapping": (overlap, "overlapping entries are a bomb"),
    "quoting": (quote, "entry 'outer.jpg' shares bytes with the next one"),
    "beyond the end": (change("x.jpg", compress_size=10**6), "entry 'x.jpg' shares bytes with the next one"),
    "another name inside": (change("x.jpg", orig_filename="y.jpg", filename="y.jpg"), "cannot be read at 'y.jpg'"),
}


@pytest.mark.parametrize("what", ZIPS)
def test_zips(tmp_path: Path, what: str) -> None:
    do, words = ZIPS[what]
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    with zipfile.ZipFile(source, "a", zipfile.ZIP_DEFLATED) as archive:
        do(archive)
    refused(source, words)


def test_small_entries_of_one_colour_are_no_bombs(tmp_path: Path) -> None:
    make("intel", pack(intel_files() | {"a.txt": bytes(900_000)}, tmp_path / "x", "zip"), tmp_path / "intel")


def test_directories_that_are_too_large_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused before `zipfile` reads them, whatever the end says of their number."""
    monkeypatch.setattr("wisesr.data.prepare.directory.MAX_ENTRIES", 20)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    source = tmp_path / "intel.zip"
    with zipfile_of(source) as archive:
        for index in range(21):
            archive.writestr(str(index), b"")
    refused(source, "has more than 20 entries or 4,000 bytes of them in its directory")
    content = bytearray(source.read_bytes())
    content[-14:-10] = struct.pack("<HH", 1, 1)
    source.write_bytes(content)
    refused(source, "has more than 20 entries")
    content[-2:] = b"\1\0"
    source.write_bytes(bytes(content) + b"c")
    refused(source, "has more than 20 entries")
    end = bytes(content[-22:-2]) + b"\0\0"
    large = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 1, 1, 10**12, 0)
    source.write_bytes(bytes(content[:-22]) + large + b"PK\x06\x07" + bytes(16) + end)
    refused(source, "has more than 20 entries or 4,000 bytes")
    source.write_bytes(bytes(content[:-22]) + b"PK\x06\x07" + bytes(16) + end)
    refused(source, "has an end of a zip64 that does not lead to its directory")


def test_a_zip64_and_a_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, comment in ((10, b""), (10, b"comment"), (65_000, b"comment")):
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", limit)
        source = pack(intel_files(), tmp_path / "intel.zip", "zip")
        with zipfile.ZipFile(source, "a") as archive:
            archive.comment = comment
        make("intel", source, tmp_path / f"intel{limit}{len(comment)}")
