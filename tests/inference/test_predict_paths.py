"""From files, folders, patterns and lists to pictures: against glob, against natural order, and what finds nothing."""

from __future__ import annotations

import glob
import io
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wisesr.inference.prediction import folders, paths
from wisesr.inference.prediction.folders import natural_text
from wisesr.inference.prediction.paths import Found, Skipped, find_pictures, read_list
from wisesr.wording import natural_key

NAMES = st.text(st.characters(exclude_characters="\0/"), max_size=12) | st.text("a01290 ", max_size=8)


@given(st.lists(NAMES, max_size=8))
def test_the_compact_key_sorts_as_the_natural_one(names: list[str]) -> None:
    assert sorted(sorted(names), key=natural_text) == sorted(names, key=natural_key)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        *("2.jpg", "10.jpg", "1.png", "notes.txt", "raw.dat", "none", ".hidden.jpg", "Thumbs.db", "B.JPG"),
        *("b2/x.jpg", "b10/x.jpg", "b10/deep/y.jpg", "b10/deep/er/y2.jpg", "x.jpg/in.jpg"),
        *(".git/x.jpg", "__MACOSX/._2.jpg", "@eaDir/2.jpg"),
    ):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def found(*paths: str, listed: Sequence[str] = ()) -> list[str]:
    pictures = list(find_pictures(paths, Skipped(), listed))
    assert not any(picture.problem for picture in pictures)
    return [picture.path for picture in pictures]


def test_a_folder_in_natural_order_without_what_systems_leave(photos: Path) -> None:
    skipped = Skipped()
    names = [picture.path for picture in find_pictures(["photos/"], skipped)]
    below = "1.png 2.jpg 10.jpg B.JPG b2/x.jpg b10/deep/er/y2.jpg b10/deep/y.jpg b10/x.jpg x.jpg/in.jpg"
    assert names == [f"photos/{name}" for name in below.split()]
    assert skipped.kinds == {".txt": 1, ".dat": 1, "": 1}


def test_paths_keep_the_order_in_which_they_are_given_and_files_are_tried_whatever_their_ending(photos: Path) -> None:
    given = ["photos/none", "photos/b10/deep", "photos/10.jpg", "photos/10.jpg", "photos/raw.dat", "gone.jpg"]
    assert found(*given) == [given[0], "photos/b10/deep/er/y2.jpg", "photos/b10/deep/y.jpg", *given[2:]]


@pytest.mark.parametrize(
    "pattern",
    [
        *("photos/*.jpg", "photos/?.jpg", "photos/[0-9]*.jpg", "photos/**/*.jpg", "photos/**/y*.jpg", "photos/b*/x.jpg"),
        *("**/*.dat", "photos/**/deep/**/*.jpg", "*/b10/**/y2.jpg", "photos/*/deep/*", "photos/**/x.jpg/*", "ph*/1.png"),
    ],
)
@pytest.mark.parametrize("absolute", [False, True])
def test_patterns_mean_the_files_that_glob_finds(photos: Path, pattern: str, absolute: bool) -> None:
    pattern = f"{photos.parent}/{pattern}" if absolute else pattern
    matches = [path for path in glob.glob(pattern, recursive=True) if "@eaDir" not in path]  # noqa: PTH207 (the truth here)
    files = [path for path in matches if Path(path).is_file()]
    behind = [str(path) for top in matches for path in Path(top).rglob("*.jpg")]
    assert files
    mine = found(pattern)
    assert sorted(mine) == sorted({*files, *behind})
    assert mine == sorted(mine, key=lambda path: [natural_key(part) for part in path.split("/")])


def test_a_pattern_skips_what_is_no_image_unless_it_names_the_ending(photos: Path) -> None:
    skipped = Skipped()
    assert [one.path for one in find_pictures(["photos/[nr]*", "photos/r*.dat"], skipped)][-1:] == ["photos/raw.dat"]
    assert skipped.kinds == {".txt": 1, ".dat": 1, "": 1}


def test_a_file_that_is_called_like_a_pattern(photos: Path) -> None:
    (photos / "a[1]*.jpg").touch()
    (photos / "a1.jpg").touch()
    assert found("photos/a[1]*.jpg") == ["photos/a[1]*.jpg"]


def test_what_finds_nothing_is_said_and_the_rest_goes_on(photos: Path) -> None:
    (photos / "empty.jpg").mkdir()
    pictures = list(find_pictures(["nowhere/*.jpg", "photos/empty.jpg", "photos/2.jpg", "photos/2.jpg/*"], Skipped()))
    assert pictures == [
        Found("nowhere/*.jpg", "nothing matches this pattern"),
        Found("photos/empty.jpg", "no images in this folder"),
        Found("photos/2.jpg"),
        Found("photos/2.jpg/*", "nothing matches this pattern"),
    ]


def test_links_are_followed_and_each_folder_is_read_once(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.jpg").touch()
    for link, target in (("0loop", ".."), ("a1", "../outside"), ("a2", "../outside"), ("0b", "b10")):
        (photos / link).symlink_to(target)
    (photos / "0round").symlink_to("0round")
    (photos / "0file.jpg").symlink_to("2.jpg")
    (photos / "0gone.jpg").symlink_to("nowhere")
    names = found("photos")
    assert names[:3] == ["photos/0file.jpg", "photos/0gone.jpg", "photos/1.png"]
    assert len(names) == len(set(names)) == 9 + 3
    assert "photos/b10/x.jpg" in names, "the folder itself, and not the link to it"
    assert "photos/0loop/outside/o.jpg" in names


def test_a_folder_that_cannot_be_looked_into(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def closed(place: str) -> object:
        if str(place).endswith("b10"):
            raise PermissionError(13, "Permission denied")
        return real(place)

    monkeypatch.setattr(folders.os, "scandir", closed)
    pictures = list(find_pictures(["photos"], Skipped()))
    assert Found("photos/b10", "this folder cannot be read: Permission denied") in pictures
    assert len(pictures) == 9 - 3 + 1


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (b"", []),
        (b"a.jpg\n\nb c.jpg\n", ["a.jpg", "b c.jpg"]),
        (b"\xef\xbb\xbfa.jpg\r\nb.jpg\r\nc", ["a.jpg", "b.jpg", "c"]),
        (b"\n \xff.jpg \n", [" \udcff.jpg "]),
    ],
)
def test_a_list_of_lines(text: bytes, paths: list[str]) -> None:
    assert list(read_list(io.BytesIO(text))) == paths


@pytest.mark.parametrize("block", [1, 3, 1 << 16])
def test_a_list_divided_by_nul_has_any_name(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_BLOCK", block)
    names = ["a\nb.jpg", "\udcff\r", "c"]
    text = b"\0".join(os.fsencode(name) for name in names)
    assert list(read_list(io.BytesIO(text), b"\0")) == list(read_list(io.BytesIO(text + b"\0"), b"\0")) == names


def test_a_list_stands_where_its_sign_stands_and_names_folders_too(photos: Path) -> None:
    given = found("photos/2.jpg", "-", "photos/1.png", listed=["photos/b2", "*.jpg"])
    assert given == ["photos/2.jpg", "photos/b2/x.jpg", "*.jpg", "photos/1.png"]


def test_a_list_without_end_is_read_as_far_as_it_is_used() -> None:
    def endless() -> Iterator[str]:
        yield from map(str, itertools.count())

    pictures = find_pictures(["-"], Skipped(), endless())
    assert [picture.path for picture in itertools.islice(pictures, 3)] == ["0", "1", "2"]
