"""What `wisesr status` prints of cells in every state."""

from __future__ import annotations

import copy
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.support.records import finish as write_record_file
from tests.support.records import record_of
from wisesr.cli import main
from wisesr.config.files import load_cell, to_yaml
from wisesr.grid.cell_dirs import Cell, check_cells, write_cell
from wisesr.results.cell_files import RESULT
from wisesr.results.lock import locked
from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.results.store import find_cells
from wisesr.status.cells import read_cell_statuses
from wisesr.status.matrix import matrices


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the tests run in, lines are plain and wide."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def made(config: dict[str, Any], *, head: str = "gap", backbone: str = "toy", seed: int = 0, study: str = "tests") -> Cell:
    changed = copy.deepcopy(config) | {"seed": seed, "study": study}
    changed["head"]["name"], changed["backbone"]["name"] = head, backbone
    (cell,) = check_cells([changed])
    write_cell(cell)
    return cell


def finish(cell: Cell, top1: float) -> None:
    """As a cell that trained for a minute."""
    write_record_file(cell.directory, cell.config, top1=top1, seconds=60.0)
    write_status(cell.directory, state=State.DONE)


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["status", *arguments]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_cells_in_every_state(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    finish(made(config, head="gap"), 0.75)
    running = made(config, head="wise")
    write_status(
        running.directory, state=State.TRAINING, epoch=1, epochs=3, seconds_left=40.0, images_per_second=47.2, val_top1=0.953
    )
    failed = made(config, head="lse")
    (failed.directory / "log.txt").write_text("\n".join(f"line {number}" for number in range(9)))
    write_status(failed.directory, state=State.FAILED, reason="OSError: the disk is full [28]", told=False)
    stopped = made(config, head="max")
    write_status(stopped.directory, state=State.TRAINING, epoch=2, epochs=3)  # killed: nobody holds its lock
    made(config, head="gap", backbone="toy2")
    with locked(running.directory):
        lines = show(capsys, config["output_dir"])
    # 40 s of the one that runs, a third of 60 s for the interrupted one, 60 s for the one that waits; beside training 10 s of
    # each that is begun, and a quarter of it after training
    assert lines[0] == "5 cells: 1 done, 1 running, 1 waiting, 1 interrupted, 1 failed; about 2:22 left"
    assert "tests: corners-64" in lines
    (header,) = [line.split() for line in lines if line.split() == ["gap", "wise", "max", "lse"]]
    (row,) = [re.split(r" {2,}", line) for line in lines if line.startswith("toy ")]
    assert dict(zip(header, row[1:], strict=True)) == {
        "gap": "75.00",
        "lse": "failed",
        "max": "interrupted",
        "wise": "epoch 1/3",
    }
    assert ["toy2", "waiting"] in [line.split() for line in lines]
    assert "corners-64 toy-wise seed 0: epoch 1/3  val top-1 95.30 %  47 images/s  0:40 left" in lines
    start = lines.index("Failed: OSError: the disk is full [28]")
    assert lines[start + 1 : start + 3] == ["corners-64 toy-lse seed 0", str(failed.directory)]
    assert lines[start + 4 : start + 8] == [f"| line {number}" for number in (5, 6, 7, 8)]
    assert any("grid.retry=failed" in line and "rm -r" in line for line in lines)
    assert lines[-1] == "Interrupted: the same command goes on with them."
    lines = show(capsys, config["output_dir"])
    assert lines[0].startswith("5 cells: 1 done, 1 waiting, 2 interrupted, 1 failed; about 2:30 left once it runs")
    assert lines[-1] == "Interrupted and waiting: the same command goes on with them."


def test_several_seeds_have_mean_and_deviation(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    for seed, top1 in enumerate((0.5, 0.25, 0.75)):
        finish(made(config, head="gap", seed=seed), top1)
        cell = made(config, head="wise", seed=seed)
        if seed < 2:
            finish(cell, top1)
        made(config, head="max", seed=seed)
    write_status(cell.directory, state=State.FAILED, reason="no", told=True)
    lines = show(capsys, config["output_dir"])
    (at,) = (number for number, line in enumerate(lines) if line.startswith("toy "))
    assert lines[at - 2].split() == ["gap", "wise", "max"]
    # by hand: the deviation of 25, 50, 75 is 25, that of 25, 50 is 25 / sqrt(2)
    assert lines[at].split() == ["toy", "50.00", "±", "25.00", "(3)", "37.50", "±", "17.68", "(2", "of", "3)", "3", "waiting"]
    assert lines[at + 1] == "1 failed"
    assert lines[0].startswith("9 cells: 5 done, 3 waiting, 1 failed; ")


def test_settings_are_rows_and_studies_tables(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    finish(made(config), 0.125)
    other = copy.deepcopy(config)
    other["head"]["dropout"] = 0.5
    finish(made(other), 0.25)
    finish(made(config, study="later"), 0.375)
    lines = show(capsys, config["output_dir"])
    assert [lines[lines.index(f"{study}: corners-64") + 4].split()[-1] for study in ("later", "tests")] == ["37.50", "12.50"]
    assert lines[lines.index("head.dropout=0.25") - 1].endswith("12.50")
    assert lines[lines.index("head.dropout=0.5") - 1].endswith("25.00")
    assert "later: corners-64" not in show(capsys, str(Path(config["output_dir"], "tests")))


def test_a_cell_that_is_being_redone(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    cell = made(config)
    finish(cell, 0.5)
    redo = cell.directory / "redo"
    redo.mkdir()
    (redo / "config.yaml").write_text(to_yaml(cell.config))
    write_status(redo, state=State.TRAINING, epoch=1, epochs=3, seconds_left=30.0)
    assert find_cells(Path(config["output_dir"])) == [cell.directory] == find_cells(cell.directory)
    for holder in (cell.directory, redo):
        with locked(holder):
            lines = show(capsys, config["output_dir"])
        assert lines[0] == "1 cell: 1 done, 1 of them with a redo; about 0:32 left"
        assert [lines[next(at for at, line in enumerate(lines) if line.split() == ["toy", "50.00"]) + 1]] == ["redo: epoch 1/3"]
        assert "corners-64 toy-gap seed 0, redo: epoch 1/3  0:30 left" in lines
    write_status(redo, state=State.FAILED, reason="out of memory", told=True)
    lines = show(capsys, config["output_dir"], "--table")
    assert any(line.endswith("done, redo: failed") for line in lines)
    assert "Failed: out of memory" in lines and str(redo) in lines


def test_damaged_cells_are_counted_and_named(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    finish(made(config, seed=0), 0.5)
    odd = {7: to_yaml(config | {"seed": {}}), 8: to_yaml(config | {"trainer": 2})}
    damages = {1: "seed: [", 2: "- 1\n", 3: to_yaml({"seed": 3, "study": "tests"}), 4: "\udcff"} | odd
    places = {seed: made(config, seed=seed).directory for seed in (*damages, 5, 6)}
    for seed, text in damages.items():
        (places[seed] / "config.yaml").write_bytes(text.encode(errors="surrogateescape"))
    record = record_of(config)
    del record["metrics"]["best"]["test/top1"]
    (places[5] / RESULT).write_text(json.dumps(record))
    (places[6] / RESULT).write_text('{"schema": 1, "sta')
    lines = show(capsys, config["output_dir"])
    assert lines[0] == "9 cells: 1 done, 8 damaged"
    named = [line for line in lines if line.startswith("damaged: ")]
    reasons = {place: next(line for line in named if str(place) in line) for place in places.values()}
    assert len(named) == len(places), "a line each"
    assert named == lines[-len(named) :]
    assert "cut short" in reasons[places[6]]
    assert "dataset.name" in reasons[places[3]]
    assert "metrics.best.test/top1" in reasons[places[5]]
    assert all("Way out: `rm " in reason for reason in reasons.values())
    for place in (*places.values(), made(config, seed=0).directory):
        (place / "config.yaml").write_text("seed: [")
    assert show(capsys, config["output_dir"])[0] == "9 cells: 9 damaged"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_wide_matrices_are_split(config: dict[str, Any], width: int) -> None:
    cells = [made(config, head=f"head_{letter}{letter * 9}", backbone="a_backbone") for letter in "abcdefghijkl"]
    finish(cells[0], 0.1234)
    statuses, damaged = read_cell_statuses(find_cells(Path(config["output_dir"])))
    assert not damaged
    text = io.StringIO()
    console = Console(file=text, width=width)
    for table in matrices(statuses, width):
        console.print(table)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    words = text.getvalue().split()
    assert words.count("12.34") == 1 and words.count("waiting") == 11
    for cell in cells:
        assert words.count(cell.config["head"]["name"]) == 1, "no name is folded, none stands twice"


def test_where_libyaml_is_and_where_it_is_not(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    config["recipe"]["optimizer"]["lr"] = 1e-5
    cell = made(config)
    with_libyaml = load_cell(cell.directory)
    monkeypatch.setattr("wisesr.config.files._LOADER", yaml.SafeLoader)
    assert load_cell(cell.directory) == with_libyaml == cell.config
