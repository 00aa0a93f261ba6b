"""Archives that are refused: the entry is named, and nothing is written anywhere."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import struct
import tarfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.prepare.downloads import add, intel_files, make, pack, picture, tree
from wisesr.data.prepare import packed
from wisesr.errors import UserError

GOOD = "seg_train/seg_train/sea/0.jpg"
NOISE = bytes((index * index * 7 + index // 3) % 251 for index in range(5000))


def refused(source: Path, *words: str) -> None:
    """Preparing from here fails with these words; nothing is there that was not before."""
    before = tree(source.parent)
    with pytest.raises(UserError) as caught:
        make("intel", source, source.parent / "data" / "intel")
    for its in words:
        assert its in str(caught.value)
    assert str(caught.value).isprintable()
    assert tree(source.parent) == before


NAMES = {
    "../x.jpg": "has .. in its path",
    "seg_train/../../x.jpg": "has .. in its path",
    "..": "has .. in its path",
    "..\\x.jpg": "has .. in its path",
    "seg_train\\..\\..\\x.jpg": "has .. in its path",
    "a/.. /x.jpg": "has .. in its path",
    "\u2025/x.jpg": "has .. in its path",
    "\uff0e\uff0e\uff0fx.jpg": "has .. in its path",
    "/etc/x.jpg": "has an absolute path",
    "//x.jpg": "has an absolute path",
    "\\x.jpg": "has an absolute path",
    "\\\\server\\share\\x.jpg": "has an absolute path",
    "C:\\x.jpg": "has a drive letter",
    "c:/x.jpg": "has a drive letter",
    "C:x.jpg": "has a drive letter",
    "./C:/x.jpg": "has a drive letter",
    "x" * 256: "has a name of more than 4096 bytes, or 255 between two slashes",
    "\u00e9" * 128: "has a name of more than",
    "x/" * 2049 + "x": "has a name of more than",
    GOOD: f"is there twice, the other time as '{GOOD}'",
    f"./{GOOD}": "is there twice",
    GOOD.replace("/", "//"): "is there twice",
    GOOD.replace("/", "\\"): "is there twice",
    GOOD.upper(): "is there twice",
    f"{GOOD}/1.jpg": f"makes a folder of the file '{GOOD}'",
    f"{GOOD.upper()}/deep/1.jpg": f"makes a folder of the file '{GOOD}'",
    "seg_train/seg_train/sea": "is a file and also a folder",
    "SEG_TRAIN": "is a file and also a folder",
    ".": "has no name",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_names(tmp_path: Path, name: str, kind: str) -> None:
    source = tmp_path / "intel"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile on names that come twice
        if kind == "zip":
            pack(intel_files(), source, "zip")
            with zipfile.ZipFile(source, "a") as archive:
                archive.writestr(name, b"x")
        else:
            with tarfile.open(source, f"w:{kind.partition('.')[2]}") as tar:  # type: ignore[call-overload]
                for good, content in intel_files().items():
                    add(tar, good, content)
                add(tar, name, b"x")
    shown = ascii(name) if len(name) < 200 else ascii(name[:150]) + "..."
    refused(source, f"entry {shown} ", NAMES[name], "Nothing was written")


def test_names_in_two_unicode_forms(tmp_path: Path) -> None:
    names = ("a/caf\u00e9.jpg", "a/cafe\u0301.jpg")
    refused(pack(intel_files() | dict.fromkeys(names, b"x"), tmp_path / "x", "zip"), f"entry {names[1]!a} is there twice")


def test_a_nul_in_a_name(tmp_path: Path) -> None:
    """In a zip, where `zipfile` cuts it off; in a tar's extended header, where it does not end the name."""
    pack({f"{GOOD}#../x.jpg": b"x"}, tmp_path / "x", "zip")
    (tmp_path / "x").write_bytes((tmp_path / "x").read_bytes().replace(b"#", b"\0"))
    refused(tmp_path / "x", "has a NUL in its name")
    with tarfile.open(tmp_path / "x", "w", format=tarfile.PAX_FORMAT) as tar:
        add(tar, "x.jpg", b"x", pax_headers={"path": "a\0b.jpg"})
    refused(tmp_path / "x", "entry 'a\\x00b.jpg' has a NUL in its name")


# Zips.


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


def overlap(archive: zipfile.ZipFile) -> None:
    change("twice.jpg")(archive)
    archive.infolist()[-1].header_offset = archive.infolist()[0].header_offset


def quote(archive: zipfile.ZipFile) -> None:
    """An entry whose bytes are those of the next one, header and all."""
    archive.writestr(zipfile.ZipInfo("outer.jpg"), NOISE)
    archive.writestr("inner.jpg", NOISE)
    archive.infolist()[-2].compress_size += 60


ZIPS: dict[str, tuple[Callable[[zipfile.ZipFile], None], str]] = {
    "a link": (change("link.jpg", **mode(stat.S_IFLNK, 3)), "entry 'link.jpg' is a symbolic link"),
    "a link of DOS": (change("link.jpg", **mode(stat.S_IFLNK, 0)), "entry 'link.jpg' is a symbolic link"),
    "a link as a folder": (change("link/", **mode(stat.S_IFLNK, 3)), "entry 'link/' is a symbolic link"),
    "a pipe": (change("pipe", **mode(stat.S_IFIFO, 3)), "entry 'pipe' is a pipe or a device"),
    "a device": (change("dev", **mode(stat.S_IFBLK, 3)), "entry 'dev' is a pipe or a device"),
    "encrypted": (change("secret.jpg", flag_bits=1), "entry 'secret.jpg' is encrypted"),
    "encrypted strongly": (change("secret.jpg", flag_bits=0x41), "entry 'secret.jpg' is encrypted"),
    "Deflate64": (change("x.jpg", compress_type=9), "entry 'x.jpg' is packed in a way that is not read here (Deflate64)"),
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


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.data.prepare.safety.MAX_ENTRIES", 10)
    monkeypatch.setattr("wisesr.data.prepare.folders.MAX_ENTRIES", 10)
    for kind in ("zip", "tar", "folder"):
        refused(pack(intel_files(), tmp_path / kind, kind), "more than 10 ")


def test_lists_too_large_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("zips", "tars", "folders"):
        monkeypatch.setattr(f"wisesr.data.prepare.{module}.MAX_LIST", 10)
    for kind in ("zip", "tar", "folder"):
        source = pack({"train.csv": NOISE, "test.csv": NOISE}, tmp_path / kind, kind)
        with pytest.raises(UserError, match="'train.csv' is larger than a list can be"):
            make("sub_imagenet", source, tmp_path / "x")


# Tars.


def pax_sparse(tar: tarfile.TarFile) -> None:
    add(tar, "hole.jpg", b"x", pax_headers={"GNU.sparse.major": "0", "GNU.sparse.size": "9", "GNU.sparse.name": "hole.jpg"})


def test_a_folder_may_have_a_size(tmp_path: Path) -> None:
    """A hint to the file system in the format's words; no content comes with it."""

    def do(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo("seg_train/seg_train")
        member.type, member.size = tarfile.DIRTYPE, 4096
        tar.addfile(member)
        add(tar, "seg_train/seg_train/sea/new.jpg", b"new")

    make("intel", tar_of(tmp_path / "x.tar", do), tmp_path / "intel")
    assert (tmp_path / "intel/seg_train/seg_train/sea/new.jpg").read_bytes() == b"new"


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


# Damage.


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
    refused(source, "ends without a tar's end mark: it was cut off or is damaged")


def test_a_tar_with_a_broken_header(tmp_path: Path) -> None:
    """`tarfile` takes it for the end."""
    source = pack(intel_files(), tmp_path / "intel", "tar")
    content = bytearray(source.read_bytes())
    content[1024 * 7 + 3] ^= 1
    source.write_bytes(content)
    refused(source, "ends without a tar's end mark")


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
            assert {name: its for name, its in tree(target).items() if isinstance(its, bytes)} == intel_files()


def test_a_packed_file_that_is_no_tar(tmp_path: Path) -> None:
    (tmp_path / "labels.csv.gz").write_bytes(gzip.compress(NOISE))
    refused(tmp_path / "labels.csv.gz", "labels.csv.gz cannot be read")
    (tmp_path / "empty.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    refused(tmp_path / "empty.zip", "It holds: nothing")


@pytest.mark.parametrize("wrong", [-10, 10, -20])
def test_more_or_fewer_bytes_than_declared(tmp_path: Path, wrong: int) -> None:
    """Known only when the entry is unpacked: the target does not come to be, and nothing lies outside the staging folder."""
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    with zipfile.ZipFile(source, "a") as archive:
        archive.infolist()[0].file_size += wrong
        archive.writestr("x", b"")
    words = "seg_train/seg_train/buildings/0.jpg'(: Bad CRC-32| has other than the .* bytes that it declares)"
    with pytest.raises(UserError, match=words):
        make("intel", source, tmp_path / "intel")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["intel.partial", "intel.zip"]
    assert [path.name for path in (tmp_path / "intel.partial").rglob("*") if path.is_file()] == [".wisesr.json"]


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
    with pytest.raises(UserError, match=r"seg_train/seg_train/buildings/0.jpg': Bad CRC-32"):
        make("intel", source, tmp_path / "intel")


def test_a_wrong_checksum(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    content = bytearray(source.read_bytes())
    at = content.index(b"PK\x01\x02")  # the directory's first entry, and the same in its own header
    content[at + 16 : at + 20] = content[14:18] = struct.pack("<I", 7)
    source.write_bytes(content)
    with pytest.raises(UserError, match="cannot be read at 'seg_train/seg_train/buildings/0.jpg': Bad CRC-32"):
        make("intel", source, tmp_path / "intel")
    assert not (tmp_path / "intel").exists()


# Folders.


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    (source / "elsewhere").symlink_to(tmp_path)  # wanted by nobody
    make("intel", source, tmp_path / "first")
    assert not any("secret" in name or "elsewhere" in name for name in tree(tmp_path / "first"))
    (source / "seg_train" / "seg_train" / "sea" / "0.jpg").unlink()
    (source / "seg_train" / "seg_train" / "sea" / "0.jpg").symlink_to(secret)
    refused(source, f"entry '{GOOD}' is a symbolic link, which is not followed")


def test_a_linked_folder_is_told(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    (source / "seg_test").rename(tmp_path / "scratch")
    (source / "seg_test").symlink_to(tmp_path / "scratch")
    with pytest.raises(UserError, match="Not taken, as links or no files: 'seg_test'"):
        make("intel", source, tmp_path / "intel", take_part=False)


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    os.mkfifo(source / "seg_train" / "seg_train" / "sea" / "9.jpg")
    refused(source, "9.jpg' is a pipe")


def test_names_that_no_list_can_hold(tmp_path: Path) -> None:
    files = intel_files() | {"seg_train/seg_train/sea/a\nb.jpg": b"x"}
    for kind in ("zip", "tar", "folder"):
        refused(pack(files, tmp_path / kind, kind), "would become 'seg_train/seg_train/sea/a\\nb.jpg', which is no plain name")
    with tarfile.open(tmp_path / "tar", "w") as tar:
        add(tar, "seg_train/seg_train/sea/\udcff.jpg", b"x")
        member = io.BytesIO(b"x")
        tar.addfile(tarfile.TarInfo("seg_test/seg_test/sea/0.jpg"), member)
    refused(tmp_path / "tar", "which is no plain name of a file")
