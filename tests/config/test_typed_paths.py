"""Paths as they are typed, on a disk that has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wisesr.config.typed_paths import at_home, existing, existing_parts, is_folder, is_new_beside_others, is_there
from wisesr.errors import UserError

HERE = [""]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home" / "img").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_home(folder: Path) -> None:
    assert existing("~/img", HERE) == at_home("~/img") == str(folder / "home" / "img")
    assert existing("~/nothing", HERE) is None
    assert existing("~no-such-user/img", HERE) is None
    (folder / "~no-such-user" / "img").mkdir(parents=True)
    assert existing("~no-such-user/img", HERE) == str(folder / "~no-such-user" / "img"), "Python would look for a home"
    with pytest.raises(UserError, match="no home folder of '~no-such-user'"):
        at_home("~no-such-user/x")


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("a,b", ["a", "b"]),
        ("a, b", ["a", "b"]),
        ("p,q,a", ["p,q", "a"]),
        ("a,p,q", ["a", "p,q"]),
        ("p,q", ["p,q"]),
        ("p,a", []),
        ("a,c", []),
        ("", []),
        ("a,", []),
        (" x,a", [" x", "a"]),
    ],
)
def test_commas(typed: str, parts: list[str], folder: Path) -> None:
    for name in ("a", "b", "p,q", " x", "x"):
        (folder / name).mkdir()
    assert existing_parts(typed, HERE) == parts


def test_the_longest_name_comes_first(folder: Path) -> None:
    for name in ("a", "b", "a,b"):
        (folder / name).mkdir()
    assert existing_parts("a,b,a", HERE) == ["a,b", "a"]


def test_below_another_folder(folder: Path) -> None:
    (folder / "home" / "list.csv").touch()
    assert existing("list.csv", HERE) is None
    assert existing("list.csv", ["", "home"]) == "list.csv"


def test_new_ones(folder: Path) -> None:
    assert is_new_beside_others("home/new,er", HERE) and is_new_beside_others("/new", HERE)
    assert not is_new_beside_others("new,er", HERE) and not is_new_beside_others("no/new", HERE)
    assert not is_new_beside_others("home/", HERE)


def test_what_may_be_no_path_at_all() -> None:
    for name in ("a" * 5000, "a\0b"):
        assert not is_there(name) and not is_folder(name)
