"""A walk over folders as people have them: links, loops, what systems leave, changes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wisesr.data.tree import left_by_systems, scan


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
    assert tree.folders["a"].loops == ["up"] and tree.folders["b/x"].loops == ["around"]
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


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def without_rights() -> Iterator[None]:
    """As another user, where this one may read everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_kept_with_the_reason() -> None:
    """A closed folder, one whose names alone may be read, and a link into one, which is no link to nothing."""
    with open_folder() as root:
        write(root, "a/1.png", "b/1.png", "c/1.png", "d/e/1.png")
        (root / "a" / "2.png").symlink_to(root / "b" / "1.png")
        (root / "b").chmod(0)
        (root / "c").chmod(0o444)
        with without_rights():
            tree = scan(root)
        for name in "bc":
            (root / name).chmod(0o755)
    assert list(tree.files()) == ["a/1.png", "d/e/1.png"] and not tree.dangling()
    assert list(tree.unreadable()) == ["b", "c", "a/2.png"]
    assert all("Permission denied" in why for why in tree.unreadable().values())


def test_a_root_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(place: str) -> None:
        raise PermissionError(13, "Permission denied", place)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(PermissionError):
        scan(tmp_path)


@pytest.mark.parametrize("count", [6, 9])
def test_folders_that_link_to_each_other_are_walked_in_bounded_time(tmp_path: Path, count: int) -> None:
    """K! ways lead through them; what is seen of each from each is seen, and what is not followed is said."""
    for one in range(count):
        write(tmp_path, f"k{one}/{one}.png")
        for other in range(count):
            if one != other:
                (tmp_path / f"k{one}" / f"to{other}").symlink_to(f"../k{other}")
    tree = scan(tmp_path)
    assert len(tree.folders) <= 1 + count + 4 * count * (count - 1)
    for one in range(count):
        assert {name.rpartition("/")[2] for name in tree.files(f"k{one}")} == {f"{other}.png" for other in range(count)}
    assert any(folder.too_often for folder in tree.folders.values())


def test_two_links_to_a_folder_of_links_are_both_seen(tmp_path: Path) -> None:
    """As versions and splits are made of one pool."""
    root, pool, version = (tmp_path / name for name in ("root", "pool", "version"))
    write(pool, "cat/1.png", "dog/1.png")
    version.mkdir()
    root.mkdir()
    for name in ("cat", "dog"):
        (version / name).symlink_to(pool / name)
    for name in ("train", "val", "test"):
        (root / name).symlink_to(version)
    tree = scan(root)
    assert list(tree.files()) == [f"{split}/{name}/1.png" for split in ("test", "train", "val") for name in ("cat", "dog")]


def test_words_that_systems_use_are_the_users_where_they_hold_files(tmp_path: Path) -> None:
    write(tmp_path, "recycler/1.png", "paper/1.png")
    (tmp_path / "Network Trash Folder" / "empty").mkdir(parents=True)
    assert scan(tmp_path).folders[""].folders == ["paper", "recycler"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("extra", "extra"),
        ("./extra/", "extra"),
        ("train\\cow", "train/cow"),
        ("train//cow/.", "train/cow"),
        ("ROOT/train/cow", "train/cow"),
        ("../root/extra", "extra"),
        (".", ""),
        ("Mu\u0308ll", "M\u00fcll"),
        ("train/gone", "train/gone"),
        ("a\\b", "a\\b"),
        ("Extra", None),
        ("", None),
        ("..", None),
        ("../root2", None),
        ("extra/x", None),
    ],
)
def test_what_a_user_names_is_found(tmp_path: Path, name: str, path: str | None) -> None:
    root = write(tmp_path / "root", "extra/1.png", "train/cow/1.png", "M\u00fcll/1.png", "a\\b/1.png")
    (root / "train" / "gone").symlink_to("/nowhere")
    (tmp_path / "root2").mkdir()
    assert scan(root).find(name.replace("ROOT", str(root))) == path


def test_a_tree_without_some_of_it(tmp_path: Path) -> None:
    write(tmp_path, "a/1.png", "a/2.png", "ab/1.png", "b/c/1.png", "b/2.png")
    (tmp_path / "b" / "x").symlink_to("/nowhere")
    tree = scan(tmp_path)
    less = tree.without(["a", "b/c", "b/x", "b/2.png"])
    assert list(less.files()) == ["ab/1.png"] and not less.dangling() and less.folders["b"].folders == []
    assert list(tree.files()) == ["a/1.png", "a/2.png", "ab/1.png", "b/2.png", "b/c/1.png"] and tree.dangling()
    assert set(less.states) == {"ab/1.png"}


@pytest.mark.parametrize(
    "path", ["__MACOSX/a/1.jpg", "a/@eaDir/1.jpg/x.jpg", "a/THUMBS.DB", "a/.hidden/1.jpg", "lost+found/1.jpg"]
)
def test_an_entry_of_an_archive_that_systems_left(path: str) -> None:
    assert left_by_systems(path)


@pytest.mark.parametrize("path", ["a/1.jpg", "thumbs/1.jpg", "a/desktop.ini.jpg", "lost/found/1.jpg"])
def test_an_entry_of_an_archive_that_is_the_users(path: str) -> None:
    assert not left_by_systems(path)
