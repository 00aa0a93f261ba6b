"""Archives that were cut off, have changed, or lie about their sizes: a message, and nothing gets the target's name."""

from __future__ import annotations

import errno
import gzip
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.support.downloads import NOISE, files_of, intel_files, make, pack, picture, refused
from wisesr.data.prepare.source import reading
from wisesr.errors import UserError


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_archives_that_were_cut_off(tmp_path: Path, kind: str, share: float) -> None:
    source = pack(intel_files(20, 10), tmp_path / "intel", kind)
    content = source.read_bytes()
    end = len(content) if kind != "tar" else content.rstrip(b"\0").__len__()
    source.write_bytes(content[: int(end * share)])
    refused(source, "was cut off")


def test_a_tar_that_ends_between_two_entries(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "intel", "tar")
    source.write_bytes(source.read_bytes()[: 1024 * 5])
    refused(source, "ends behind 'seg_train/", "without a tar's end mark")


def test_a_tar_with_a_broken_header(tmp_path: Path) -> None:
    """`tarfile` takes it for the end."""
    source = pack(intel_files(), tmp_path / "intel", "tar")
    content = bytearray(source.read_bytes())
    content[1024 * 7 + 3] ^= 1
    source.write_bytes(content)
    refused(source, "ends behind 'seg_train/", "without a tar's end mark")


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
def test_a_byte_that_has_changed(tmp_path: Path, kind: str) -> None:
    """Anywhere: it is noticed, at the latest by the checksum of an entry, and nothing gets the target's name."""
    content = pack(intel_files(), tmp_path / "intel", kind).read_bytes()
    for at in range(len(content) // 50, len(content), len(content) // 20):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        (tmp_path / "intel").write_bytes(damaged)
        target = tmp_path / f"target{at}"
        try:
            make("intel", tmp_path / "intel", target)
        except UserError:
            assert not target.exists()
        else:
            assert files_of(target) == intel_files()


def test_a_packed_file_that_is_no_tar(tmp_path: Path) -> None:
    (tmp_path / "labels.csv.gz").write_bytes(gzip.compress(NOISE))
    refused(tmp_path / "labels.csv.gz", "labels.csv.gz cannot be read")
    (tmp_path / "empty.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    refused(tmp_path / "empty.zip", "It holds: nothing")


def test_a_fault_of_the_disk_is_no_damage() -> None:
    """A new download would not mend it."""
    with pytest.raises(UserError, match="x.zip cannot be read at 'a.jpg': .*Input/output error$"), reading("x.zip", "a.jpg"):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


FIRST = "seg_train/seg_train/buildings/0.jpg"


@pytest.mark.parametrize("wrong", [-10, 10, -20])
def test_more_or_fewer_bytes_than_declared(tmp_path: Path, wrong: int) -> None:
    """Known only when the entry is unpacked: what was written by then is removed."""
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    with zipfile.ZipFile(source, "a") as archive:
        archive.infolist()[0].file_size += wrong
        archive.writestr("x", b"")
    refused(source, FIRST)


def test_more_bytes_than_declared_under_the_right_checksum(tmp_path: Path) -> None:
    """`zipfile` alone reads the declared ones, finds their checksum right, and says nothing."""
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    content = picture(0)
    with zipfile.ZipFile(source, "a") as archive:
        first = archive.infolist()[0]
        first.file_size = len(content) - 9
        first.CRC = zlib.crc32(content[:-9])
        archive.writestr("x", b"")
    with zipfile.ZipFile(source) as archive:
        assert archive.read(archive.infolist()[0]) == content[:-9]
    refused(source, FIRST)


def test_a_wrong_checksum(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    content = bytearray(source.read_bytes())
    at = content.index(b"PK\x01\x02")  # the directory's first entry, and the same in its own header
    content[at + 16 : at + 20] = content[14:18] = struct.pack("<I", 7)
    source.write_bytes(content)
    refused(source, FIRST, "Bad CRC-32")


def test_another_name_in_the_entry_than_in_the_directory(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    source.write_bytes(source.read_bytes().replace(b"sea/0.jpg", b"sea/7.jpg", 1))
    refused(source, "sea/0.jpg'")
