"""What a grid costs beside the same cells run one by one, and how long it takes to find that 1,000 cells are done.

    python benchmarks/grid.py            # about 8 minutes on 2 cores

The two ways take turns, so that a busy machine disturbs both. Cells are small: what is left is what the grid itself costs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.measured import keep_nothing  # noqa: E402
from tests.support.command import TOY  # noqa: E402

WITHOUT_TORCH = f"""
import runpy, sys
sys.argv[0] = "train.py"
sys.path.insert(0, {str(ROOT)!r})
try:
    runpy.run_path({str(ROOT / "train.py")!r}, run_name="__main__")
finally:
    assert "torch" not in sys.modules
"""


def seconds(*command: str, cwd: Path) -> float:
    began = time.monotonic()
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.monotonic() - began


def beside_one_by_one(rounds: int, cells: int) -> None:
    """A grid of cells on one slot, and `python train.py` for each of them."""
    grids, singles = [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(number * cells, (number + 1) * cells)
            swept = f"seed={','.join(map(str, seeds))}"
            grids.append(seconds(str(ROOT / "train.py"), "-m", *TOY, swept, "study=grid", cwd=Path(folder)))
            single = [seconds(str(ROOT / "train.py"), *TOY, f"seed={seed}", "study=single", cwd=Path(folder)) for seed in seeds]
            singles.append(sum(single))
        print(f"  round {number + 1}: grid {grids[-1]:.1f} s, one by one {singles[-1]:.1f} s", flush=True)
    grid, single = statistics.median(grids), statistics.median(singles)
    each = (grid - single) / cells
    print(f"{cells} cells: grid {grid:.1f} s, one by one {single:.1f} s: {each:+.2f} s a cell, {grid / single:.2f} of it")


def find_done(cells: int) -> None:
    """A grid whose cells are all done: records like that of one real cell."""
    sys.path.insert(0, str(ROOT))
    from wisesr.config.files import load_cell
    from wisesr.grid.cell_dirs import make_cells, write_config

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        seconds(str(ROOT / "train.py"), *TOY, "seed=0", cwd=Path(folder))
        (first,) = Path("outputs").rglob("seed-*")
        record = json.loads((first / "result.json").read_text())
        for cell in make_cells([load_cell(first) | {"seed": seed} for seed in range(cells)]):
            write_config(cell.directory, cell.config)
            (cell.directory / "result.json").write_text(
                json.dumps(record | {"config": cell.config, "fingerprint": cell.fingerprint})
            )
        taken = seconds("-c", WITHOUT_TORCH, "-m", *TOY, f"seed=range(0,{cells})", cwd=Path(folder))
    print(f"{cells} cells that are done: {taken:.1f} s, {taken / cells:.3f} s a cell, without torch")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=4)
    parser.add_argument("--done", type=int, default=1000)
    chosen = parser.parse_args()
    keep_nothing()
    if chosen.rounds:
        beside_one_by_one(chosen.rounds, chosen.cells)
    if chosen.done:
        find_done(chosen.done)
