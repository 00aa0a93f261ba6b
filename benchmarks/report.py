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
sys.path.insert(0, str(ROOT))

from tests.support.studies import cell_config, write_cell  # noqa: E402

HEADS = ("gap", "wise", "depthwise", "depthwise_nonneg", "flatten", "gwap", "max", "gem", "lse", "fc")
BACKBONES = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "densenet121", "densenet169", "densenet201")
BACKBONES += ("xception", "efficientnet_b0")


def write_study(root: Path, *, images: int, classes: int) -> int:
    """1,000 cells; heads differ by nothing but chance."""
    count = 0
    for index, backbone in enumerate(BACKBONES):
        for head in HEADS:
            for seed in range(10):
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
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, output = Path(folder) / "outputs", Path(folder) / "report"
        count = write_study(root, images=chosen.images, classes=chosen.classes)
        print(f"{count} cells written, {chosen.images} test images, {chosen.classes} classes", flush=True)
        command = [sys.executable, "-m", "wisesr.cli", "report", str(root), "--output", str(output)]
        command += ["--figure-width", chosen.figure_width]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        files = [path for path in output.rglob("*") if path.is_file()]
        page = (output / "index.html").stat().st_size / 1e6
        print(f"exit {done.returncode}: {seconds:.1f} s, {peak:.2f} GB, {len(files)} files, page {page:.1f} MB")


if __name__ == "__main__":
    main()
