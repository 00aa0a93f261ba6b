"""What `wisesr predict` costs beside a loop written by hand that opens, decodes, resizes and classifies the same files.

    python benchmarks/predict.py --images PHOTOGRAPHS                     # 10,000 files: some 5 minutes on one core
    python benchmarks/predict.py --images PHOTOGRAPHS --files 500 --run houses:efficientnet_lite0-wise-0
    python benchmarks/predict.py --files 2000 --rounds 1                  # small pictures made on the fly

The photographs are repeated, by links, to the number of files. Without --run the model is a toy at 64 px, so small that
decoding is most of what there is. The ways take turns, in one process, on the same cores, with as many workers: the command
itself (its listing, loading and file of rows included); a plain loop over torch's DataLoader, whose workers are processes
(list, decode, resize, normalise, forward, softmax); and a loop that only decodes. Then the command alone, in a process of its
own, for its memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

from benchmarks.measured import keep_nothing  # noqa: E402
from wisesr.cli import main as wisesr  # noqa: E402
from wisesr.inference.load import load  # noqa: E402
from wisesr.inference.run import Run  # noqa: E402

BATCH = 32
TOY = ("dataset=digits", "backbone=timm", "backbone.model=test_resnet", "recipe.epochs=1", "logger=none", "trainer=cpu")


class Photographs(Dataset[Any]):
    """As a careful user writes it."""

    def __init__(self, paths: list[Path], run: Run) -> None:
        size, inputs = run.image_size, run.augmentation.inputs
        self.paths = paths
        self.transform = v2.Compose(
            [
                v2.ToImage(),
                v2.Resize((size, size), antialias=True),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(inputs["mean"], inputs["std"]),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        with Image.open(self.paths[index]) as image:
            return self.transform(image.convert("RGB"))


def bare(folder: Path, run: Run, workers: int) -> np.ndarray:
    """(files, classes): probabilities, in the order of the paths."""
    loader = DataLoader(Photographs(sorted(folder.rglob("*.jpg")), run), batch_size=BATCH, num_workers=workers)
    with torch.inference_mode():
        return torch.cat([run.model(batch.to(memory_format=torch.channels_last)).softmax(1) for batch in loader]).numpy()


def decode_only(folder: Path) -> int:
    count = 0
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as image:
            count += image.convert("RGB").width > 0
    return count


def make_cell(place: Path) -> Path:
    """A finished cell of a toy."""
    from wisesr.cell.run import DONE, run
    from wisesr.config.compose import compose_checked
    from wisesr.config.files import to_yaml

    cell = place / "cell"
    cell.mkdir()
    (cell / "config.yaml").write_text(
        to_yaml(compose_checked([*TOY, "trainer.threads=1", f"output_dir={place}"])), encoding="utf-8"
    )
    assert run(cell) == DONE
    return cell


def make_folder(place: Path, images: Path | None, files: int) -> Path:
    """Links to photographs, or small pictures."""
    originals = sorted(images.rglob("*.jpg")) if images else [made(place / "made", index) for index in range(300)]
    folder = place / "photographs"
    folder.mkdir()
    for index in range(files):
        (folder / f"{index:07d}.jpg").symlink_to(originals[index % len(originals)].resolve())
    return folder


def made(folder: Path, seed: int) -> Path:
    folder.mkdir(exist_ok=True)
    grid = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    Image.fromarray(grid).resize((320, 240), Image.Resampling.BICUBIC).save(folder / f"{seed}.jpg", quality=90)
    return folder / f"{seed}.jpg"


def seconds(task: Callable[[], Any]) -> tuple[float, float]:
    """On the clock, which other processes slow down, and of the CPU, children's too."""
    began, worked = time.perf_counter(), sum(os.times()[:4])
    task()
    return time.perf_counter() - began, sum(os.times()[:4]) - worked


def command(cell: Path, folder: Path, workers: int, to: Path) -> list[str]:
    asked = [str(cell), str(folder), "--output", str(to), "--probabilities", "--device", "cpu"]
    return ["predict", *asked, "--workers", str(workers), "--batch-size", str(BATCH)]


def compare(cell: Path, folder: Path, workers: int, rounds: int) -> None:
    run, rows = load(cell), folder.parent / "rows.csv"
    ours = command(cell, folder, workers, rows)
    ways: dict[str, Callable[[], Any]] = {
        "wisesr predict": lambda: wisesr(ours),
        "bare loop": lambda: bare(folder, run, workers),
        "decoding only": lambda: decode_only(folder),
    }
    wisesr(ours)
    written = np.loadtxt(rows, delimiter=",", skiprows=1, usecols=range(3, 3 + len(run.class_names)))
    apart = np.abs(written - bare(folder, run, workers)).max()  # and the files are in memory from here on
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(seconds(way))
    for name, own in taken.items():
        clock, work = (statistics.median(column) for column in zip(*own, strict=True))
        pairs = list(zip(taken["wisesr predict"], own, strict=True))
        by_clock, by_work = (statistics.median(ours[kind] / theirs[kind] for ours, theirs in pairs) for kind in (0, 1))
        each = ", ".join(f"{one:.1f}" for one, _ in own)
        print(
            f"  {name}: {clock:.1f} s ({each}), {len(written) / clock:,.0f} images/s, CPU {work:.1f} s; "
            f"predict takes {by_clock:.2f} of its time and {by_work:.2f} of its CPU (medians of rounds)",
            flush=True,
        )
    print(f"  probabilities of the two at most {apart:.1e} apart")


def peak(cell: Path, folder: Path, workers: int) -> float:
    """MiB of the command, in a process of its own."""
    arguments = command(cell, folder, workers, folder.parent / "rows.csv")
    code = f"from pathlib import Path; from wisesr.cli import main; assert main({arguments!r}) == 0; "
    code += "print(Path('/proc/self/status').read_text(encoding='utf-8'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, text=True).stdout
    return int(told.partition("VmHWM:")[2].split()[0]) / 1024  # wait4's counts what the parent had when it forked


def main(chosen: argparse.Namespace) -> None:
    keep_nothing()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        cell = load(chosen.run, outputs=chosen.runs).directory if chosen.run else make_cell(place)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: chosen.cores])
        torch.set_num_threads(chosen.cores)
        folder = make_folder(place, chosen.images, chosen.files)
        print(
            f"{chosen.files:,} files, {chosen.cores} cores, as many workers, batches of {BATCH}, {chosen.rounds} rounds",
            flush=True,
        )
        compare(cell, folder, chosen.cores, chosen.rounds)
        (place / "few").mkdir()
        few = make_folder(place / "few", chosen.images, chosen.files // 10)
        small, large = (peak(cell, paths, chosen.cores) for paths in (few, folder))
        print(f"  peak memory: {small:,.0f} MiB for {chosen.files // 10:,} paths, {large:,.0f} MiB for {chosen.files:,}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="a folder with photographs (.jpg); default: small pictures made on the fly")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--run", help="a finished cell that squashes at its test (augment.resize=squash), the default")
    parser.add_argument("--runs", type=Path, default=Path("outputs"))
    main(parser.parse_args())
