"""Archives with entries of a kind that is refused, and bombs: the entry is named, and nothing is left behind."""

from __future__ import annotations

import random
import stat
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.downloads import GOOD, NOISE, add, files_of, intel_files, make, pack, refused

Zip, Tar = zipfile.ZipFile, tarfile.TarFile


def change(name: str, **values: object) -> Callable[[Zip], None]:
    """Add an entry, and make the directory say something else about it."""

    def add_changed(archive: Zip) -> None:
        archive.writestr(name, NOISE)
        for key, value in values.items():
            setattr(archive.infolist()[-1], key, value)

    return add_changed


def mode(kind: int, system: int = 3) -> dict[str, int]:
    return {"external_attr": (kind | 0o777) << 16, "create_system": system}


def packed_by(method: int) -> Callable[[Zip], None]:
    """A few bytes that would take a hundred times the memory, and declare to be few."""

    def add_packed(archive: Zip) -> None:
        archive.writestr("x.jpg", bytes(10_000_000), method)
        archive.infolist()[-1].file_size = archive.infolist()[-1].compress_size

    return add_packed


def many_small_bombs(archive: Zip) -> None:
    for index in range(4):
        archive.writestr(f"{index}.jpg", bytes(900_000))


def overlapping(archive: Zip) -> None:
    """A kernel of a few kilobytes that fifty entries share."""
    archive.writestr("0.jpg", bytes(900_000))
    kernel = archive.infolist()[-1]
    for index in range(1, 50):
        archive.writestr(f"{index}.jpg", b"")
        for key in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
            setattr(archive.infolist()[-1], key, getattr(kernel, key))


ZIPS: dict[str, tuple[Callable[[Zip], None], str]] = {
    "a link": (change("link.jpg", **mode(stat.S_IFLNK)), "entry 'link.jpg' is a link"),
    "a link of DOS": (change("link.jpg", **mode(stat.S_IFLNK, 0)), "entry 'link.jpg' is a link"),
    "a link as a folder": (change("link/", **mode(stat.S_IFLNK)), "entry 'link/' is a link"),
    "a pipe": (change("pipe", **mode(stat.S_IFIFO)), "entry 'pipe' is a link, a pipe or a device"),
    "a device": (change("dev", **mode(stat.S_IFBLK)), "entry 'dev' is a link, a pipe or a device"),
    "encrypted": (change("secret.jpg", flag_bits=1), "entry 'secret.jpg' is encrypted: unpack it"),
    "encrypted strongly": (change("secret.jpg", flag_bits=0x41), "entry 'secret.jpg' is encrypted: unpack it"),
    "Deflate64": (change("x.jpg", compress_type=9), "entry 'x.jpg' is packed by method 9"),
    "bzip2": (packed_by(zipfile.ZIP_BZIP2), "entry 'x.jpg' is packed by method 12"),
    "LZMA": (packed_by(zipfile.ZIP_LZMA), "entry 'x.jpg' is packed by method 14"),
    "a bomb": (lambda archive: archive.writestr("bomb.jpg", bytes(2_000_000)), "'bomb.jpg' brings all to 2,00"),
    "declared a bomb": (change("bomb.jpg", file_size=10**15), "entry 'bomb.jpg' brings all to 1,000,000,00"),
    "many small bombs": (many_small_bombs, "entry '1.jpg' brings all to 1,80"),
    "overlapping": (overlapping, "at '1.jpg': File name in directory '1.jpg' and header b'0.jpg' differ"),
}  # fmt: skip


@pytest.mark.parametrize("what", ZIPS)
def test_zips(tmp_path: Path, what: str) -> None:
    do, part = ZIPS[what]
    with zipfile.ZipFile(pack(intel_files(), tmp_path / "intel.zip", "zip"), "a", zipfile.ZIP_DEFLATED) as archive:
        do(archive)
    refused(tmp_path / "intel.zip", part)


def test_small_entries_of_one_colour_are_no_bombs(tmp_path: Path) -> None:
    make("intel", pack(intel_files() | {"a.txt": bytes(900_000)}, tmp_path / "x", "zip"), tmp_path / "intel")


def test_a_zip64_and_a_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 10)
    with zipfile.ZipFile(pack(intel_files(), tmp_path / "intel.zip", "zip"), "a") as archive:
        archive.comment = b"comment"
    make("intel", tmp_path / "intel.zip", tmp_path / "intel")
    assert files_of(tmp_path / "intel") == intel_files()


def test_a_directory_too_large_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size that it declares, before any of it is read."""
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    with zipfile.ZipFile(source) as archive:
        size = source.stat().st_size - archive.start_dir - 22  # the zip's end mark
    monkeypatch.setattr("wisesr.data.prepare.formats.MAX_DIRECTORY", size - 1)
    refused(source, f"intel.zip declares a directory of {size:,} bytes")
    monkeypatch.setattr("wisesr.data.prepare.formats.MAX_DIRECTORY", size)
    make("intel", source, tmp_path / "intel")


# Tars.


def records(*content: bytes, kind: bytes = tarfile.XHDTYPE, count: int = 1) -> Callable[[Tar], None]:
    """An entry behind headers of this content."""

    def add_headers(tar: Tar) -> None:
        for _ in range(count):
            add(tar, "header", b"".join(content), type=kind)
        add(tar, "x.jpg", b"x")

    return add_headers


SPARSE = {"GNU.sparse.major": "0", "GNU.sparse.size": "9", "GNU.sparse.name": "hole.jpg", "GNU.sparse.map": "0,1"}
TARS: dict[str, tuple[Callable[[Tar], None], str]] = {
    "a link": (lambda tar: add(tar, "a.jpg", type=tarfile.SYMTYPE, linkname="/etc"), "entry 'a.jpg' is a link, a pipe"),
    "a hard link": (lambda tar: add(tar, "a.jpg", type=tarfile.LNKTYPE, linkname=GOOD), "entry 'a.jpg' is a link, a pipe"),
    "a pipe": (lambda tar: add(tar, "pipe", type=tarfile.FIFOTYPE), "entry 'pipe' is a link, a pipe, a device"),
    "a terminal": (lambda tar: add(tar, "tty", type=tarfile.CHRTYPE), "entry 'tty' is a link, a pipe, a device"),
    "a disk": (lambda tar: add(tar, "disk", type=tarfile.BLKTYPE), "entry 'disk' is a link, a pipe, a device"),
    "unknown": (lambda tar: add(tar, "label", type=b"V"), "entry 'label' is a link, a pipe, a device"),
    "sparse": (lambda tar: add(tar, "hole", b"", type=tarfile.GNUTYPE_SPARSE), "entry 'hole' is a link, a pipe, a device"),
    "sparse in attributes": (lambda tar: add(tar, "x", b"x", pax_headers=SPARSE), "'hole.jpg' is a link, a pipe, a device"),
    "a negative size": (lambda tar: add(tar, "x.jpg", pax_headers={"size": "-1536"}), "'x.jpg' is a link, a pipe, a device"),
    "a long link": (records(bytes(70_000), kind=tarfile.GNUTYPE_LONGLINK), "is a long name of a link of 70,000 bytes"),
    "attributes for all": (records(bytes(70_000), kind=tarfile.XGLTYPE), "is attributes of 70,000 bytes"),
    "attributes of Solaris": (records(bytes(70_000), kind=tarfile.SOLARIS_XHDTYPE), "is attributes of 70,000 bytes"),
    "a chain": (records(b"9 path=a\n", count=3000), "cannot be read"),
    "a length of nothing": (records(b"0 path=a\n"), "damaged"),
}  # fmt: skip


def tar_of(path: Path, do: Callable[[Tar], None], packing: str = "") -> Path:
    with tarfile.open(path, f"w:{packing}", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for name, content in intel_files().items():
            add(tar, name, content)
        do(tar)
    return path


@pytest.mark.parametrize("what", TARS)
@pytest.mark.parametrize("packing", ["", "gz"])
def test_tars(tmp_path: Path, what: str, packing: str) -> None:
    do, part = TARS[what]
    refused(tar_of(tmp_path / "intel.tar", do, packing), part)


def many(tar: Tar) -> None:
    for index in range(5):
        add(tar, f"{index}.jpg", bytes(900_000))


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
@pytest.mark.parametrize(
    ("do", "part"),
    [
        (lambda tar: add(tar, "bomb.jpg", bytes(50_000_000)), "entry 'bomb.jpg' brings all to 50,"),
        (many, "entry '1.jpg' brings all to 1,8"),
    ],
)
def test_bombs_in_tars(tmp_path: Path, packing: str, do: Callable[[Tar], None], part: str) -> None:
    """Refused by their declared sizes, without unpacking them; in little memory and time."""
    source = tar_of(tmp_path / "intel.tar", do, packing)
    began = time.process_time()
    tracemalloc.start()
    try:
        refused(source, part, "a bomb")
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 5


def many_attributes(tar: Tar) -> None:
    for index in range(1000):
        add(tar, "header", bytes(60_000), type=tarfile.XHDTYPE)
        add(tar, f"{index}.jpg", b"x")


def many_folders(tar: Tar) -> None:
    for index in range(10_000):
        add(tar, str(index % 10), type=tarfile.DIRTYPE)


def sparse(tar: Tar) -> None:
    """Of format 1.0: its map stands in the content, and says itself how long it is."""
    add(tar, "header", b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n", type=tarfile.XHDTYPE)
    add(tar, "hole", b"9999999\n" + b"1\n" * 10**7)


HUNGRY: dict[str, tuple[Callable[[Tar], None], str]] = {
    "a long name": (records(bytes(100_000_000), kind=tarfile.GNUTYPE_LONGNAME), "'header' is a long name of 100,000,000"),
    "attributes": (records(bytes(100_000_000)), "'header' is attributes of 100,000,000 bytes, more than 65,536"),
    "many attributes": (many_attributes, "'header' brings all to"),
    "many folders": (many_folders, "brings all to"),
    "sparse": (sparse, "'hole' is a link, a pipe, a device, sparse"),
}


@pytest.mark.parametrize("what", HUNGRY)
def test_headers_too_large_for_memory(tmp_path: Path, what: str) -> None:
    """`tarfile` alone reads them whole, and keeps them."""
    do, part = HUNGRY[what]
    source = tar_of(tmp_path / "intel.tar.gz", do, "gz")
    tracemalloc.start()
    try:
        refused(source, part)
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_honest_headers(tmp_path: Path) -> None:
    """A commit for all entries, as git writes it; a long name and attributes of one; noise that does not pack."""
    name = "seg_train/seg_train/sea/" + "caf\u00e9" * 40 + ".jpg"
    noise = random.Random(0).randbytes(3_000_000)

    def do(tar: Tar) -> None:
        records(b"52 comment=" + b"a" * 40 + b"\n", kind=tarfile.XGLTYPE)(tar)
        add(tar, name, noise, pax_headers={"SCHILY.xattr.user.a": "b\nc=d" * 900, "mtime": "1.5"})

    make("intel", tar_of(tmp_path / "x.tar", do, "gz"), tmp_path / "intel")
    assert (tmp_path / "intel" / name).read_bytes() == noise
