"""What a large folder costs: listing it, planning and skipping cells on it, its manifest in a worker, the first reading.

    python benchmarks/listing.py                 # 200,000 files; about 6 minutes on 2 cores
    python benchmarks/listing.py --files 20000

Beside it a bare walk (os.scandir, and stat of each file), torchvision's ImageFolder, and a bare read. They take turns, so that
a busy machine disturbs all of them. What is kept between commands goes to a temporary folder. The last lines extrapolate to
ImageNet-1k's 1,281,167 training and 50,000 validation images, by the number of files.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

IMAGENET = 1_281_167 + 50_000
CLASSES = 200
TOY = ("backbone=timm", "backbone.model=test_resnet", "resolution.size=32", "recipe.epochs=1", "logger=none", "trainer=cpu")


def make_folder(root: Path, files: int, side: int = 8) -> None:
    """JPEG files in 200 folders of classes, no two alike."""
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)).save(content, "JPEG", quality=95)
    for label in range(CLASSES):
        folder = root / f"n{label:08d}"
        folder.mkdir(parents=True)
        for index in range(files // CLASSES):
            (folder / f"n{label:08d}_{index:05d}.JPEG").write_bytes(content.getvalue() + f"{label} {index}".encode())


def seconds(task: Callable[[], Any]) -> float:
    began = time.perf_counter()
    task()
    return time.perf_counter() - began


def bare_walk(folder: str) -> int:
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                count += bare_walk(entry.path)
            else:
                entry.stat()
                count += 1
    return count


def configuration(root: Path) -> dict[str, Any]:
    from wisesr.config.compose import compose_checked

    return compose_checked(["dataset=folder", f"dataset.root={root}", *TOY])


def listing(root: Path, rounds: int) -> dict[str, float]:
    """Median seconds of a bare walk, of the manifest with all that is kept, and of ImageFolder."""
    from torchvision.datasets import ImageFolder

    from wisesr.build.data import build_manifest

    config = configuration(root)
    cold = seconds(lambda: build_manifest(config))
    ways = {
        "bare walk": lambda: bare_walk(str(root)),
        "manifest, warm": lambda: build_manifest(config).fingerprint(),
        "ImageFolder": lambda: ImageFolder(str(root)),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(seconds(way))
    return {name: statistics.median(own) for name, own in taken.items()} | {"manifest, first time": cold}


def private_bytes() -> int:
    """Memory of this process that it shares with no other."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def look_at_all(make: Callable[[], tuple[Any, Any]], answer: Any) -> None:
    """A process that makes a dataset's list, and a worker that is forked from it and looks at each image's name and label."""
    before = private_bytes()
    names, labels = make()
    own = private_bytes() - before

    def work(queue: Any) -> None:
        began = private_bytes()
        for index in range(len(names)):
            _ = names[index], labels[index]
        queue.put(private_bytes() - began)

    queue = multiprocessing.Queue()
    worker = multiprocessing.get_context("fork").Process(target=work, args=(queue,))
    worker.start()
    answer.put((own, queue.get()))
    worker.join()


def memory(root: Path) -> dict[str, tuple[float, float]]:
    """MiB of the list in the process that made it, and besides in each worker that looked at all of it."""
    from torchvision.datasets import ImageFolder

    from wisesr.build.data import build_manifest

    config = configuration(root)

    def manifest() -> tuple[Any, Any]:
        made = build_manifest(config)
        return made.ids, made.labels

    def image_folder() -> tuple[Any, Any]:
        made = ImageFolder(str(root))
        return [path for path, _ in made.samples], made.targets

    found = {}
    for name, make in (("manifest", manifest), ("ImageFolder", image_folder)):
        answer: Any = multiprocessing.Queue()
        process = multiprocessing.get_context("fork").Process(target=look_at_all, args=(make, answer))
        process.start()
        own, worker = answer.get()
        process.join()
        found[name] = (own / 2**20, worker / 2**20)
    return found


def command(*arguments: str, cwd: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, str(ROOT / "train.py"), *arguments], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - began


def cells(root: Path, place: Path) -> dict[str, float]:
    """Seconds of the plan of two cells, and of a grid whose two cells are done."""
    from wisesr.build.data import build_manifest
    from wisesr.config.compose import compose_checked
    from wisesr.grid.cell_dirs import make_cells, write_config

    swept = ("-m", "dataset=folder", f"dataset.root={root}", "head=gap,wise", *TOY)
    plan = statistics.median(command(*swept, "grid.plan=true", cwd=place) for _ in range(3))
    small = place / "small"
    make_folder(small, 10 * CLASSES)
    command("dataset=folder", f"dataset.root={small}", "head=gap", *TOY, cwd=place)
    (first,) = (place / "outputs").rglob("result.json")
    record = json.loads(first.read_text())
    record["provenance"]["data"]["fingerprint"] = build_manifest(configuration(root)).fingerprint()
    configs = [compose_checked(["dataset=folder", f"dataset.root={root}", f"head={head}", *TOY]) for head in ("gap", "wise")]
    for cell in make_cells([config | {"output_dir": str(place / "outputs")} for config in configs]):
        write_config(cell.directory, cell.config)
        whole = record | {"config": cell.config, "fingerprint": cell.fingerprint}
        (cell.directory / "result.json").write_text(json.dumps(whole))
    skipped = statistics.median(command(*swept, cwd=place) for _ in range(3))
    return {"plan of two cells": plan, "two finished cells": skipped}


def reading(place: Path) -> tuple[float, float]:
    """MB/s of the first reading (hash, header, EXIF) and of a bare read with as many threads, files in the page cache."""
    from wisesr.build.data import build_manifest

    root = place / "large"
    make_folder(root, 10 * CLASSES, side=300)
    paths = list(root.rglob("*.JPEG"))
    size = sum(path.stat().st_size for path in paths) / 1e6

    def bare() -> None:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0)) + 1) as pool:
            for _ in pool.map(Path.read_bytes, paths):
                pass

    ours, theirs = [], []
    for number in range(3):
        os.environ["WISESR_CACHE"] = str(place / f"kept{number}")
        theirs.append(size / seconds(bare))
        ours.append(size / seconds(lambda: build_manifest(configuration(root))))
    return statistics.median(ours), statistics.median(theirs)


def main(files: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["WISESR_CACHE"] = str(place / "kept")
        root = place / "images"
        make_folder(root, files)
        print(f"{files:,} files in {CLASSES} folders, medians of {rounds}", flush=True)
        listed = listing(root, rounds)
        used = memory(root)
        for name, taken in listed.items():
            print(f"  {name}: {taken:.2f} s, {taken / listed['bare walk']:.2f} of the bare walk", flush=True)
        for name, (own, worker) in used.items():
            print(f"  {name}: {own:.0f} MiB where it is made, {worker:.0f} MiB more in each worker that looked at all of it")
        for name, taken in cells(root, place).items():
            print(f"  {name}: {taken:.1f} s", flush=True)
        ours, theirs = reading(place)
        print(f"  first reading: {ours:,.0f} MB/s, a bare read {theirs:,.0f} MB/s: {ours / theirs:.2f} of it (files in memory)")
        factor = IMAGENET / files
        print(
            f"  ImageNet-1k, extrapolated: warm {factor * listed['manifest, warm']:.1f} s, bare walk "
            f"{factor * listed['bare walk']:.1f} s, ImageFolder {factor * listed['ImageFolder']:.1f} s; "
            f"{factor * used['manifest'][0]:.0f} MiB; first reading of 147 GB {147_000 / ours / 60:.0f} minutes at this rate"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    main(chosen.files, chosen.rounds)
