"""What a cell's job does where it runs: before it is queued again, and with the GPUs that it was given."""

from __future__ import annotations

import time
from typing import Any

import pytest

from wisesr.errors import UserError
from wisesr.grid.cell_dirs import check_cells, write_cell
from wisesr.grid.cluster_job import _BEGAN, CellTask
from wisesr.grid.slots import Slot
from wisesr.results.status_file import read_status


@pytest.fixture
def task(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> CellTask:
    """Of a job of ten minutes, which has been running for as long as a test says."""
    (cell,) = check_cells([config])
    write_cell(cell)
    task = CellTask(cell.directory, cell.directory, Slot(0), False, minutes=10, notice=60)
    monkeypatch.setitem(_BEGAN, cell.directory, (time.monotonic(), 0))
    return task


def test_a_time_limit_shorter_than_an_epoch(task: CellTask) -> None:
    """Twice in a row, and the cell is told to be hopeless; a preemption says nothing, an epoch all that is needed."""
    _BEGAN[task.directory] = (time.monotonic(), 0)
    assert task.checkpoint().function.fruitless == 0, "preempted soon"
    _BEGAN[task.directory] = (time.monotonic() - 545, 0)
    again = task.checkpoint().function
    assert again.fruitless == 1
    with pytest.raises(UserError, match=r"timeout_min=10\) was over 2 times before one epoch had ended"):
        again.checkpoint()
    assert "before one epoch had ended" in read_status(task.run_dir)["reason"]
    (task.run_dir / "metrics.csv").write_text("epoch,step\n1,4\n")
    assert again.checkpoint().function.fruitless == 0


def test_a_job_of_an_earlier_version_is_still_run(task: CellTask) -> None:
    """Its pickle has fewer fields, and nothing of limits: it is queued again as it was."""
    older = CellTask(task.directory, task.run_dir, Slot(0), False)
    _BEGAN[task.directory] = (time.monotonic() - 10**6, 0)
    assert older.checkpoint().function == older


def test_gpus_that_the_cluster_gave(task: CellTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted by the cell; where the cluster does not name them, or none was asked for, nothing is."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert task._replace(gpus=2)._slot().gpus == ("2", "3")
    assert task._replace(gpus=0)._slot().gpus == ()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert task._replace(gpus=2)._slot().gpus == ()
