"""Names, links and numbers of entries that no source may have: the entry is named, and nothing is written anywhere."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from tests.support.downloads import GOOD, NOISE, add, intel_files, make, pack, refused, tree
from wisesr.data.prepare.staging import Staging
from wisesr.errors import UserError

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
    "x" * 256: "has a name of more than 32 parts, 1,024 bytes, or 255 bytes in a part",
    "\u00e9" * 128: "has a name of more than",
    "x/" * 32 + "x": "has a name of more than 32 parts",
    ("x" * 204 + "/") * 5 + "x": "has a name of more than",
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


def test_too_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.data.prepare.safety.MAX_ENTRIES", 10)
    monkeypatch.setattr("wisesr.data.prepare.folders.MAX_ENTRIES", 10)
    for kind in ("zip", "tar", "folder"):
        refused(pack(intel_files(), tmp_path / kind, kind), "more than 10 ")


def test_lists_too_large_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"MAX_LIST": "csv' is larger than a list can be, 10 bytes"}
    limits |= {"MAX_LISTS": "csv' makes more than 10 bytes of lists", "MAX_ROWS": "csv' has more than 10 lines"}
    for limit, words in limits.items():
        with monkeypatch.context() as patch:
            patch.setattr(f"wisesr.data.prepare.safety.{limit}", 10)
            for kind in ("zip", "tar", "folder"):
                source = pack({"train.csv": NOISE, "test.csv": NOISE}, tmp_path / f"{kind}{limit}", kind)
                with pytest.raises(UserError, match=words):
                    make("sub_imagenet", source, tmp_path / "x")


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_a_first_line_without_an_end(tmp_path: Path, kind: str) -> None:
    source = pack({"train.csv": b"a,b" * 5_000, "test.csv": b"x"}, tmp_path / "x", kind)
    with pytest.raises(UserError, match="'train.csv' has a first line of more than"):
        make("sub_imagenet", source, tmp_path / "sub")


def test_too_many_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.data.prepare.safety._MAX_FOLDERS", 5)
    for kind in ("zip", "tar"):
        refused(pack(intel_files(), tmp_path / kind, kind), "is in one of more than 5 folders")


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


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_links_that_have_come_since_the_look_are_not_followed(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    (tmp_path / "secret.jpg").write_bytes(intel_files()[GOOD])
    real = Staging.begin

    def begin(self: Staging) -> None:
        real(self)
        (source / GOOD).unlink()
        if kind == "folder":
            pack(intel_files(), tmp_path / "secret", "folder")
            shutil.rmtree(source / "seg_train")
            (source / "seg_train").symlink_to(tmp_path / "secret" / "seg_train")
        elif kind == "link":
            (source / GOOD).symlink_to(tmp_path / "secret.jpg")
        else:
            os.mkfifo(source / GOOD)

    monkeypatch.setattr(Staging, "begin", begin)
    with pytest.raises(UserError, match=r"/0\.jpg (cannot be read|is no file any more).* Has .*source changed\?"):
        make("intel", source, tmp_path / "intel")
    assert not (tmp_path / "intel").exists()


def test_a_linked_folder_is_told(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    (source / "seg_test").rename(tmp_path / "scratch")
    (source / "seg_test").symlink_to(tmp_path / "scratch")
    with pytest.raises(UserError, match="Not taken, as links or no files: 'seg_test'"):
        make("intel", source, tmp_path / "intel", take_part=False)
    (source / "seg_test").unlink()
    (tmp_path / "scratch").rename(source / "seg_test")
    (source / "seg_train" / "seg_train" / "sea").rename(tmp_path / "sea")
    (source / "seg_train" / "seg_train" / "sea").symlink_to(tmp_path / "sea")
    shutil.rmtree(source / "seg_test" / "seg_test" / "sea")
    assert "Not taken, as links or no files: 'seg_train/seg_train/sea'." in make("intel", source, tmp_path / "intel")


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
