"""Grids that are killed and started again, grids in two terminals, Ctrl-C."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.support.cells import assert_same
from tests.support.processes import (
    TOY,
    assert_whole,
    cells,
    cells_of,
    epochs_trained,
    finish,
    kill,
    processes_of,
    spawn,
    wait_for_silence,
    wait_until,
    warm_parents_of,
)
from tests.support.runs import history
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import read_record

GRID = ("-m", "head=gap,wise", "seed=0,1", *TOY, "recipe.epochs=6", "grid.slots=2", "dataset=folder")


KEPT = {
    "files": ("dataset.workers=1", "dataset.cache=off"),
    "decoded": ("dataset.workers=1", "augment=none", "dataset.cache=on"),
    "maps": ("augment=none", "backbone.freeze=all", "dataset.features=on"),
}
"""What an epoch begins with, and the settings for that."""


@pytest.mark.slow
@pytest.mark.parametrize(("start", "kept"), [("fork", "files"), ("spawn", "files"), ("fork", "decoded"), ("fork", "maps")])
def test_killed_twenty_times(images: Path, tmp_path: Path, start: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill -9 of the grid, of a cell, of what forks it, at random; the same command ends with an undisturbed grid's numbers.

    What is kept of images is begun anew at some of the kills, and the undisturbed grid keeps nothing.
    """
    whole, cut, cache = tmp_path / "whole", tmp_path / "cut", tmp_path / "cache"
    for folder in (whole, cut):
        folder.mkdir()
    monkeypatch.setenv("WISESR_CACHE", str(cache))
    command = (*GRID, f"dataset.root={images}", f"grid.start={start}", *KEPT[kept])
    nothing_kept = ("dataset.cache=off", "dataset.features=off")
    finish(spawn(*command, *nothing_kept, "logger=none", "grid.start=spawn", cwd=whole), whole / "terminal.txt")

    generator = random.Random(0)
    kills, parent = 0, spawn(*command, cwd=cut)
    while kills < 20:
        time.sleep(generator.uniform(0, 14))
        victims = generator.choice(["parent", "cell", "warm", "both"])
        running = warm_parents_of(cut) if victims == "warm" else cells_of(cut)
        if victims in ("cell", "warm", "both") and running:
            kill(generator.choice(running))
        if victims in ("parent", "both") or not running:
            kill(parent.pid)
        kills += 1
        if kills % 4 == 0:
            shutil.rmtree(cache, ignore_errors=True)
        if victims in ("cell", "warm") and running and parent.poll() is None:
            continue
        parent.wait(300)
        left = wait_for_silence(cut, 10)
        assert not left, f"orphans after the end of {victims}: {left}"
        for cell in cells(cut):
            if (cell / "result.json").exists():
                assert read_record(cell), "no half-written record"
        parent = spawn(*command, cwd=cut)
    parent.wait(600)  # may have seen a cell killed, and say so
    finish(spawn(*command, cwd=cut), cut / "terminal.txt")
    assert not wait_for_silence(cut, 10)

    assert len(cells(whole)) == len(cells(cut)) == 4
    for one, other in zip(cells(whole), cells(cut), strict=True):
        assert_same(one, other)
        assert_whole(other)
        record = read_record(other)
        assert record and record.provenance.reads["training"] == kept
        (run,) = other.glob("wandb/offline-run-*/*.wandb")  # one run a cell, with the whole history
        rows = [row for row in history(run) if "val/top1" in row]
        assert [row["_step"] for row in rows] == [row["step"] for row in read_metrics(other)]


@pytest.mark.slow
@pytest.mark.parametrize("kept", KEPT)
def test_two_terminals(images: Path, tmp_path: Path, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cell is run by one of them, both end well and print the same table."""
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "cache"))
    terminals = [tmp_path / "one", tmp_path / "two"]
    for terminal in terminals:
        terminal.mkdir()
    outputs = tmp_path / "outputs"
    grid = (*GRID[:-2], "grid.slots=1", "dataset=folder", *KEPT[kept])
    command = (*grid, f"dataset.root={images}", "logger=none", f"output_dir={outputs}")
    processes = [spawn(*command, cwd=terminal) for terminal in terminals]
    for process, terminal in zip(processes, terminals, strict=True):
        finish(process, terminal / "terminal.txt")
    assert len(cells(outputs)) == 4
    for cell in cells(outputs):
        assert_whole(cell)
        record = read_record(cell)
        assert record and record.provenance.attempts == 1
        assert record.provenance.reads["training"] == kept
        assert sum(epochs_trained(cell).values()) == 6
    words = [(terminal / "terminal.txt").read_text() for terminal in terminals]
    starts = [set(re.findall(r"(\S+-\S+ seed \d): started", text)) for text in words]
    assert not starts[0] & starts[1]
    assert len(starts[0] | starts[1]) == 4
    assert all(starts), "both had work"
    tables = [re.findall(r"^ *corners-32 .*$", text, re.MULTILINE) for text in words]
    assert tables[0] == tables[1]
    assert len(tables[0]) == 4


@pytest.mark.slow
def test_ctrl_c_and_a_killed_parent(images: Path, tmp_path: Path) -> None:
    """Ctrl-C: cells end with their last epoch's checkpoint; twice: at once. kill -9 of the parent: at once too."""
    command = (*GRID, f"dataset.root={images}", "logger=none", "recipe.epochs=400")

    def started() -> bool:
        return len(cells(tmp_path)) == 4 and sum(bool(read_metrics(cell)) for cell in cells(tmp_path)) >= 2

    parent = spawn(*command, cwd=tmp_path)
    wait_until("two cells that train", started)
    assert len(cells_of(tmp_path)) == 2
    os.killpg(parent.pid, signal.SIGINT)  # as the terminal does: to the parent's group
    assert parent.wait(60) == 130
    words = (tmp_path / "terminal.txt").read_text()
    assert words.count(": interrupted (the same command continues") == 2
    assert "Interrupted. The same command continues" in words
    assert not processes_of(tmp_path)
    trained = [len(read_metrics(cell)) for cell in cells(tmp_path)]

    parent = spawn(*command, cwd=tmp_path)
    wait_until("more epochs", lambda: sum(len(read_metrics(cell)) for cell in cells(tmp_path)) > sum(trained) + 2)
    assert "continues after epoch" in (tmp_path / "terminal.txt").read_text()
    kill(parent.pid)
    parent.wait()
    assert not wait_for_silence(tmp_path, 2), "no cell outlives its parent"

    parent = spawn(*command, cwd=tmp_path)
    trained = [len(read_metrics(cell)) for cell in cells(tmp_path)]
    wait_until("more epochs", lambda: sum(len(read_metrics(cell)) for cell in cells(tmp_path)) > sum(trained) + 2)
    began = time.monotonic()
    for _ in range(2):
        os.killpg(parent.pid, signal.SIGINT)
        time.sleep(0.2)
    assert parent.wait(60) == 130
    assert time.monotonic() - began < 5
    assert not wait_for_silence(tmp_path, 2)
    for cell in cells(tmp_path):
        if (cell / "log.txt").exists():
            assert set(epochs_trained(cell).values()) <= {1}


@pytest.mark.slow
def test_no_rank_outlives_the_grid(images: Path, tmp_path: Path) -> None:
    """Kill -9 of the grid just when DDP's second process has begun, which does not know its parent yet."""
    command = ("head=gap", *TOY, "trainer.devices=2", "trainer.strategy=ddp", "dataset=folder", f"dataset.root={images}")
    for delay in (0.0, 0.1, 2.0):
        parent = spawn(*command, "logger=none", cwd=tmp_path)
        wait_until("two processes", lambda: sum("wisesr.cell" in words for words in processes_of(tmp_path).values()) == 2)
        time.sleep(delay)
        kill(parent.pid)
        parent.wait()
        assert not wait_for_silence(tmp_path, 15), delay
