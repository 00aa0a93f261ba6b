"""However many cells are damaged, what is told of them fits a screen; `wisesr status` lists all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.studies import cell_config
from tests.test_damage import GRID, as_trained, cut, edit
from wisesr.cli import main
from wisesr.grid.cell_dirs import check_cells
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.grid.results_table import print_summary
from wisesr.results.cell_files import BEST, CONFIG, RESULT
from wisesr.results.left_alone import LeftAlone, left_alone_in_short, left_alone_lines, status_command
from wisesr.results.state import State
from wisesr.wording import folded


def damaged(number: int, what: str) -> LeftAlone:
    place = Path("outputs/study/digits-64/resnet18-wise", f"seed-{number}-0123abcd")
    return LeftAlone(f"seed {number}", place, State.DAMAGED, f"{what}. Way out: `rm -r {place}`; then train it again")


@pytest.mark.parametrize("kinds", [1, 2, 3, 4, 7, 60])
def test_a_screen_at_most(kinds: int) -> None:
    cells = [damaged(number, f"metrics.csv has {number % kinds} of 90 epochs: so much is lost") for number in range(60)]
    lines = left_alone_lines(cells)
    assert sum(folded(line, 80).count("\n") + 1 for line in lines) <= 24
    ways_out = [line for line in lines if "`rm -r " in line]
    assert 1 <= len(ways_out) <= 4
    assert lines[-1] == f"and {60 - len(ways_out)} more: `wisesr status outputs/study/digits-64/resnet18-wise` lists them"
    listed = left_alone_lines(cells, listed=True)
    assert all(sum(f"`rm -r {cell.directory}`" in line for line in listed) == 1 for cell in cells)
    assert len(listed) <= 60 + kinds and "more" not in listed[-1]
    assert len(folded(left_alone_in_short(cells), 80).splitlines()) <= 5


def test_short_words() -> None:
    cells = [
        damaged(number, "best.ckpt is missing: the figures stand" if number % 3 else "config.yaml was edited")
        for number in range(9)
    ]
    assert left_alone_in_short(cells) == (
        "9 cells are left alone: 6 damaged (best.ckpt is missing), 3 damaged (config.yaml was edited)"
    )
    assert left_alone_in_short(cells[:1]) == "seed 0 is left alone: damaged (config.yaml was edited)"
    assert left_alone_lines([]) == []
    apart = [LeftAlone("", Path("a/x"), State.DAMAGED, ""), LeftAlone("", Path("b/x"), State.DAMAGED, "")]
    assert status_command(apart) == "`wisesr status .`"


def test_one_kind_of_way_out_is_told_once() -> None:
    newer = [LeftAlone(f"seed {n}", Path(f"cells/{n}"), State.NEWER, "is newer. Way out: `pip install x`") for n in (1, 2)]
    assert left_alone_lines(newer) == [
        "newer version: 2 cells: is newer. Way out: `pip install x`",
        "  seed 1: cells/1",
        "  seed 2: cells/2",
    ]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nine damaged cells of three kinds, and one that is whole."""
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    for seed in range(10):
        cell = as_trained(tmp_path, seed=seed)
        if seed < 4:
            edit(cell / CONFIG)
        elif seed < 7:
            cut(cell / RESULT)
        elif seed < 9:
            (cell / BEST).unlink()
    return tmp_path


def test_a_grid_tells_of_them_once(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = check_cells([cell_config(study, seed=seed) for seed in range(11)])
    outcomes = CellInspector(GRID).inspect(cells, make_console())
    before = capsys.readouterr().out
    assert "Way out: " not in before and "`rm " not in before
    assert "9 cells are left alone: 4 damaged (config.yaml was edited), 3 damaged (result.json is no JSON), 2 damaged" in before
    assert before.count("left alone") == 1 and "does not redo" not in before
    print_summary(make_console(), outcomes)
    after = capsys.readouterr().out
    assert after.count("`rm ") == 3 and "and 6 more: `wisesr status " in after
    CellInspector(GRID | {"plan": True}).inspect(cells, make_console())
    planned = capsys.readouterr().out
    assert planned.count("`rm ") == 3 and "left alone" not in planned, "no table follows"


def test_force_does_not_redo_them_and_says_so(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = check_cells([cell_config(study, seed=seed) for seed in range(11)])
    outcomes = CellInspector(GRID | {"force": True}).inspect(cells, make_console())
    assert [outcome.state for outcome in outcomes] == [State.DAMAGED] * 7 + [State.WAITING] * 4
    assert "7 cells are left alone" in (out := capsys.readouterr().out)
    assert out.count("grid.force=true does not redo damaged cells: ") == 1
    CellInspector(GRID | {"force": True}).inspect(cells[7:], make_console())
    assert "does not redo" not in capsys.readouterr().out


@pytest.mark.parametrize("command", [("clean", "--dry-run"), ("sync", "--dry-run")])
def test_other_commands(study: Path, command: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    main([command[0], str(study), command[1]])
    out = capsys.readouterr().out
    assert 1 <= out.count("`rm ") <= 4 and " more: `wisesr status " in out
    main(["status", str(study)])
    assert capsys.readouterr().out.count("`rm ") == 9
    main(["status", str(study), "--table"])
    assert capsys.readouterr().out.count("`rm ") == 9
