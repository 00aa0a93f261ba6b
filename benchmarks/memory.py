"""A cell needs little more memory than a bare PyTorch loop.

    python benchmarks/memory.py              # 8 minutes on one core

Peaks are VmHWM of processes of their own that have imported the same: one runs a cell (two epochs, test, record), the other
trains the same model on torchvision's ImageFolder with the same batch and optimizer. VmHWM of a forked process begins with what
its parent has in memory at that moment, not with its parent's peak (`dup_mm` in Linux' kernel/fork.c), and of a program with
nothing; getrusage's ru_maxrss counts what the parent had before exec.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

from benchmarks.measured import Row, keep_nothing, write_rows  # noqa: E402

CASES = {"test_resnet": 32, "resnet18": 112, "resnet50": 64}
"""Backbones, of timm, and pixels."""
BATCH, CLASSES = 32, 8


def status(name: str) -> float:
    """MiB of this process, as /proc/self/status names it."""
    return int(Path("/proc/self/status").read_text(encoding="utf-8").partition(f"{name}:")[2].split()[0]) / 1024


def make_images(root: Path, each: int) -> None:
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for label in range(CLASSES):
        (root / f"class_{label}").mkdir(parents=True)
        for index in range(each):
            pixels = random.integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).resize((160, 120)).save(root / f"class_{label}" / f"{index}.jpg")


def config_of(backbone: str, root: Path, place: Path) -> dict[str, Any]:
    from wisesr.config.compose import compose_checked

    words = ["backbone=timm", f"backbone.model={backbone}", "head=gap", f"resolution.size={CASES[backbone]}"]
    words += ["dataset=folder", f"dataset.root={root}", "dataset.cache=off", f"recipe.batch_size={BATCH}"]
    words += ["recipe=quick", "recipe.epochs=2"]
    words += ["trainer=cpu", "trainer.threads=1", "logger=csv", "augment=standard", f"output_dir={place}"]
    return dict(compose_checked(words))


def run_cell(backbone: str, root: Path) -> None:
    from wisesr.cell.__main__ import main
    from wisesr.grid.cell_dirs import make_cells, write_config

    with tempfile.TemporaryDirectory() as place:
        (cell,) = make_cells([config_of(backbone, root, Path(place))])
        write_config(cell.directory, cell.config)
        sys.argv = ["cell", str(cell.directory)]
        if code := main():
            raise SystemExit(code)


def run_bare(backbone: str, root: Path) -> None:
    """As many steps of the same size, without validation, checkpoints or anything else."""
    import torch
    from torch.utils.data import DataLoader, Subset
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import v2

    from wisesr import create_model

    torch.set_num_threads(1)
    size = CASES[backbone]
    made = [v2.RandomResizedCrop(size), v2.RandomHorizontalFlip(), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True)]
    images = ImageFolder(str(root), v2.Compose(made))
    model = create_model("timm", "gap", CLASSES, size, model=backbone).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    training = range(round(len(images) * 0.72) // BATCH * BATCH)  # 20 % test, and of the rest 10 % validate
    for _ in range(2):
        for batch, labels in DataLoader(Subset(images, training), BATCH, shuffle=True):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(batch.contiguous(memory_format=torch.channels_last)), labels).backward()
            optimizer.step()


def one_process(kind: str, backbone: str, root: Path) -> None:
    """In a process of its own: train in one of the two ways, print peaks."""
    import wisesr.cell.__main__
    import wisesr.grid.cell_dirs
    import wisesr.training.compute_time
    import wisesr.training.fit
    import wisesr.training.loggers.findings  # noqa: F401

    imports = status("VmHWM")
    {"cell": run_cell, "bare": run_bare}[kind](backbone, root)
    print(json.dumps({"imports": imports, "peak": status("VmHWM")}))


def peaks(backbone: str, root: Path, rounds: int) -> dict[str, float]:
    """Median MiB: of imports, of the bare loop, of the cell."""
    found: dict[str, list[dict[str, float]]] = {"bare": [], "cell": []}
    for _ in range(rounds):
        for kind, all_of_kind in found.items():
            command = [sys.executable, __file__, "--one", kind, backbone, str(root)]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
            all_of_kind.append(json.loads(done.stdout.splitlines()[-1]))
    medians = {kind: statistics.median(one["peak"] for one in own) for kind, own in found.items()}
    return {"imports": found["bare"][0]["imports"], **medians}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="the toy alone, one round")
    chosen = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("it reads /proc, which only Linux has")
    keep_nothing()
    cases, rounds = (["test_resnet"], 1) if chosen.quick else ([*CASES], chosen.rounds)
    rows, lines = [], ["| model | imports, MiB | bare loop | cell | ratio |", "| --- | ---: | ---: | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as name:
        make_images(Path(name) / "images", 30)
        for backbone in cases:
            found = peaks(backbone, Path(name) / "images", rounds)
            ratio = found["cell"] / found["bare"]
            target = f"peak memory of a cell over a bare loop's: {backbone}, {CASES[backbone]} px"
            rows.append(Row(target, "<= 1.1 x", f"{ratio:.2f} x", ratio <= 1.1, "PyTorch, the same model, batch and AdamW"))
            figures = " | ".join(f"{found[kind]:.0f}" for kind in ("imports", "bare", "cell"))
            lines.append(f"| {backbone}, {CASES[backbone]} px, batches of {BATCH} | {figures} | {ratio:.2f} |")
            print(lines[-1], flush=True)
    write_rows(chosen.to, rows, table="\n".join(lines))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one_process(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        main()
