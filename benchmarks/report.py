"""How long a report of 1,000 cells takes, and how much memory: `python benchmarks/report.py [--images 1340 --classes 67]`.

The cells are synthetic, written by the code that training uses (tests/support/studies.py): 10 backbones x 10 heads x 10
seeds. The report is a process of its own, as a user starts it. Limits of the project: 60 s and 2 GB on one core.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

from benchmarks.measured import Row, write_rows  # noqa: E402
from tests.support.studies import cell_config, write_cell  # noqa: E402

HEADS = ("gap", "wise", "depthwise", "depthwise_nonneg", "flatten", "gwap", "max", "gem", "lse", "fc")
BACKBONES = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "densenet121", "densenet169", "densenet201")
BACKBONES += ("xception", "efficientnet_b0")


def write_study(root: Path, *, images: int, classes: int, seeds: int) -> int:
    """1,000 cells with 10 seeds; heads differ by nothing but chance."""
    count = 0
    for index, backbone in enumerate(BACKBONES):
        for head in HEADS:
            for seed in range(seeds):
                draw = 100 * index + HEADS.index(head)
                config = cell_config(root, head=head, backbone=backbone, seed=seed, epochs=50)
                top1 = 0.8 + 0.005 * ((draw * 31 + seed * 17) % 7 - 3)
                write_cell(config, top1=top1, images=images, classes=classes, draw=draw)
                count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=359, help="in the test split")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--figure-width", choices=("page", "column"), default="page")
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="one seed in place of ten: 100 cells")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, output = Path(folder) / "outputs", Path(folder) / "report"
        count = write_study(root, images=chosen.images, classes=chosen.classes, seeds=1 if chosen.quick else 10)
        print(f"{count} cells written, {chosen.images} test images, {chosen.classes} classes", flush=True)
        command = [sys.executable, "-m", "wisesr.cli", "report", str(root), "--output", str(output)]
        command += ["--figure-width", chosen.figure_width]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        files = [path for path in output.rglob("*") if path.is_file()]
        page = (output / "index.html").stat().st_size / 1e6
        note = f"{chosen.images} test images of {chosen.classes} classes; {len(files)} files, page {page:.1f} MB"
    if done.returncode:
        raise SystemExit(f"wisesr report ended with {done.returncode}")
    rows = [
        Row(f"the report of {count:,} cells, one core", "<= 60 s", f"{seconds:.1f} s", seconds <= 60, note=note),
        Row("the same, peak memory", "<= 2 GB", f"{peak:.2f} GB", peak <= 2),
    ]
    write_rows(chosen.to, rows)


if __name__ == "__main__":
    main()
