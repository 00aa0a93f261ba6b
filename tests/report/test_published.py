"""published.csv as users fill it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.errors import UserError
from wisesr.report.published import PUBLISHED, read_published
from wisesr.report.read import read_study

HEAD = "dataset,resolution,backbone,head,top1,table\n"


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "published.csv"
    path.write_text(text)
    return path


def test_the_packages_own_states_no_figure() -> None:
    assert read_published(PUBLISHED) == {}


def test_figures_are_read_and_empty_ones_left_out(tmp_path: Path) -> None:
    path = _file(tmp_path, HEAD + "intel,224,densenet169,gap,91.5,3\nintel,224,densenet169,wise,,3\nintel , 224, x ,wise,93,\n")
    assert read_published(path) == {("intel", 224, "densenet169", "gap"): 91.5, ("intel", 224, "x", "wise"): 93.0}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("intel,224,densenet169,gap,ninety,3", r"line 3: top1 .* 'ninety'"),
        ("intel,224,densenet169,gap,193,3", r"line 3: .*0 to 100.*'193'"),
        ("intel,224,densenet169,gap,nan,3", r"line 3: .*'nan'"),
        ("intel,224,densenet169,gap,0.915,3", r"line 3: .*percentage.*'0\.915'"),
        ("intel,big,densenet169,gap,91,3", r"line 3: resolution .* 'big'"),
        ("intel,224,densenet169,wise,91,3", r"line 3: .*intel 224 densenet169 wise.* twice"),
        ("intel", r""),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = _file(tmp_path, HEAD + "intel,224,densenet169,wise,91,3\n" + line + "\n")
    if not said:
        assert len(read_published(path)) == 1  # no figure, no matter
        return
    with pytest.raises(UserError, match=said):
        read_published(path)


def test_what_is_no_such_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column top1"):
        read_published(_file(tmp_path, "dataset,resolution,backbone,head\n"))
    with pytest.raises(UserError, match="cannot be read"):
        read_published(tmp_path / "absent.csv")
    (tmp_path / "latin.csv").write_bytes(HEAD.encode() + b"caf\xe9,1,a,b,50,\n")
    with pytest.raises(UserError, match=r"latin\.csv is no CSV"):
        read_published(tmp_path / "latin.csv")


def test_figures_of_nothing_here_are_told_with_the_nearest(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path / "outputs", dataset="pets", size=64, head="wise"))
    path = _file(tmp_path, HEAD + "pets,64,resnet18,wise,91,\npets,64,resnet18,wize,92,\n")
    study = read_study([tmp_path / "outputs"], published=path)
    assert study.notes == (f"{path}: pets 64 resnet18 wize is no cell of this report; the nearest is pets 64 resnet18 wise.",)
