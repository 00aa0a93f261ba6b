"""What a further cell of a grid costs beyond its training, forked from a warm parent and in a Python of its own.

    python benchmarks/warm.py            # about 8 minutes on 2 cores

Toy cells (test_resnet, 32 px, digits, one epoch, one thread). A further cell is the difference of two grids on one slot,
divided by the cells that one has more, medians of three; in a Python of its own it is measured once, to compare.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from benchmarks.measured import Row, keep_nothing, write_rows  # noqa: E402

TOY = (
    *("backbone=timm", "backbone.model=test_resnet", "head=gap", "resolution.size=32", "recipe.epochs=1"),
    *("trainer=cpu", "trainer.threads=1", "study=warm"),
)


class Grid(NamedTuple):
    """What a grid took."""

    seconds: float
    training: float
    """Seconds of training of a cell, the mean; all cells together if one slot has them."""


def run(cells: int, *settings: str) -> Grid:
    """A grid of so many cells that differ in their seed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "train.py"), "-m", *TOY, f"seed=range({cells})", *settings]
        began = time.monotonic()
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        seconds = time.monotonic() - began
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        records = [json.loads(path.read_text()) for path in Path(folder).rglob("result.json")]
        assert len(records) == cells
    return Grid(seconds, statistics.mean(record["cost"]["train_seconds"] for record in records))


def further(rounds: int, *settings: str) -> float:
    """Seconds of a further cell beyond its training: medians of a grid of two cells and of one of eight."""
    small, large = [], []
    for _ in range(rounds):
        small.append(run(2, *settings))
        large.append(run(8, *settings))
    each = (statistics.median(grid.seconds for grid in large) - statistics.median(grid.seconds for grid in small)) / 6
    return each - statistics.mean(grid.training for grid in large)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round, a small grid")
    parser.add_argument("--to", type=Path, help="a JSON file for the rows")
    given = parser.parse_args()
    keep_nothing()
    rounds = 1 if given.quick else given.rounds
    rows = []
    for logger, bound in (("csv", 1.0), ("wandb", 2.5)):
        forked = further(rounds, f"logger={logger}", "grid.start=fork")
        spawned = further(1, f"logger={logger}", "grid.start=spawn")
        rows.append(
            Row(
                f"a further toy cell beyond its training, logger={logger}" + (", offline" if logger == "wandb" else ""),
                f"<= {bound} s",
                f"{forked:.2f} s",
                forked <= bound,
                "grid.start=spawn",
                f"in a Python of its own {spawned:.2f} s",
            )
        )
    count = 8 if given.quick else 60
    grid = run(count, "logger=csv", "grid.slots=2")
    rows.append(
        Row(
            f"a grid of {count} toy cells on 2 slots",
            "<= 100 s",
            f"{grid.seconds:.0f} s",
            grid.seconds <= 100,
            note=f"{grid.training:.2f} s of training a cell, plan and imports included",
        )
    )
    write_rows(given.to, rows)


if __name__ == "__main__":
    main()
