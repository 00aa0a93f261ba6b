"""What a user calls a cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from wisesr.errors import UserError
from wisesr.results.find import find_cell


def cell(root: Path, path: str) -> Path:
    (root / path).mkdir(parents=True)
    (root / path / "config.yaml").write_text("seed: 1\n")
    return root / path


def test_a_cell_by_a_part_of_its_path(tmp_path: Path) -> None:
    first = cell(tmp_path, "study/digits-64/toy-wise/seed-1-0123abcd")
    ten = cell(tmp_path, "study/digits-64/toy-wise/seed-10-4567abcd")
    gap = cell(tmp_path, "study/digits-64/toy-gap/seed-1-89abcdef")
    (first / "redo").mkdir()
    (first / "redo" / "config.yaml").write_text("seed: 1\n")
    for name, expected in {
        "0123abcd": first,
        "0123": first,
        "toy-wise/seed-1": first,
        "seed-10": ten,
        "toy-gap": gap,
        "study/digits-64/toy-gap/seed-1-89abcdef": gap,
        str(ten): ten,
    }.items():
        assert find_cell(name, tmp_path) == expected, name
    with pytest.raises(UserError, match="'seed-1' means 2 cells") as error:
        find_cell("seed-1", tmp_path)
    assert str(first) in str(error.value) and str(gap) in str(error.value) and str(ten) not in str(error.value)
    with pytest.raises(UserError, match="part of no cell's path") as error:
        find_cell("resnet", tmp_path)
    assert str(gap) in str(error.value)


def test_a_cell_by_study_backbone_head_and_seed(tmp_path: Path) -> None:
    wise = cell(tmp_path, "one/digits-64/toy-wise/seed-1-0123abcd")
    second = cell(tmp_path, "one/digits-64/toy-wise/seed-2-77777777")
    dropped = cell(tmp_path, "one/digits-64/toy-wise_dropout/seed-1-4567abcd")
    other = cell(tmp_path, "two/digits-64/toy-wise/seed-1-89abcdef")
    for name, expected in {
        "one:toy-wise-1": wise,
        "one:toy-wise-2": second,
        "one:toy-wise-1-0123abcd": wise,
        "one:toy-wise_dropout": dropped,
        "two:toy-wise": other,
    }.items():
        assert find_cell(name, tmp_path) == expected, name
    for name, message in {
        "one:toy-wise": "means 2 cells",
        "one:toy-wise-3": "part of no cell's path",
        "three:toy-wise-1": "part of no cell's path",
    }.items():
        with pytest.raises(UserError, match=message):
            find_cell(name, tmp_path)


def test_a_directory_that_is_no_cell(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="is no cell: a cell is a directory with a config.yaml"):
        find_cell(str(tmp_path / "empty"), tmp_path / "outputs")
    with pytest.raises(UserError, match="no .*outputs to look for it in"):
        find_cell("nothing", tmp_path / "outputs")


def test_a_cell_of_its_own_name_before_longer_ones(tmp_path: Path) -> None:
    wise = cell(tmp_path, "s/digits-64/toy-wise/seed-1-00000001")
    cell(tmp_path, "s/digits-64/toy-wise-long/seed-1-00000002")
    assert find_cell("toy-wise", tmp_path) == wise


def test_two_starts_of_one_head_are_told_apart(tmp_path: Path) -> None:
    """They have one name; other seeds, and settings that came later, say nothing."""
    average = cell(tmp_path, "s/toy-64/toy-wise/seed-1-0000aaaa")
    normal = cell(tmp_path, "s/toy-64/toy-wise/seed-1-0000bbbb")
    other = cell(tmp_path, "s/toy-64/toy-wise/seed-2-0000cccc")
    average.joinpath("config.yaml").write_text("seed: 1\noutput_dir: a\nhead: {name: wise, init: average}\n")
    normal.joinpath("config.yaml").write_text("seed: 1\noutput_dir: b\nhead: {name: wise, init: normal, pre_pool: null}\n")
    other.joinpath("config.yaml").write_text("seed: 2\nhead: {name: wise, init: torch}\n")
    with pytest.raises(UserError, match="'s:toy-wise-1' means 2 cells") as error:
        find_cell("s:toy-wise-1", tmp_path)
    assert f"{average} (head.init=average)" in str(error.value) and f"{normal} (head.init=normal)" in str(error.value)
    with pytest.raises(UserError, match="means 3 cells") as error:
        find_cell("toy-wise", tmp_path)
    assert str(error.value).endswith(str(other))


def test_a_directory_that_holds_one_cell_and_one_that_holds_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a shell completes it: from where one is, with the folder of the outputs, with a slash at the end."""
    root = tmp_path / "outputs"
    first = cell(root, "study/digits-64/toy-wise/seed-1-0123abcd")
    cell(root, "study/digits-64/toy-gap/seed-1-89abcdef")
    monkeypatch.chdir(tmp_path)
    for name in ("outputs/study/digits-64/toy-wise", "./outputs/study/digits-64/toy-wise/", str(first.parent)):
        assert find_cell(name, Path("outputs")).resolve() == first, name
        assert find_cell(name, Path("elsewhere")).resolve() == first, name
    for name in ("outputs/study/", "outputs"):
        with pytest.raises(UserError, match="means 2 cells; give more of the path"):
            find_cell(name, Path("elsewhere"))


@pytest.mark.parametrize("name", ["", " ", "/", "//"])
def test_a_name_of_nothing_is_no_cells_even_of_a_single_one(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    only = cell(tmp_path, "study/digits-64/toy-wise/seed-1-0123abcd")
    monkeypatch.chdir(only)
    with pytest.raises(UserError, match="names no cell: give its directory"):
        find_cell(name, tmp_path)
    assert find_cell(".", tmp_path).resolve() == only


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    cell(tmp_path, "study/digits-64/toy-wise/seed-1-0123abcd")
    for name in ("x" * 5000, "a\0b", "~", "*", "study/**"):
        with pytest.raises(UserError, match="part of no cell's path"):
            find_cell(name, tmp_path)
