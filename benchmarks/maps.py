"""A head's epoch from kept maps of a frozen backbone, beside the same cell that computes the backbone in each epoch.

    python benchmarks/maps.py --images path/to/folders/of/classes      # about 6 minutes on 2 cores with 1,600 photographs

efficientnet_lite0 with the weights of its package, frozen, 112 px, batches of 32, one thread, each cell in a process of its
own. An epoch is the mean over a cell's, its validation included; what a cell computes before its first epoch is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from benchmarks.measured import Row, write_rows  # noqa: E402
from wisesr.wording import size  # noqa: E402

CELL = (
    *("backbone=efficientnet_lite0", "backbone.weights=package", "backbone.freeze=all", "dataset=folder", "resolution=112"),
    *("trainer=cpu", "trainer.threads=1", "logger=none", "study=maps"),
)
BOUND = 1 / 15
"""Of an epoch's time without maps."""


class Cell(NamedTuple):
    """What a cell took."""

    epoch: float
    """Seconds."""
    building: float
    """Seconds of computing maps; 0 where it found them."""
    record: dict[str, Any]


def run(images: Path, place: Path, epochs: int, *settings: str) -> Cell:
    """A cell in a process of its own; what it keeps lies below `place`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "train.py"), *CELL, f"dataset.root={images}", f"output_dir={folder}"]
        environment = {**os.environ, "WISESR_CACHE": str(place), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [*command, f"recipe.epochs={epochs}", *settings], cwd=folder, capture_output=True, text=True, env=environment
        )
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        (path,) = Path(folder).rglob("result.json")
        record: dict[str, Any] = json.loads(path.read_text())
        built = re.search(r"computing maps: done in ([\d.]+) s", (path.parent / "log.txt").read_text())
    return Cell(record["cost"]["train_seconds"] / epochs, float(built[1]) if built else 0.0, record)


def kept(place: Path) -> tuple[int, int]:
    """Bytes of all maps below a place, and of one image's."""
    files = list((place / "maps").glob("*/*.rows"))
    rows = sum(len(np.load(file.with_suffix(".npz"))["offsets"]) for file in files)
    total = sum(file.stat().st_size for file in files)
    return total, total // rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="a folder of folders of images")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--to", type=Path, help="a JSON file for the rows")
    given = parser.parse_args()
    images, rounds = given.images.resolve(), 1 if given.quick else given.rounds
    with tempfile.TemporaryDirectory() as folder:
        exact, half = Path(folder, "exact"), Path(folder, "half")
        first = run(images, exact, 10, "head=gap", "dataset.features=on")
        rounded = run(images, half, 10, "head=gap", "dataset.features=fp16")
        figures: dict[str, list[float]] = {}
        for _ in range(rounds):
            for head in ("gap", "wise"):
                for name, epochs, settings in (
                    ("maps", 10, ("dataset.features=on",)),
                    ("decoded", 2, ("dataset.features=off",)),
                    ("files", 2, ("dataset.features=off", "dataset.cache=off")),
                ):
                    cell = run(images, exact, epochs, f"head={head}", *settings)
                    figures.setdefault(f"{head} {name}", []).append(cell.epoch)
        epoch = {name: statistics.median(times) for name, times in figures.items()}
        rows = []
        for head in ("gap", "wise"):
            share = epoch[f"{head} maps"] / epoch[f"{head} files"]
            decoded = epoch[f"{head} maps"] / epoch[f"{head} decoded"]
            rows.append(
                Row(
                    f"an epoch of {head} from kept maps, over one that decodes and computes the backbone",
                    f"<= {BOUND:.3f} x",
                    f"{share:.3f} x",
                    share <= BOUND,
                    "dataset.features=off dataset.cache=off",
                    f"{epoch[f'{head} maps']:.2f} s over {epoch[f'{head} files']:.1f} s; {decoded:.3f} x of one from decoded images",
                )
            )
        passes = first.building / epoch["gap decoded"]
        rows.append(
            Row("computing the maps, once for all cells", "none", f"{first.building:.1f} s", None, note=f"{passes:.1f} epochs")
        )
        (total, each), (_, small) = kept(exact), kept(half)
        told = rounded.record["provenance"]["reads"]["maps"]["rounding"]
        rows.append(
            Row("maps of one image, 1280x4x4", "none", size(each), None, note=f"{size(total)} in all; fp16: {size(small)}")
        )
        rows.append(
            Row(
                "error of maps kept as fp16, root mean square over that of the maps",
                "none",
                f"{told['relative_rms']:.1e}",
                None,
                note=f"the largest is {told['largest_error']:.2g}, where values go up to {told['largest_value']:.3g}",
            )
        )
    write_rows(given.to, rows, arguments=["--images", "IMAGES"])


if __name__ == "__main__":
    main()
