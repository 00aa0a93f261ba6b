"""Loggers of Lightning's by name: what is in their files, at a resume too."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.support.configs import change
from tests.support.runs import NOTHING, ROWS
from wisesr.build.parts import build_loggers
from wisesr.cell.run import DONE, run
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import make_cells, write_cell
from wisesr.grid.planning.planner import plan_cells
from wisesr.results.kernels import read_kernels
from wisesr.results.metrics import read_metrics
from wisesr.training.loggers.base import RunLogger

CSV = {"_target_": "lightning.pytorch.loggers.CSVLogger"}


def made(config: dict[str, Any], directory: Path, **settings: Any) -> RunLogger:
    (logger,) = build_loggers(config | {"logger": {"mine": CSV | settings}}, directory)
    return logger


def rows_of(directory: Path) -> list[dict[str, str]]:
    (file,) = directory.rglob("metrics.csv")
    with file.open() as stream:
        return list(csv.DictReader(stream))


def test_a_row_an_epoch_and_one_for_the_summary(config: dict[str, Any], tmp_path: Path) -> None:
    logger = made(config, tmp_path)
    logger.start([])
    for row in ROWS:
        logger.epoch(row, [])
    logger.finish({"best/test/top1": 0.9, "head_parameters": 12, "protocol": "holdout", "stopped": None}, NOTHING)
    rows = rows_of(tmp_path)
    assert [row["val/top1"] for row in rows[:3]] == ["0.2", "0.4", "0.6000000000000001"]
    assert [row["step"] for row in rows] == ["4", "8", "12", "12"]
    assert (rows[3]["best/test/top1"], rows[3]["head_parameters"]) == ("0.9", "12.0")
    (hparams,) = tmp_path.rglob("hparams.yaml")
    assert "test_efficientnet" in hparams.read_text()


def test_a_resume_replays_the_finished_epochs(config: dict[str, Any], tmp_path: Path) -> None:
    first = made(config, tmp_path)
    first.start([])
    first.epoch(ROWS[0], [])
    first.epoch(ROWS[1], [])  # of which the checkpoint was lost
    second = made(config, tmp_path)
    second.start(ROWS[:1])
    second.epoch(ROWS[1] | {"val/top1": 0.5}, [])
    second.fail()
    assert [row["val/top1"] for row in rows_of(tmp_path)] == ["0.2", "0.5"]


def test_a_place_of_the_users_is_not_emptied(config: dict[str, Any], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "kept").mkdir(parents=True)
    logger = made(config, tmp_path / "cell", save_dir=str(elsewhere), name="runs", version="one")
    logger.start(ROWS[:1])
    logger.fail()
    assert len(rows_of(elsewhere / "runs" / "one")) == 1
    assert (elsewhere / "kept").is_dir()


def test_settings_are_checked_before_anything_starts(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no key of logger.mine is called 'save_dirr'. Did you mean save_dir"):
        made(config, tmp_path, save_dirr="x")
    made(config, tmp_path / "cell")
    assert list(tmp_path.iterdir()) == [], "nothing is written before training starts"


def test_a_cell_tells_it(config: dict[str, Any]) -> None:
    config = change(config, "logger.mine", CSV)
    assert plan_cells([config], 0, lambda *_: None)[0][1] == []
    (cell,) = make_cells([config])
    write_cell(cell)
    assert run(cell.directory) == DONE
    rows, metrics = rows_of(cell.directory / "lightning"), read_metrics(cell.directory)
    assert [float(row["val/top1"]) for row in rows[:3]] == [row["val/top1"] for row in metrics]
    assert float(rows[3]["best/test/top1"]) == max(row["test/top1"] for row in metrics if "test/top1" in row)
    kernels = read_kernels(cell.directory)
    assert kernels is not None
    assert [float(row["kernel/zero"]) for row in rows[:3]] == [summary.zero for summary in kernels.history]
