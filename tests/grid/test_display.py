"""What a terminal shows of a grid: all that matters in the lines that it has."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support.words import broken_words
from wisesr.grid.cell_dirs import check_cells, write_cell
from wisesr.grid.display import Display, describe_progress
from wisesr.grid.live_table import LiveTable
from wisesr.grid.outcome import CellOutcome, Running, RunReason
from wisesr.grid.slots import Slot
from wisesr.results.state import State
from wisesr.results.status_file import Status, write_status


def shown(config: dict[str, Any], running: int, *, height: int, width: int = 100) -> list[str]:
    """The live table's lines, with 30 cells of which some run."""
    cells = check_cells([config | {"seed": seed} for seed in range(30)])
    for cell in cells:
        write_cell(cell)
    outcomes = [CellOutcome(cell, State.RUNNING if index < running else State.WAITING) for index, cell in enumerate(cells)]
    jobs = [Running(index, cells[index], Slot(index), None, 0.0, cells[index].directory) for index in range(running)]  # type: ignore[arg-type]
    for job in jobs:
        pace = {
            "epoch": 1,
            "epochs": 3,
            "step": 4,
            "steps": 12,
            "images_per_second": 50.0,
            "seconds_left": 80.0,
            "seconds": 120.0,
            "val_top1": 0.5,
        }
        write_status(job.run_dir, state=State.TRAINING, **pace)
    output = io.StringIO()
    console = Console(file=output, width=width, height=height, force_terminal=True, color_system=None, highlight=False)
    console.print(LiveTable(len(cells)).render(outcomes, jobs, [], height, width))
    return output.getvalue().splitlines()


@pytest.mark.parametrize(("running", "height", "rows"), [(2, 40, 2), (20, 40, 20), (20, 15, 7), (20, 3, 3), (8, 15, 7)])
def test_it_fits_and_begins_with_the_count(config: dict[str, Any], running: int, height: int, rows: int) -> None:
    lines = shown(config, running, height=height)
    assert sum("training" in line for line in lines) == rows
    assert (f"and {running - rows} more cell{'' if running - rows == 1 else 's'} running" in lines) == (running > rows)
    assert lines[0].startswith(f"30 cells: {running} running, {30 - running} waiting; 0:00 so far, about ")
    assert all(len(line.rstrip()) <= 100 for line in lines)
    assert any("1/3" in line and "50.00" in line and "50" in line and "1:20" in line for line in lines)


@pytest.mark.parametrize("width", [76, 80, 100])
def test_a_narrow_terminal_breaks_no_word(config: dict[str, Any], width: int) -> None:
    config["backbone"]["name"], config["head"]["name"] = "inception_resnet_v2", "wise_dropout"
    wide, narrow = ("\n".join(shown(config, 3, height=40, width=columns)) for columns in (160, width))
    assert broken_words(narrow, wide) == []
    assert narrow.count("training") == narrow.count("1:20") == 3, "state and time left are always there"
    assert max(len(line.rstrip()) for line in narrow.splitlines()) <= width


def test_what_a_cell_does_before_it_trains(config: dict[str, Any]) -> None:
    (cell,) = check_cells([config])
    write_cell(cell)
    job = Running(0, cell, Slot(0), None, 0.0, cell.directory)  # type: ignore[arg-type]
    write_status(job.run_dir, state=State.STARTING, phase="reading data")
    output = io.StringIO()
    console = Console(file=output, width=80, height=20, force_terminal=True, color_system=None, highlight=False)
    console.print(LiveTable(1).render([CellOutcome(cell, State.RUNNING)], [job], [], 20, 80))
    assert output.getvalue().startswith("1 cell: 1 running; 0:00 so far\n")
    assert "reading data" in output.getvalue()


@pytest.mark.parametrize("width", [54, 60])
def test_a_very_narrow_terminal_keeps_state_and_time_left(config: dict[str, Any], width: int) -> None:
    config["backbone"]["name"], config["head"]["name"] = "efficientnet_lite0", "wise"
    lines = shown(config, 2, height=40, width=width)
    text = "\n".join(lines)
    assert text.count("training") == text.count("1:20") == 2
    assert max(len(line.rstrip()) for line in lines) <= width


def test_what_a_cell_makes_for_all_has_a_bar_and_a_countdown(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its countdown is not that of training, which begins anew; a cell that waits for it says so."""
    cells = check_cells([config | {"seed": seed} for seed in range(2)])
    for cell in cells:
        write_cell(cell)
    jobs = [Running(index, cell, Slot(index), None, 0.0, cell.directory) for index, cell in enumerate(cells)]  # type: ignore[arg-type]
    outcomes, table, now = [CellOutcome(cell, State.RUNNING) for cell in cells], LiveTable(2), [1000.0]
    monkeypatch.setattr("wisesr.grid.live_table.time.monotonic", lambda: now[0])

    def lines() -> list[str]:
        output = io.StringIO()
        console = Console(file=output, width=120, height=20, force_terminal=True, color_system=None, highlight=False)
        console.print(table.render(outcomes, jobs, [], 20, 120))
        return output.getvalue().splitlines()

    making = {"phase": "computing maps", "step": 10, "steps": 40, "seconds_left": 75.0}
    write_status(jobs[0].run_dir, state=State.STARTING, **making)
    write_status(jobs[1].run_dir, state=State.STARTING, phase="waits for maps", waits=True)
    first = lines()
    assert any("computing maps" in line and "1:15" in line and "\u2501" in line for line in first)
    assert any("waits for maps" in line and "\u2501" not in line for line in first)
    now[0] += 0.5
    pace = {"epoch": 1, "epochs": 9, "step": 4, "steps": 12, "images_per_second": 5.0, "seconds_left": 600.0, "seconds": 660.0}
    write_status(jobs[0].run_dir, state=State.TRAINING, **pace)
    assert any("training" in line and "10:00" in line for line in lines())


def test_lines_above_the_table_leave_its_colours_alone(config: dict[str, Any]) -> None:
    """What is printed without markup is printed together with the table, which rich draws anew below it."""
    (cell,) = check_cells([config])
    write_cell(cell)
    console = Console(file=io.StringIO(), width=80, height=20, force_terminal=True, color_system=None, highlight=False)
    with Display(console, 1) as display:
        display.update([CellOutcome(cell, State.RUNNING)], [], [])
        display.ended(0, CellOutcome(cell, State.DONE))
    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 cell: 1 running" in output and "[/]" not in output and "val top-1" not in output, "no row, no table"


def test_what_is_over_has_no_time_left(config: dict[str, Any]) -> None:
    (cell,) = check_cells([config])
    write_cell(cell)
    table = LiveTable(1)
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None, highlight=False)
    table._left.show(60.0, 0.0)
    console.print(table.render([CellOutcome(cell, State.DONE)], [], [], 20, 80))
    assert console.file.getvalue() == "1 cell: 1 done; 0:00 so far\n"  # type: ignore[attr-defined]


def test_plain_lines_where_there_is_no_terminal(config: dict[str, Any], tmp_path: Path) -> None:
    (cell,) = check_cells([config])
    write_cell(cell)
    output = io.StringIO()
    display = Display(Console(file=output, width=400, highlight=False), 1)
    running = Running(0, cell, Slot(0), None, 0.0, cell.directory)  # type: ignore[arg-type]
    with display:
        display.started(running, RunReason.TRIED_AGAIN)
        (cell.directory / "metrics.csv").write_text("epoch,step,lr,train/loss,val/loss,val/top1\n1.0,4.0,0.1,1.0,1.0,0.25\n")
        display.update([CellOutcome(cell, State.RUNNING)], [running], [])
        display.ended(0, CellOutcome(cell, State.FAILED, "a reason\nand more", cell.directory))
    assert output.getvalue().splitlines() == [
        f"[1/1] corners-64 toy-wise_dropout seed 0: tried again, {cell.directory}",
        "[1/1] epoch 1/3  val top-1 25.00 %",
        "[1/1] corners-64 toy-wise_dropout seed 0: failed (a reason)",
    ]


def test_what_is_done_before_training() -> None:
    assert describe_progress({"state": State.STARTING, "phase": "first batch"}) == "first batch"
    counted: Status = {"state": State.STARTING, "phase": "computing maps", "step": 400, "steps": 1800, "seconds_left": 38.0}
    assert describe_progress(counted) == "computing maps  400 of 1,800  0:38 left"
