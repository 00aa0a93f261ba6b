"""A walk over folders as people have them: links, loops, what systems leave, changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wisesr.data.tree import scan


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def test_files_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    """As Python sorts paths, part by part; splits that were drawn before depend on it."""
    names = ["b/2.png", "b/10.png", "b/1/z.png", "b/1.png", "b/1-2/a.png", "B/x", "a.b/c", "a/b/c/d.png", "z.png", "a-b/c"]
    write(tmp_path, *names)
    assert [Path(name) for name in scan(tmp_path).files()] == sorted(Path(name) for name in names)
    assert list(scan(tmp_path).files("b")) == ["b/1/z.png", "b/1-2/a.png", "b/1.png", "b/10.png", "b/2.png"]


@pytest.mark.parametrize(
    "name",
    [
        "__MACOSX/a/._1.jpg",
        "a/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
        "lost+found/x.jpg",
        "$RECYCLE.BIN/x.jpg",
        "#recycle/1.jpg",
        "a/@Recycle/1.jpg",
        "System Volume Information/x",
        "a/Thumbs.db",
        "a/desktop.ini",
        "a/.DS_Store",
        ".git/1.jpg",
        "a/__pycache__/x.pyc",
        "LOST.DIR/1.jpg",
    ],
)
def test_what_systems_leave_is_not_the_users(tmp_path: Path, name: str) -> None:
    write(tmp_path, "a/1.jpg", name)
    assert list(scan(tmp_path).files()) == ["a/1.jpg"]


def test_linked_folders_are_followed_once(tmp_path: Path) -> None:
    """A link to a folder elsewhere is the folder; one to a folder above it is none, however long the way around."""
    elsewhere = write(tmp_path / "elsewhere", "x/1.png", "2.png")
    root = write(tmp_path / "root", "a/3.png")
    (root / "b").symlink_to(elsewhere)
    (root / "a" / "up").symlink_to(root)
    (elsewhere / "x" / "around").symlink_to(elsewhere)
    (root / "a" / "4.png").symlink_to(elsewhere / "2.png")
    tree = scan(root)
    assert list(tree.files()) == ["a/3.png", "a/4.png", "b/2.png", "b/x/1.png"]
    assert tree.folders["a"].special == ["up"] and tree.folders["b/x"].special == ["around"]
    assert tree.states["a/4.png"][0] == (elsewhere / "2.png").stat().st_size


def test_links_to_nothing_are_kept_apart(tmp_path: Path) -> None:
    root = write(tmp_path, "a/1.png")
    (root / "a" / "2.png").symlink_to("../.git/annex/objects/2.png")
    (root / "b").mkdir()
    (root / "b" / "itself.png").symlink_to("itself.png")
    tree = scan(root)
    assert list(tree.files()) == ["a/1.png"]
    assert tree.dangling() == {"a/2.png": "../.git/annex/objects/2.png", "b/itself.png": "itself.png"}
    assert list(tree.dangling("b")) == ["b/itself.png"]


def test_pipes_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, "a/1.png")
    os.mkfifo(tmp_path / "a" / "2.png")
    assert list(scan(tmp_path).files()) == ["a/1.png"] and scan(tmp_path).folders["a"].special == ["2.png"]


def test_a_stamp_changes_with_every_name_size_and_time(tmp_path: Path) -> None:
    write(tmp_path, "a/1.png", "b/2.png", "b/c/3.png")
    stamps = [scan(tmp_path).stamp()]
    assert scan(tmp_path).stamp() == stamps[0]

    def changed() -> None:
        stamps.append(scan(tmp_path).stamp())

    (tmp_path / "b" / "2.png").rename(tmp_path / "b" / "4.png")
    changed()
    os.utime(tmp_path / "a" / "1.png", ns=(0, 1))
    changed()
    (tmp_path / "a" / "1.png").write_text("longer than before")
    os.utime(tmp_path / "a" / "1.png", ns=(0, 1))
    changed()
    (tmp_path / "b" / "c" / "3.png").rename(tmp_path / "a" / "3.png")
    changed()
    (tmp_path / "b" / "c").rmdir()
    changed()
    (tmp_path / "a" / "5.png").symlink_to("nowhere")
    changed()
    assert len(set(stamps)) == len(stamps)


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "a/1.png", "b/1.png")
    (tmp_path / "b").chmod(0)
    try:
        if os.access(tmp_path / "b", os.R_OK):
            pytest.skip("this user may read everything")
        with pytest.raises(PermissionError):
            scan(tmp_path)
    finally:
        (tmp_path / "b").chmod(0o755)
