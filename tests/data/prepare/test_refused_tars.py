"""Tars that are refused: the entry is named, and nothing is written anywhere."""

from __future__ import annotations

import random
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.downloads import GOOD, add, intel_files, make, refused
from wisesr.data.prepare import packed
from wisesr.data.prepare.staging import Staging
from wisesr.errors import UserError


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


def records(*its: bytes, kind: bytes = tarfile.XHDTYPE, count: int = 1) -> Callable[[tarfile.TarFile], None]:
    """An entry behind headers of this content."""

    def do(tar: tarfile.TarFile) -> None:
        for _ in range(count):
            add(tar, "header", b"".join(its), type=kind)
        add(tar, "x.jpg", b"x")

    return do


def sparse(*its: bytes) -> Callable[[tarfile.TarFile], None]:
    """A file with a map of holes, which must not be read: it would be an error."""
    return records(*its, b"28 GNU.sparse.name=hole.jpg\n")


MALFORMED = "entry 'header' has a malformed header"
MANY = "brings the headers for all entries to more than 65,536 bytes or 100 records"
TARS: dict[str, tuple[Callable[[tarfile.TarFile], None], str]] = {
    "a link": (lambda tar: add(tar, "a.jpg", type=tarfile.SYMTYPE, linkname="/etc"), "entry 'a.jpg' is a symbolic link"),
    "a hard link": (lambda tar: add(tar, "a.jpg", type=tarfile.LNKTYPE, linkname=GOOD), "entry 'a.jpg' is a hard link"),
    "a pipe": (lambda tar: add(tar, "pipe", type=tarfile.FIFOTYPE), "entry 'pipe' is a pipe or a device"),
    "a terminal": (lambda tar: add(tar, "tty", type=tarfile.CHRTYPE), "entry 'tty' is a pipe or a device"),
    "a disk": (lambda tar: add(tar, "disk", type=tarfile.BLKTYPE), "entry 'disk' is a pipe or a device"),
    "sparse": (lambda tar: add(tar, "hole", b"", type=tarfile.GNUTYPE_SPARSE), "entry 'hole' is sparse"),
    "sparse in attributes": (pax_sparse, "entry 'hole.jpg' is sparse"),
    "sparse in another way": (pax_sparse_of_tomorrow, "entry 'hole.jpg' is sparse"),
    "sparse 0.0": (sparse(b"21 GNU.sparse.size=9\n", b"26 GNU.sparse.numblocks=9\n"), "entry 'hole.jpg' is sparse"),
    "sparse 0.1": (sparse(b"22 GNU.sparse.map=0,x\n"), "entry 'hole.jpg' is sparse"),
    "sparse 1.0": (sparse(b"22 GNU.sparse.major=1\n", b"22 GNU.sparse.minor=0\n"), "entry 'hole.jpg' is sparse"),
    "sparse for all": (records(b"22 GNU.sparse.major=1\n", kind=tarfile.XGLTYPE), "entry 'x.jpg' is sparse"),
    "no length": (records(b"path=a\n"), MALFORMED),
    "digits only": (records(b"1" * 8000), MALFORMED),
    "a long number": (records(b"119 uid=" + b"1" * 110 + b"\n"), MALFORMED),
    "a wrong length": (records(b"9 path=a\n", b"8 path=a\n"), MALFORMED),
    "a length of nothing": (records(b"0 path=a\n"), MALFORMED),
    "a length beyond the end": (records(b"99 path=a\n"), MALFORMED),
    "no value": (records(b"9 path_a\n"), MALFORMED),
    "no key": (records(b"5 =a\n"), MALFORMED),
    "a number of Unicode": (records("\u0669 path=a\n".encode()), MALFORMED),
    "bytes for all": (records(b"8000 a=" + b"a" * 7992 + b"\n", kind=tarfile.XGLTYPE, count=9), MANY),
    "records for all": (records(b"6 a=b\n" * 101, kind=tarfile.XGLTYPE), MANY),
    "a chain": (records(b"9 path=a\n", count=33), "entry 'header' is one of more than 32 headers before a single entry"),
    "a chain for all": (records(b"9 path=a\n", kind=tarfile.XGLTYPE, count=3000), "is one of more than 32 headers"),
    "unknown": (lambda tar: add(tar, "label", type=b"V"), "entry 'label' is of an unknown kind (b'V')"),
    "a negative size": (negative, "entry 'x.jpg' has a negative size"),
    "a long name": (long_name, "entry '././@LongLink' has a header of 131,072 bytes, more than 8,192"),
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
    refused(
        tar_of(tmp_path / "intel.tar", many, packing),
        "unpacks to more than 100 times its bytes",
        "a bomb, at entry '",
        "or behind it",
    )
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


def test_honest_headers(tmp_path: Path) -> None:
    """A commit for all entries, as git writes it; a long name and attributes of one."""
    name = "seg_train/seg_train/sea/" + "caf\u00e9" * 40 + ".jpg"

    def do(tar: tarfile.TarFile) -> None:
        records(b"52 comment=" + b"a" * 40 + b"\n", kind=tarfile.XGLTYPE)(tar)
        add(tar, name, b"new", pax_headers={"SCHILY.xattr.user.a": "b\nc=d" * 900, "mtime": "1.5"})

    make("intel", tar_of(tmp_path / "x.tar", do), tmp_path / "intel")
    assert (tmp_path / "intel" / name).read_bytes() == b"new"


def test_a_bomb_that_comes_while_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is another one by now: it is refused, and nobody says that nothing was written."""
    source = tar_of(tmp_path / "intel.tar", lambda tar: add(tar, "seg_train/seg_train/sea/new.jpg", b"x"), "gz")
    real = Staging.begin

    def begin(self: Staging) -> None:
        real(self)
        tar_of(source, lambda tar: add(tar, "bomb.jpg", bytes(50_000_000)), "gz")

    monkeypatch.setattr(Staging, "begin", begin)
    with pytest.raises(UserError, match="a bomb") as caught:
        make("intel", source, tmp_path / "intel")
    assert "Nothing was written" not in str(caught.value)
