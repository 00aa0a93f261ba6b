"""Bytes on the disk against `du`, which counts them too."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from wisesr.space.disk import files_below, freed, taken


def test_bytes_are_those_of_du(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    for number, place in enumerate((tmp_path, tmp_path / "deep", tmp_path / "deep" / "deeper"), start=1):
        (place / "file").write_bytes(b"x" * 5000 * number)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10_000_000)
    os.link(tmp_path / "file", tmp_path / "deep" / "again")
    (tmp_path / "link").symlink_to("/usr")
    folders = sum(path.stat().st_blocks * 512 for path in [tmp_path, *tmp_path.glob("**/")] if path.is_dir())
    folders -= tmp_path.stat().st_blocks * 512  # which glob names too
    du = int(subprocess.run(["du", "-s", "-B1", str(tmp_path)], capture_output=True, text=True, check=True).stdout.split()[0])
    assert taken(files_below(tmp_path)) == du - folders


def test_a_file_is_freed_with_its_last_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 4096)
    os.link(tmp_path / "a", tmp_path / "b")
    one, both = list(files_below(tmp_path / "a")), list(files_below(tmp_path))
    assert freed(one) == freed([*one, *one]) == 0
    assert freed(both) == taken(both) == taken(one) > 0
    assert list(files_below(tmp_path / "nowhere")) == []
