"""Where a dataset's folder cannot be made: told at once, before the source is looked at."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from tests.data.prepare.downloads import files_of, intel_files, make, pack, unfinished
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
