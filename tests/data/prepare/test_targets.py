"""Where a dataset's folder cannot be made: told at once, before the source is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.prepare.downloads import files_of, intel_files, make, pack, unfinished
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
