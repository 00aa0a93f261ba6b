"""A head of one's own that is edited while a grid of it runs: told before the next cell starts, or without effect."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.command import TOY
from tests.support.paths import ROOT
from wisesr.grid.run_grid import INTERRUPTED
from wisesr.results.code import read_code_of
from wisesr.results.record import Record
from wisesr.results.record_file import read_record
from wisesr.results.store import find_cells

HEAD = """\
from mine.helper import Mean
from wisesr.models.heads.base import Head

class MyHead(Head):
    def __init__(self, feature_shape: tuple[int, int, int], num_classes: int, *, dropout: float = 0.0) -> None:
        super().__init__(feature_shape, num_classes, aggregation=Mean(), dropout=dropout)
"""
HELPER = "from torch import nn\n\nclass Mean(nn.Module):\n    def forward(self, maps):\n        return maps.mean((2, 3))\n"
SAID = "its code was edited since this grid was planned: mine/helper.py"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a head and its option."""
    for name, text in {
        "mine/head.py": HEAD,
        "mine/helper.py": HELPER,
        "conf/head/mine.yaml": "name: mine\n_target_: mine.head.MyHead\ndropout: 0.0\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def run_and_edit(here: Path, images: Path, *settings: str, interrupted: bool = False) -> str:
    """Two cells, one after the other; the helper is edited when the first has trained an epoch. What the terminal shows."""
    command = ["--config-dir", "conf", "-m", "head=mine", "seed=0,1", "dataset=folder", f"dataset.root={images}", *TOY]
    with (here / "terminal.txt").open("wb") as terminal:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *command, *settings],
            cwd=here,
            env={**os.environ, "WISESR_CACHE": str(here / "cache")},
            stdout=terminal,
            stderr=subprocess.STDOUT,
        )
    try:
        while not list(here.glob("outputs/*/*/*/seed-0-*/metrics.csv")):
            assert process.poll() is None, (here / "terminal.txt").read_text()
            time.sleep(0.02)
        if interrupted:
            process.send_signal(signal.SIGINT)
        else:
            (here / "mine" / "helper.py").write_text(HELPER + "# edited\n")
        assert process.wait(timeout=300) == (INTERRUPTED if interrupted else 0)
    finally:
        process.kill()
        process.wait()
    (here / "mine" / "helper.py").write_text(HELPER + "# edited\n")
    return (here / "terminal.txt").read_text()


def records(here: Path) -> list[Record]:
    """Of both cells, by seed."""
    found = sorted(find_cells(here / "outputs"), key=lambda cell: cell.name)
    made = [read_record(cell) for cell in found]
    assert [read_code_of(cell) is None for cell in found] == [False, False]
    return [record for record in made if record is not None]


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_an_edit_is_told_before_the_next_cell_starts(here: Path, images: Path, start: str) -> None:
    said = run_and_edit(here, images, f"grid.start={start}")
    assert said.count(SAID) == 1
    assert said.index(SAID) < said.index("seed 1: started")
    first, second = records(here)
    assert first.provenance.source != second.provenance.source
    assert not first.provenance.code["edited"] and first.provenance.start == start


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_frozen_grid_is_of_one_code(here: Path, images: Path, start: str) -> None:
    """And the same command goes on with it."""
    said = run_and_edit(here, images, f"grid.start={start}", "grid.frozen=true")
    assert "edited" not in said and "is frozen with mine/head.py, mine/helper.py" in said
    first, second = records(here)
    assert first.provenance.source == second.provenance.source
    again = run_and_edit(here, images, "seed=0,1,2", "grid.frozen=true")
    assert "not as it is now in mine/helper.py" in again and "2 done already" in again and "has changed" not in again
    sources = {record.provenance.source for cell in find_cells(here / "outputs") if (record := read_record(cell))}
    assert sources == {first.provenance.source} and len(find_cells(here / "outputs")) == 3


@pytest.mark.slow
def test_an_interrupted_cell_that_goes_on_with_edited_code_is_told_first(here: Path, images: Path) -> None:
    many = "recipe.epochs=30"
    run_and_edit(here, images, many, interrupted=True)
    said = run_and_edit(here, images, many)
    first, _ = sorted(find_cells(here / "outputs"), key=lambda cell: cell.name)
    told = f"and goes on with other code: mine/helper.py; from the start: rm -r {first.relative_to(here)}"
    assert said.count(told) == 1 and said.index(told) < said.index("seed 0: continues after epoch")
    edited = [record.provenance.code["edited"] for record in records(here)]
    assert edited == [["mine/helper.py"], []] and "seed 1 was interrupted" not in said
