"""The folder that is made: nothing in it is written over, and a link to it stays one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.downloads import files_of, intel_files, make, pack
from wisesr.errors import UserError


def test_what_is_there_is_never_written_to(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    with pytest.raises(UserError, match="mine is there already, and nothing is overwritten: .* cannot be read as intel"):
        make("intel", source, tmp_path / "mine")
    assert files_of(tmp_path / "mine") == {"notes.txt": b"precious"}
    make("intel", source, tmp_path / "part")
    with pytest.raises(UserError, match="part is there already, .* train has 12 images, not 14,034.* dataset.partial=true"):
        make("intel", source, tmp_path / "part")
    with pytest.raises(UserError, match=r"intel\.zip is there already"):
        make("intel", source, source)


def test_an_empty_folder_is_filled_and_a_link_stays_one(tmp_path: Path) -> None:
    source = pack(intel_files(), tmp_path / "intel.zip", "zip")
    (tmp_path / "scratch" / "intel").mkdir(parents=True)
    (tmp_path / "data").symlink_to(tmp_path / "scratch")
    make("intel", source, tmp_path / "data" / "intel")
    assert files_of(tmp_path / "scratch" / "intel") == intel_files() and (tmp_path / "data").is_symlink()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")  # to where there is nothing yet
    make("intel", source, tmp_path / "link")
    assert files_of(tmp_path / "far" / "away") == intel_files() and (tmp_path / "link").is_symlink()
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(UserError, match="round"):
        make("intel", source, tmp_path / "round")


def test_a_folder_that_holds_the_target(tmp_path: Path) -> None:
    """Unpacked right into data/: what is being made there is no part of the source."""
    pack(intel_files(), tmp_path / "data", "folder")
    make("intel", tmp_path / "data", tmp_path / "data" / "intel")
    assert files_of(tmp_path / "data" / "intel") == intel_files()
