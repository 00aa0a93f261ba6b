"""Tars that are refused: the entry is named, and nothing is written anywhere."""

from __future__ import annotations

import random
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.prepare.downloads import GOOD, add, intel_files, make, refused
from wisesr.data.prepare import packed


def pax_sparse(tar: tarfile.TarFile) -> None:
    add(tar, "hole.jpg", b"x", pax_headers={"GNU.sparse.major": "0", "GNU.sparse.size": "9", "GNU.sparse.name": "hole.jpg"})


def pax_sparse_of_tomorrow(tar: tarfile.TarFile) -> None:
    add(tar, "hole.jpg", b"x", pax_headers={"GNU.sparse.major": "2", "GNU.sparse.realsize": "9"})


def negative(tar: tarfile.TarFile) -> None:
    add(tar, "x.jpg", b"", pax_headers={"size": "-1536"})


def long_name(tar: tarfile.TarFile) -> None:
    add(tar, "././@LongLink", bytes(1 << 17), type=tarfile.GNUTYPE_LONGNAME)


def attributes(tar: tarfile.TarFile) -> None:
    add(tar, "x.jpg", b"x", pax_headers={"SCHILY.xattr.user.a": "1" * (1 << 17)})


TARS: dict[str, tuple[Callable[[tarfile.TarFile], None], str]] = {
    "a link": (lambda tar: add(tar, "a.jpg", type=tarfile.SYMTYPE, linkname="/etc"), "entry 'a.jpg' is a symbolic link"),
    "a hard link": (lambda tar: add(tar, "a.jpg", type=tarfile.LNKTYPE, linkname=GOOD), "entry 'a.jpg' is a hard link"),
    "a pipe": (lambda tar: add(tar, "pipe", type=tarfile.FIFOTYPE), "entry 'pipe' is a pipe or a device"),
    "a terminal": (lambda tar: add(tar, "tty", type=tarfile.CHRTYPE), "entry 'tty' is a pipe or a device"),
    "a disk": (lambda tar: add(tar, "disk", type=tarfile.BLKTYPE), "entry 'disk' is a pipe or a device"),
    "sparse": (lambda tar: add(tar, "hole", b"", type=tarfile.GNUTYPE_SPARSE), "entry 'hole' is sparse"),
    "sparse in attributes": (pax_sparse, "entry 'hole.jpg' is sparse"),
    "sparse in another way": (pax_sparse_of_tomorrow, "entry 'hole.jpg' is sparse"),
    "unknown": (lambda tar: add(tar, "label", type=b"V"), "entry 'label' is of an unknown kind (b'V')"),
    "a negative size": (negative, "entry 'x.jpg' has a negative size"),
    "a long name": (long_name, "entry '././@LongLink' has a header of 131,072 bytes, more than 65,536"),
    "large attributes": (attributes, "has a header of 131,1"),
}


def tar_of(path: Path, do: Callable[[tarfile.TarFile], None], packing: str = "") -> Path:
    with tarfile.open(path, f"w:{packing}", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for name, content in intel_files().items():
            add(tar, name, content)
        do(tar)
    return path


@pytest.mark.parametrize("what", TARS)
@pytest.mark.parametrize("packing", ["", "gz"])
def test_tars(tmp_path: Path, what: str, packing: str) -> None:
    do, words = TARS[what]
    refused(tar_of(tmp_path / "intel.tar", do, packing), words)


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz"])
def test_bombs_in_tars(tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole bomb is refused before it is unpacked; one behind honest entries, when it is over."""
    source = tar_of(tmp_path / "intel.tar", lambda tar: add(tar, "bomb.jpg", bytes(5_000_000)), packing)
    unpacked = 0

    class Watched(packed.Unpacked):
        def read(self, size: int) -> bytes:
            nonlocal unpacked
            content = super().read(size)
            unpacked += len(content)
            return content

    monkeypatch.setattr("wisesr.data.prepare.tars.Unpacked", Watched)
    refused(source, "entry 'bomb.jpg' unpacks to 5,000,000 bytes from", "a bomb")
    assert unpacked < 50_000, "its declared size says it"

    def many(tar: tarfile.TarFile) -> None:
        for index in range(5):
            add(tar, f"{index}.jpg", bytes(900_000))

    began = time.process_time()
    refused(tar_of(tmp_path / "intel.tar", many, packing), "unpacks to more than 100 times its bytes", "a bomb")
    assert time.process_time() - began < 5


def test_a_bomb_among_honest_entries(tmp_path: Path) -> None:
    def do(tar: tarfile.TarFile) -> None:
        add(tar, "honest.jpg", random.Random(0).randbytes(400_000))
        add(tar, "bomb.jpg", bytes(12_000_000))
        add(tar, "honest too.jpg", random.Random(1).randbytes(400_000))

    refused(tar_of(tmp_path / "intel.tar", do, "gz"), "entry 'bomb.jpg' unpacks to 12,000,000 bytes", "a bomb")


def test_a_folder_may_have_a_size(tmp_path: Path) -> None:
    """A hint to the file system in the format's words; no content comes with it."""

    def do(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo("seg_train/seg_train")
        member.type, member.size = tarfile.DIRTYPE, 4096
        tar.addfile(member)
        add(tar, "seg_train/seg_train/sea/new.jpg", b"new")

    make("intel", tar_of(tmp_path / "x.tar", do), tmp_path / "intel")
    assert (tmp_path / "intel/seg_train/seg_train/sea/new.jpg").read_bytes() == b"new"
