"""The plan of a grid: all that is wrong at once, from a process of its own; the disk; the table."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from tests.support.configs import change as changed
from tests.support.paths import ROOT
from wisesr.config.schema import Config
from wisesr.grid.cell_dirs import Cell, make_cells
from wisesr.grid.planning import disk, planner_process
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.plan import Plan, make_plan
from wisesr.grid.planning.plan_table import print_plan
from wisesr.types import FeatureShape


def quiet() -> Console:
    return Console(width=110, file=io.StringIO())


@pytest.mark.slow
def test_a_killed_grid_leaves_no_planner(config: Config) -> None:
    """The child sees the end of its stdin, and leaves, though it has cells to look at."""
    code = f"""
from rich.console import Console
from wisesr.grid.planning import planner_process
from wisesr.grid.cell_dirs import make_cells
start = planner_process.subprocess.Popen
def told(*arguments, **settings):
    child = start(*arguments, **settings)
    print(child.pid, flush=True)
    return child
planner_process.subprocess.Popen = told
config = {config!r}
many = [config | {{"resolution": {{"size": size}}}} for size in range(40, 400)]
planner_process.ask_planner(make_cells(many), Console(), gpus=0)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        child = Path("/proc", parent.stdout.readline().strip())
        assert child.is_dir()
        assert "checking" in parent.stdout.readline(), "it is at work"
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 5
    while child.is_dir() and "Z" not in (child / "stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('no space for it')", "ended with exit code 1\n    | no space for it"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL (out of memory?)"),
        (
            'import sys, os; sys.stdin.readline(); print(\'{"cell": 0, "done": 0}\', flush=True); os.abort()',
            "was killed by SIGABRT while it looked at corners-64 toy-wise_dropout seed 0",
        ),
    ],
)
def test_a_planner_that_dies_is_told(config: Config, monkeypatch: pytest.MonkeyPatch, code: str, words: str) -> None:
    monkeypatch.setattr(planner_process, "module_command", lambda *_: (sys.executable, "-c", code))
    plan = make_plan(make_cells([config]), quiet(), gpus=0)
    assert plan.costs == [None]
    ((label, problem),) = plan.problems
    assert label == ""
    assert words in problem


def test_a_plan_stands_though_a_timed_step_was_killed(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"problems": [], "costs": [[1, 1, 10**12, [1, 1, 1], 90, 12, 3, 1, 3 * 10**12, 0, 0]]}
    code = f"import os, signal; print({json.dumps(answer)!r}, flush=True); print('{{\"timed\": 0}}', flush=True); os.abort()"
    monkeypatch.setattr(planner_process, "module_command", lambda *_: (sys.executable, "-c", code))
    screen = io.StringIO()
    plan = make_plan(make_cells([config]), Console(file=screen), gpus=0, cores=2, tflops=10.0)
    assert plan.problems == []
    assert plan.estimates == [(3 * 90 * 3 * 10**12 / 10**13, "flops")]
    assert "timing a step: corners-64 toy-wise_dropout seed 0" in screen.getvalue()


def answering(needs: int) -> Callable[..., dict[str, Any]]:
    return lambda cells, *_, **__: {
        "problems": [],
        "costs": [[1, 1, 1, [1, 1, 1], 1, 1, 3 * needs, needs, 3, 1, 1]] * len(cells),
    }


def test_the_disk(config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What stays of every cell, one copy, less what is written already, against what is free: enough to the byte, or not."""
    monkeypatch.setattr("wisesr.grid.planning.plan.ask_planner", answering(10**9))
    cells = make_cells([config, config | {"seed": 1}])
    free = {"bytes": 5 * 10**9}
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: SimpleNamespace(free=free["bytes"]))
    assert make_plan(cells, quiet(), gpus=0).problems == []
    free["bytes"] -= 1000
    ((label, problem),) = make_plan(cells, quiet(), gpus=0).problems
    assert (label, problem) == ("", f"output_dir: the cells' files will take 5 GB, and the disk of {tmp_path} has 5 GB left")
    cells[1].directory.mkdir(parents=True)
    (cells[1].directory / "last.ckpt").write_bytes(bytes(1000))
    assert make_plan(cells, quiet(), gpus=0).problems == []


def test_a_folder_without_leave(config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("wisesr.grid.planning.plan.ask_planner", answering(1))
    monkeypatch.setattr(disk.os, "access", lambda path, mode: False)  # root may write anywhere
    problems = make_plan(make_cells([config, config | {"seed": 1}]), quiet(), gpus=0).problems
    ((label, problem),) = problems
    assert label == ""
    assert problem.startswith(f"output_dir: {tmp_path}/outputs cannot be written: no leave to write in {tmp_path}. ")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (999_700, "1 MB"), (123_456_789, "123 MB"), (10**16, "10000 TB")],
)
def test_sizes(count: int, text: str) -> None:
    assert disk.size(count) == text


def test_the_table(config: Config) -> None:
    """Rows of cells that differ in more than their seed; totals by hand."""
    cells: list[Cell] = make_cells([config | {"seed": seed} for seed in range(5)] + [changed(config, "head.name", "gap")])
    forward = 8_174_350_336
    one = Cost(23_508_032, 40_970, forward, FeatureShape(2048, 7, 7), 54, 12, 700_000_000, 300_000_000, 3 * forward, 60, 18)
    console = Console(width=120, record=True, file=io.StringIO())
    print_plan(console, cells, Plan([], [one] * 5 + [None]))
    text = console.export_text()
    rows = [line.split() for line in text.splitlines() if "corners-64" in line]
    assert [row[3:] for row in rows] == [
        ["5", "seeds", "2048x7x7", "23.55", "M", "40,970", "8.17", "12", "400", "MB"],
        ["0", *"------"],
    ]
    assert "5 cells (1 of 6 cannot be built), 60 steps on 810 images" in " ".join(text.split())
    assert f"{3 * 8_174_350_336 * 54 * 3 * 5:.2e} FLOPs of training, 2 GB of disk" in " ".join(text.split())
    assert all(len(line) <= 120 for line in text.splitlines() if "─" in line or "corners" in line)
