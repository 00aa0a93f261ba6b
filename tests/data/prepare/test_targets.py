"""Where a dataset's folder cannot be made: told at once, before the source is looked at."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.downloads import files_of, intel_files, make, pack, unfinished
from wisesr.data.prepare.run import prepare
from wisesr.errors import UserError


@pytest.mark.parametrize("name", ["intel.partial", "intel.partial.lock", "Intel.PARTIAL"])
def test_names_of_unfinished_folders(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=rf"--to: .*{name} ends in \.partial or \.partial\.lock"):
        make("intel", tmp_path / "source.zip", tmp_path / name)


def test_killed_between_its_name_and_the_end(tmp_path: Path) -> None:
    """The folder is whole and says that it is not: the mark goes, and only if it is this folder's."""
    target = tmp_path / "intel"
    for mark, left in ((unfinished(target), False), (unfinished(tmp_path / "other"), True)):
        pack(intel_files() | mark, target, "folder")
        with pytest.raises(UserError, match="is there already"):  # as a part
            make("intel", tmp_path / "source.zip", target)
        assert (target / ".wisesr.unfinished").exists() == left
        assert files_of(target) == intel_files()


@pytest.mark.parametrize(
    ("to", "words"),
    [("/", "--to: / is where a disk is mounted: name a folder in it"), ("", "--to names no folder"), (" ", "--to names no")],
)
def test_no_name(tmp_path: Path, to: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        prepare("intel", str(tmp_path / "none"), to=to, take_part=True, console=Console(file=io.StringIO()))


def test_a_disk_is_mounted_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    with pytest.raises(UserError, match="disk is where a disk is mounted: name a folder in it"):
        make("intel", tmp_path / "none", tmp_path / "disk")


def test_a_source_without_a_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--from names nothing"):
        make("intel", "", tmp_path / "intel")


def test_a_list_in_the_target_that_is_no_text(tmp_path: Path) -> None:
    pack({"TrainImages.txt": b"caf\xe9/x.jpg\n", "indoorCVPR_09/Images/a/b.jpg": b""}, tmp_path / "mit", "folder")
    with pytest.raises(UserError, match=r"mit is there already, .* cannot be read as mit_indoor: .*TrainImages\.txt"):
        make("mit_indoor", tmp_path / "none", tmp_path / "mit")


@pytest.mark.parametrize("name", ["x" * 243, "\u00e9" * 122, "y" * 300 + "/x", "/".join(["x" * 200] * 16)])
def test_too_long(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="is too long: at most 242 bytes for its name"):
        make("intel", tmp_path / "none", tmp_path / name)


def test_the_longest_name(tmp_path: Path) -> None:
    make("intel", pack(intel_files(), tmp_path / "x.zip", "zip"), tmp_path / ("x" * 242))
    assert files_of(tmp_path / ("x" * 242)) == intel_files()


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("file/intel", "file/a/b/intel"):
        with pytest.raises(UserError, match=r"intel cannot be made, as .*file is no folder"):
            make("intel", tmp_path / "none", tmp_path / name)


def test_a_place_that_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    with pytest.raises(UserError, match="intel cannot be made, as .* may not be written to"):
        make("intel", tmp_path / "none", tmp_path / "a" / "intel")


def test_parents_of_a_target_that_is_refused_go_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack(intel_files(), tmp_path / "x.zip", "zip")
    (tmp_path / "here").mkdir()
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result((4096, 4096, 9, 9, 9, 0, 0, 0, 0, 255)))
    with pytest.raises(UserError, match="make room"):
        make("intel", source, tmp_path / "here" / "a" / "b" / "intel")
    assert not list((tmp_path / "here").iterdir())


def test_too_few_inodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """18 files and 17 folders; without a limit there is no number."""
    source = pack(intel_files(), tmp_path / "x.zip", "zip")
    for free, files in ((34, 1000), (35, 1000), (0, 0)):
        room = os.statvfs_result((4096, 4096, 9**9, 9**9, 9**9, files, free, free, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda path, room=room: room)
        if free == 34:
            with pytest.raises(
                UserError, match=r"takes 35 more files and folders, and the disk of .* has room for 34 \(inodes\)"
            ):
                make("intel", source, tmp_path / "intel")
        else:
            make("intel", source, tmp_path / f"intel{free}")


@pytest.mark.parametrize("kind", ["link", "folder", "pipe", "notes"])
def test_what_is_no_lock_stays(tmp_path: Path, kind: str) -> None:
    lock = tmp_path / "intel.partial.lock"
    if kind == "link":
        (tmp_path / "elsewhere").touch()
        lock.symlink_to(tmp_path / "elsewhere")
    elif kind == "folder":
        lock.mkdir()
    elif kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.write_text("mine")
    with pytest.raises(UserError, match=r"intel\.partial\.lock is in the way, and is no lock of this command"):
        make("intel", tmp_path / "none", tmp_path / "intel")
    assert os.path.lexists(lock)
