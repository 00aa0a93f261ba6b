"""Whatever becomes of one cell, the others finish: errors, NaN, memory, a full disk, a bad setting."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import make
from tests.support.processes import TOY, assert_whole, cells, spawn
from wisesr.cell.run import DISK_FULL, DONE, run
from wisesr.grid.cell_dirs import check_cells, write_cell
from wisesr.grid.cell_process import state_after_exit
from wisesr.grid.console import make_console
from wisesr.grid.inspection import CellInspector
from wisesr.grid.outcome import RunReason
from wisesr.results import atomic_files
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.results.status_file import read_status, write_status

HEADS = '''
"""Heads that fail in their own way, as soon as there is something to train."""
import os, signal
import torch
from wisesr.models.heads.gap import GlobalAverageHead

class Bad(GlobalAverageHead):
    def __init__(self, feature_shape, num_classes, *, dropout: float, how: str):
        super().__init__(feature_shape, num_classes, dropout=dropout)
        self.how = how
    def forward(self, features):
        logits = super().forward(features)
        if features.device.type == "meta" or not self.training:
            return logits
        if self.how == "raises":
            raise RuntimeError("a bug of the user's own")
        if self.how == "diverges":
            return logits * float("nan")
        if self.how == "memory":  # what the kernel does to a process that takes too much
            os.kill(os.getpid(), signal.SIGKILL)
        return logits
'''


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """A folder of YAML for --config-dir, and the module beside it."""
    (tmp_path / "bad_heads.py").write_text(HEADS)
    folder = tmp_path / "mine" / "head"
    folder.mkdir(parents=True)
    for how in ("raises", "diverges", "memory"):
        (folder / f"{how}.yaml").write_text(f"name: {how}\n_target_: bad_heads.Bad\ndropout: 0.0\nhow: {how}\n")
    wrong = "name: wrong\n_target_: wisesr.models.heads.wise.WiseHead\npre_pool: 99\nnon_negative: projection\ndropout: 0.0\n"
    (folder / "wrong.yaml").write_text(wrong)
    return tmp_path / "mine"


@pytest.mark.slow
def test_every_way_to_fail(images: Path, tmp_path: Path, heads: Path) -> None:
    command = ("--config-dir", str(heads), *TOY, "dataset=folder", f"dataset.root={images}", "recipe.epochs=2", "logger=none")
    terminal = tmp_path / "terminal.txt"

    def grid(*more: str) -> tuple[int, str]:
        terminal.unlink(missing_ok=True)
        process = spawn("-m", *command, *more, cwd=tmp_path, PYTHONPATH=str(tmp_path))
        return process.wait(300), terminal.read_text()

    code, words = grid("head=raises,diverges,wrong,memory,gap")
    assert code == 1
    assert "Nothing was started" in words
    assert "head.pre_pool must be from 1 to 1" in words
    assert not (tmp_path / "outputs").exists(), "nothing was written either"

    code, words = grid("head=raises,diverges,memory,gap,max")
    assert code == 1
    assert "Traceback (most recent call last):\n  File" not in words.split("dataset")[0], "no traceback but in the log's tail"
    assert "  failed: RuntimeError: a bug of the user's own" in words
    assert "| RuntimeError: a bug of the user's own" in words, "the last lines of its log"
    assert "  failed: training diverged in epoch 1" in words
    assert "  failed: killed by SIGKILL (out of memory?)" in words
    assert "Failed cells are run again by the same command with grid.retry=failed." in words
    good = [cell for cell in cells(tmp_path) if "gap" in str(cell) or "max" in str(cell)]
    assert len(cells(tmp_path)) == 5
    assert len(good) == 2
    for cell in good:
        assert_whole(cell)

    code, words = grid("head=raises,diverges,memory,gap,max")  # again: what failed is not run again, what was killed is
    assert code == 1
    assert "5 cells: 2 failed before (grid.retry=failed runs them again), 1 continued, 2 done already" in words
    assert "It failed before; grid.retry=failed runs it again" in words
    assert "raises seed 0: started" not in words
    (tmp_path / "bad_heads.py").write_text(HEADS.replace('raise RuntimeError("a bug of the user\'s own")', "return logits"))
    code, words = grid("head=raises,gap", "grid.retry=failed")
    assert code == 0, words
    assert "2 cells: 1 tried again, 1 done already" in words


def test_failed_cells_are_not_tried_again_unasked(config: dict[str, Any]) -> None:
    made = check_cells([config | {"seed": seed} for seed in range(4)])
    for cell in made:
        write_cell(cell)
    write_status(made[1].directory, state=State.FAILED, reason="a bug", told=False)
    write_status(made[2].directory, state=State.TRAINING, epoch=1, epochs=3)
    grid = {"force": False, "retry": "none"}
    outcomes = CellInspector(grid).inspect(made, make_console())
    waiting, new = State.WAITING, RunReason.NEW
    expected = [(waiting, new), (State.FAILED, None), (waiting, RunReason.CONTINUED), (waiting, new)]
    assert [(outcome.state, outcome.run_reason) for outcome in outcomes] == expected
    assert "a bug" in outcomes[1].reason and "grid.retry=failed" in outcomes[1].reason
    tried = CellInspector(grid | {"retry": "failed"}).inspect(made, make_console())[1]
    assert (tried.state, tried.run_reason) == (waiting, RunReason.TRIED_AGAIN)


def test_data_that_is_not_in_order_is_told_of_all_cells(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    config["dataset"]["root"] = str(tmp_path / "empty")
    inspector = CellInspector({"force": False, "retry": "none"})
    inspector.inspect(check_cells([config | {"seed": seed} for seed in range(2)]), make_console())
    assert [label for label, _ in inspector.problems] == [
        "corners-64 toy-wise_dropout seed 0",
        "corners-64 toy-wise_dropout seed 1",
    ]


def test_a_full_disk(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the second epoch's checkpoint on nothing can be written; then there is room again."""
    cell = make(config, tmp_path / "cell")
    flush = atomic_files._flush
    full = False

    def refuse(path: Path) -> None:
        nonlocal full
        full = full or (path.name.startswith(".last.ckpt") and (cell / "last.ckpt").exists())
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        flush(path)

    monkeypatch.setattr(atomic_files, "_flush", refuse)
    assert run(cell) == DISK_FULL
    assert read_record(cell) is None
    assert not list(cell.glob("*.partial")), "nothing half-written is left to fill it"
    assert "the disk is full" in read_status(cell)["reason"]
    assert "No space left on device" in read_status(cell)["reason"]
    assert f"the disk is full: {tmp_path}" in state_after_exit(tmp_path, DISK_FULL)[1], "where no status could be written"
    monkeypatch.undo()
    assert run(cell) == DONE
    record = read_record(cell)
    assert record and record.provenance.attempts == 2


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_small_disk(images: Path, tmp_path: Path) -> None:
    """A real one: the second cell does not fit, the first one's record and checkpoints stay as they are."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr}")
    try:
        toy = (*TOY, "dataset=folder", f"dataset.root={images}", "recipe.epochs=3", "logger=none", "output_dir=disk/outputs")
        assert spawn("head=gap", *toy, cwd=tmp_path).wait(200) == 0
        (first,) = cells(disk)
        before = {path: path.read_bytes() for path in first.iterdir() if path.is_file()}
        with (disk / "ballast").open("wb") as ballast:
            ballast.write(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 900_000))
        began = time.monotonic()
        assert spawn("head=wise", *toy, cwd=tmp_path).wait(200) == 1
        words = (tmp_path / "terminal.txt").read_text()
        assert "failed: the disk is full" in words
        assert time.monotonic() - began < 100
        assert {path: path.read_bytes() for path in first.iterdir() if path.is_file()} == before
        terminal = spawn("-m", "head=wise", "seed=1,2", *toy, cwd=tmp_path)
        assert terminal.wait(200) == 1
        assert "Nothing was started" in (tmp_path / "terminal.txt").read_text(), "a grid looks at the disk first"
        (disk / "ballast").unlink()
        assert spawn("head=wise", "grid.retry=failed", *toy, cwd=tmp_path).wait(200) == 0
        for cell in cells(disk):
            assert_whole(cell)
    finally:
        subprocess.run(["umount", str(disk)], check=True)
