"""What `wisesr status` prints of cells in every state."""

from __future__ import annotations

import copy
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from wisesr.cli import main
from wisesr.config.files import load_cell, to_yaml
from wisesr.config.identity import fingerprint
from wisesr.grid.cells import Cell, check_cells, write_cell
from wisesr.results.lock import locked
from wisesr.results.record import write_record
from wisesr.results.status import write_status
from wisesr.results.store import find_cells
from wisesr.status.cells import read_standings
from wisesr.status.matrix import matrices


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the tests run in, lines are plain and wide."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def made(config: dict[str, Any], *, head: str = "gap", backbone: str = "toy", seed: int = 0, study: str = "tests") -> Cell:
    one = copy.deepcopy(config) | {"seed": seed, "study": study}
    one["head"]["name"], one["backbone"]["name"] = head, backbone
    (cell,) = check_cells([one])
    write_cell(cell)
    return cell


def finish(cell: Cell, top1: float, seconds: float = 60.0) -> None:
    best = {"epoch": 3, "val/top1": 0.5, "test/top1": top1, "test/macro_f1": 0.5}
    write_record(
        cell.directory,
        fingerprint=fingerprint(cell.config),
        config=cell.config,
        metrics={"best": best, "last": best},
        budget={"epochs": 3, "trained_epochs": 3, "steps": 12, "stopped": None},
        selection="highest top-1 on 6 held-out images",
        cost={"parameters": {"head_parameters": 5}, "train_seconds": seconds},
        provenance={"data": {"left_out": []}},
    )
    write_status(cell.directory, state="done")


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(["status", *arguments]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_cells_in_every_state(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    finish(made(config, head="gap"), 0.75)
    running = made(config, head="wise")
    write_status(
        running.directory, state="training", epoch=1, epochs=3, seconds_left=40.0, images_per_second=47.2, val_top1=0.953
    )
    failed = made(config, head="lse")
    (failed.directory / "log.txt").write_text("\n".join(f"line {number}" for number in range(9)))
    write_status(failed.directory, state="failed", reason="OSError: the disk is full [28]", told=False)
    stopped = made(config, head="max")
    write_status(stopped.directory, state="training", epoch=2, epochs=3)  # killed: nobody holds its lock
    made(config, head="gap", backbone="toy2")
    with locked(running.directory):
        lines = show(capsys, config["output_dir"])
    # 40 s of the one that runs, a third of 60 s for the interrupted one, 60 s for the one that waits
    assert lines[0] == "5 cells: 1 done, 1 running, 1 waiting, 1 interrupted, 1 failed; about 0:02:00 left"
    assert "tests: corners-64" in lines
    (header,) = [line.split() for line in lines if line.split() == ["gap", "lse", "max", "wise"]]
    (row,) = [line.split(maxsplit=4) for line in lines if line.startswith("toy ")]
    assert dict(zip(header, row[1:], strict=True)) == {
        "gap": "0.7500",
        "lse": "failed",
        "max": "interrupted",
        "wise": "epoch 1/3",
    }
    assert ["toy2", "waiting"] in [line.split() for line in lines]
    assert "corners-64 toy-wise seed 0: epoch 1/3  val top-1 0.953  47 images/s  0:40 left" in lines
    start = lines.index("Failed: OSError: the disk is full [28]")
    assert lines[start + 1 : start + 3] == ["corners-64 toy-lse seed 0", str(failed.directory)]
    assert lines[start + 4 : start + 8] == [f"| line {number}" for number in (5, 6, 7, 8)]
    assert any("grid.retry=failed" in line and "rm -r" in line for line in lines)
    assert lines[-1] == "Interrupted: the same command goes on with them."
    lines = show(capsys, config["output_dir"])
    assert lines[0].startswith("5 cells: 1 done, 1 waiting, 2 interrupted, 1 failed; about 0:02:00 left once it runs")
    assert lines[-1] == "Interrupted and waiting: the same command goes on with them."


def test_several_seeds_are_counted(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(3):
        finish(made(config, head="gap", seed=seed), 0.5)
        cell = made(config, head="wise", seed=seed)
        if seed < 2:
            finish(cell, 0.5)
    write_status(cell.directory, state="failed", reason="no", told=True)
    lines = show(capsys, config["output_dir"])
    at = lines.index("toy   3 done     2 done")
    assert lines[at + 1] == "1 failed"
    assert lines[0] == "6 cells: 5 done, 1 failed"


def test_settings_are_rows_and_studies_tables(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    finish(made(config), 0.125)
    other = copy.deepcopy(config)
    other["head"]["dropout"] = 0.5
    finish(made(other), 0.25)
    finish(made(config, study="later"), 0.375)
    lines = show(capsys, config["output_dir"])
    assert [lines[lines.index(f"{study}: corners-64") + 4].split()[-1] for study in ("later", "tests")] == ["0.3750", "0.1250"]
    assert lines[lines.index("head.dropout=0.25") - 1].endswith("0.1250")
    assert lines[lines.index("head.dropout=0.5") - 1].endswith("0.2500")
    assert "later: corners-64" not in show(capsys, str(Path(config["output_dir"], "tests")))


def test_a_cell_that_is_being_redone(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    cell = made(config)
    finish(cell, 0.5)
    redo = cell.directory / "redo"
    redo.mkdir()
    (redo / "config.yaml").write_text(to_yaml(cell.config))
    write_status(redo, state="training", epoch=1, epochs=3, seconds_left=30.0)
    assert find_cells(Path(config["output_dir"])) == [cell.directory] == find_cells(cell.directory)
    for holder in (cell.directory, redo):
        with locked(holder):
            lines = show(capsys, config["output_dir"])
        assert lines[0] == "1 cell: 1 done, 1 of them with a redo; about 0:00:30 left"
        assert [lines[lines.index("toy            0.5000") + 1]] == ["redo: epoch 1/3"]
        assert "corners-64 toy-gap seed 0, redo: epoch 1/3  0:30 left" in lines
    write_status(redo, state="failed", reason="out of memory", told=True)
    lines = show(capsys, config["output_dir"], "--table")
    assert any(line.endswith("done, redo: failed") for line in lines)
    assert "Failed: out of memory" in lines and str(redo) in lines


def test_damaged_cells_are_named_and_left_out(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    finish(made(config, seed=0), 0.5)
    odd = {7: to_yaml(config | {"seed": {}}), 8: to_yaml(config | {"trainer": 2})}
    damages = {1: "seed: [", 2: "- 1\n", 3: to_yaml({"seed": 3, "study": "tests"}), 4: "\udcff"} | odd
    places = {seed: made(config, seed=seed).directory for seed in (*damages, 5, 6)}
    for seed, text in damages.items():
        (places[seed] / "config.yaml").write_bytes(text.encode(errors="surrogateescape"))
    write_record(
        places[5], fingerprint="", config=config, metrics={}, budget={}, selection="", cost={}, provenance={}
    )  # a record without figures
    (places[6] / "result.json").write_text('{"schema": 1, "sta')  # half a record is none
    lines = show(capsys, config["output_dir"])
    assert lines[0] == "2 cells: 1 done, 1 waiting; about 0:01:00 left once it runs, one cell at a time"
    named = lines[lines.index("Left out, being no cells that can be read:") + 1 :]
    assert len(named) == 7
    for seed in (*damages, 5):
        assert sum(str(places[seed]) in line for line in named) == 1
    assert any("dataset.name" in line and str(places[3]) in line for line in named)
    assert any("metrics.best.test/top1" in line and str(places[5]) in line for line in named)
    for place in (*places.values(), made(config, seed=0).directory):
        (place / "config.yaml").write_text("seed: [")
    assert show(capsys, config["output_dir"])[:2] == ["", "Left out, being no cells that can be read:"]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_wide_matrices_are_split(config: dict[str, Any], width: int) -> None:
    cells = [made(config, head=f"head_{letter}{letter * 9}", backbone="a_backbone") for letter in "abcdefghijkl"]
    finish(cells[0], 0.1234)
    standings, damaged = read_standings(find_cells(Path(config["output_dir"])))
    assert not damaged
    text = io.StringIO()
    console = Console(file=text, width=width)
    for table in matrices(standings, width):
        console.print(table)
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    words = text.getvalue().split()
    assert words.count("0.1234") == 1 and words.count("waiting") == 11
    for cell in cells:
        assert words.count(cell.config["head"]["name"]) == 1, "no name is folded, none stands twice"


def test_where_libyaml_is_and_where_it_is_not(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    config["recipe"]["optimizer"]["lr"] = 1e-5
    cell = made(config)
    found = load_cell(cell.directory)
    monkeypatch.setattr("wisesr.config.files._LOADER", yaml.SafeLoader)
    assert load_cell(cell.directory) == found == cell.config
