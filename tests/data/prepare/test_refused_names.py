"""Names, links and numbers of entries that no source may have: the entry is named, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest

from tests.support.downloads import GOOD, NOISE, add, intel_files, make, pack, refused, tree
from wisesr.errors import UserError

NAMES = {
    "../x.jpg": "has .. in its path",
    "seg_train/../../x.jpg": "has .. in its path",
    "..": "has .. in its path",
    "seg_train\\..\\..\\x.jpg": "has .. in its path",
    "/etc/x.jpg": "has an absolute path",
    "//x.jpg": "has an absolute path",
    "\\\\server\\share\\x.jpg": "has an absolute path",
    "C:\\x.jpg": "has an absolute path",
    "./c:/x.jpg": "has an absolute path",
    GOOD: f"is there twice, the other time as '{GOOD}'",
    f"./{GOOD}": "is there twice",
    GOOD.replace("/", "//"): "is there twice",
    GOOD.replace("/", "\\"): "is there twice",
    GOOD.upper(): "is there twice",
}


def pack_with(path: Path, kind: str, *names: str) -> Path:
    """A download of Intel with these entries besides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile on names that come twice
        if kind == "zip":
            with zipfile.ZipFile(pack(intel_files(), path, "zip"), "a") as archive:
                for name in names:
                    archive.writestr(name, b"x")
        else:
            with tarfile.open(path, f"w:{kind.partition('.')[2]}") as tar:  # type: ignore[call-overload]
                for name, content in intel_files().items():
                    add(tar, name, content)
                for name in names:
                    add(tar, name, b"x")
    return path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_names(tmp_path: Path, name: str, kind: str) -> None:
    refused(pack_with(tmp_path / "intel", kind, name), f"entry {name!a} ", NAMES[name])


def test_names_in_a_folder_that_differ_in_case_alone(tmp_path: Path) -> None:
    """A folder on this disk may hold both; the dataset may lie on another disk tomorrow."""
    folder = pack(intel_files(), tmp_path / "intel", "folder")
    other = GOOD.replace(".jpg", ".JPG")
    shutil.copy(folder / GOOD, folder / other)
    refused(folder, f"{GOOD!a}", f"{other!a}", "blind to case")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_file_that_is_also_a_folder(tmp_path: Path, kind: str) -> None:
    refused(pack_with(tmp_path / "intel", kind, f"{GOOD}/1.jpg"), f"File exists: '{tmp_path}", f"{GOOD}'")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_of_folders(tmp_path: Path, kind: str) -> None:
    for name, why in (("../x/", "has .. in its path"), ("/x/", "has an absolute path")):
        source = pack_with(tmp_path / kind, kind, name)
        if kind == "tar":
            with tarfile.open(source, "w") as tar:
                add(tar, name, type=tarfile.DIRTYPE)
        refused(source, "entry ", why)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_in_two_unicode_forms(tmp_path: Path, kind: str) -> None:
    composed, decomposed = "a/caf\u00e9.jpg", "a/cafe\u0301.jpg"
    refused(pack_with(tmp_path / "x", kind, composed, decomposed), f"entry {decomposed!a} is there twice", ascii(composed))


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_too_many_entries(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.data.prepare.source.MAX_ENTRIES", 10)
    refused(pack(intel_files(), tmp_path / kind, kind), "entry 'seg_t", "is one of more than 10")


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_lists_too_large_for_memory(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wisesr.data.prepare.source.MAX_LIST", len(NOISE) - 1)
    source = pack({"train.csv": NOISE, "test.csv": NOISE}, tmp_path / kind, kind)
    refused(source, "csv' has more than the 4,999 bytes of a list", name="sub_imagenet")


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_names_that_no_list_can_hold(tmp_path: Path, kind: str) -> None:
    name = "seg_train/seg_train/sea/a\nb.jpg"
    refused(pack(intel_files() | {name: b"x"}, tmp_path / kind, kind), f"entry {name!a} ", "no plain name")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    refused(pack_with(tmp_path / "tar", "tar", "seg_train/seg_train/sea/\udcff.jpg"), "sea/\\udcff.jpg", "no plain name")


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_names_too_long_for_a_disk(tmp_path: Path, kind: str) -> None:
    """Refused, wanted or not, and not written out."""
    message = refused(pack_with(tmp_path / kind, kind, "a/" * 2050 + "x.jpg"), "entry 'a/a/a", "more than 4,096 bytes")
    assert len(message) < 400


@pytest.mark.parametrize("kind", ["zip", "tar", "folder"])
def test_long_names_are_cut_in_messages(tmp_path: Path, kind: str) -> None:
    names = [letter * 240 for letter in "abcdefgh"]
    message = refused(pack({f"{name}/x.jpg": b"x" for name in names}, tmp_path / kind, kind), "It holds: 'aaa")
    assert "a" * 151 not in message


# Folders.


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    (source / "elsewhere").symlink_to(tmp_path)  # wanted by nobody
    make("intel", source, tmp_path / "first")
    assert not any("secret" in name or "elsewhere" in name for name in tree(tmp_path / "first"))
    (source / GOOD).unlink()
    (source / GOOD).symlink_to(secret)
    refused(source, f"entry '{GOOD}' is a link, which is not followed")


def test_a_linked_folder_is_named(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    (source / "seg_train" / "seg_train" / "sea").rename(tmp_path / "sea")
    (source / "seg_train" / "seg_train" / "sea").symlink_to(tmp_path / "sea")
    shutil.rmtree(source / "seg_test" / "seg_test" / "sea")
    with pytest.raises(UserError, match="'seg_train/seg_train/sea'"):
        make("intel", source, tmp_path / "intel", take_part=False)
    assert "'seg_train/seg_train/sea'" in make("intel", source, tmp_path / "intel")


def test_a_linked_list(tmp_path: Path) -> None:
    source = pack({"test.csv": b"x"}, tmp_path / "source", "folder")
    (source / "train.csv").symlink_to(source / "test.csv")
    refused(source, "entry 'train.csv' is a link", name="sub_imagenet")


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "source", "folder")
    os.mkfifo(source / "seg_train" / "seg_train" / "sea" / "9.jpg")
    refused(source, "9.jpg' is a link, which is not followed, a pipe")
