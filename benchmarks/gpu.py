"""What this costs and holds on a card, in one bounded run: tables on the terminal, and as Markdown where `--to` says.

    python benchmarks/gpu.py --images path/to/images --to docs/gpu.md
    python benchmarks/gpu.py --device cpu --tiny --minutes 4 --images path/to/images      # tests the script itself

The most important rows come first; those for which the time does not suffice say so. A measurement that fails leaves its
error in its row. Images: a folder for each class, some hundred JPEGs; without them the loader and the cells are left out.

On a machine without network, with PyTorch, Lightning and pytest but without the rest, carry the wheels hydra-core,
omegaconf, antlr4-python3-runtime (4.9.3, built from its source distribution), timm and lightning at the versions of
constraints.txt, all of them pure Python, and the images; then

    python3 -m pip install --no-index --no-deps --target SITE WHEELS/*.whl
    PYTHONPATH=SITE:. python3 benchmarks/gpu.py --commit $COMMIT ...
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

BEGAN = time.monotonic()
ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `gpu` and `grid` are no names to import
# Before torch: whether there is a card is asked of the driver alone, since a process that has touched it cannot fork.
os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch  # noqa: E402

from benchmarks.measured import keep_nothing  # noqa: E402
from benchmarks.on_gpu import cells, heads, loader, steps, suite  # noqa: E402
from benchmarks.on_gpu.isolation import Task, run_isolated, together  # noqa: E402
from benchmarks.on_gpu.options import Options, Row  # noqa: E402
from benchmarks.on_gpu.sheet import Section, Sheet  # noqa: E402
from wisesr.config.options import options as names_of  # noqa: E402
from wisesr.results.provenance import commit, versions  # noqa: E402
from wisesr.types import usable_cores  # noqa: E402

LOADERS = tuple(
    f"augment={augment} dataset.cache={cache}"
    for augment, kept in (("none", "on"), ("paper", "on"), ("standard", "reduced"))
    for cache in ("off", kept)
)


def sections(options: Options) -> dict[str, Section]:
    """All tables, in order."""
    first, second = (case.name for case in options.cases)
    ms = tuple(f"ms, {name}, {layout}" for name in (first, second) for layout in ("NCHW", "channels_last"))
    folder = "no images" if options.images is None else loader.describe_images(options.images)
    return {
        "training": Section(
            "Training",
            "One step, head `wise`, AdamW, on a batch that lies on the device: wisesr's module in wisesr's trainer beside a "
            "bare PyTorch loop over the same model. Medians over n steps, after warm-up, of the times between marks on the "
            "device's clock. `trainer=gpu as it is` has torch's own setting of TF32: in convolutions, not in matrix products.",
            ("backbone", "setting", "images/s", "bare loop", "ratio", "ms a step", "peak GiB: wisesr / bare", "n"),
        ),
        "cells": Section("Cells", "In processes of their own, as users start them.", ("what", "how", "result")),
        "heads": Section(
            "Heads",
            f"What a head takes of a step on the maps of {first} (batch {options.cases[0].batch}) and {second} (batch "
            f"{options.cases[1].batch}): forward, loss, backward down to the map, AdamW on its weights, in fp32. Median of "
            f"{heads.REPEATS} on the card's own clock. Last: whether it runs with trainer.deterministic=true.",
            ("head", "parameters, largest", *ms, "deterministic", "peak GiB"),
        ),
        "loader": Section(
            "Loader",
            f"Images/s by worker processes, on {usable_cores()} cores; {folder}. Decoded or, with dataset.cache=on and "
            "=reduced, read as kept, augmented, normalised and collated.",
            ("settings", "pixels", *(f"{count} workers" for count in options.workers), "images timed"),
        ),
    }


def tasks(options: Options) -> list[Task]:
    """All measurements, the most important first."""
    slow = 0.4 if options.tiny else 1.0
    found: list[Task] = []

    def add(section: str, label: str, seconds: float, work: Callable[[], Iterable[Row]]) -> None:
        found.append(Task(section, label, seconds * slow, work))

    for case, seconds in zip(options.cases, (6, 12), strict=True):
        for variant in steps.VARIANTS:
            add("training", f"{case.name}: {variant.name}", seconds, partial(steps.measure, options, case, variant))
    with_images = options.images is not None
    untimed: list[tuple[str, Callable[[], Iterable[Row]]]] = [("tests marked gpu", suite.measure)]
    if with_images:
        for way in cells.WAYS:
            untimed.append((f"kill -9 in mid-epoch, and resume: {way.name}", partial(cells.kill_and_resume, options, way)))
        untimed.append(("CPU and card agree", partial(cells.agreement, options)))
    if usable_cores() >= 8:
        add("cells", "tests, kill and resume, CPU and card agree", 90, partial(together, untimed))
    else:
        for label, work in untimed:
            add("cells", label, 60, work)
    for name in names_of("head"):
        add("heads", name, 2, partial(heads.measure, options, name))
    counts = options.workers
    for words in options.loaders if with_images else ():
        add("loader", words, 4 * len(counts), partial(loader.measure, options, words, options.sizes[0], counts))
    for precision in ("32-true", "bf16-mixed") if with_images else ():
        add("cells", f"maps of a frozen backbone, {precision}", 40, partial(cells.from_maps, options, precision))
    if with_images:
        add("cells", "two cells share the device", 40, partial(cells.sharing, options))
    for words in options.loaders if with_images else ():
        add("loader", words, 5, partial(loader.measure, options, words, options.sizes[1], (counts[-2],)))
    for case, seconds in zip(options.cases, (60, 150), strict=True):
        work = partial(steps.measure, options, case, steps.COMPILED)
        add("training", f"{case.name}: {steps.COMPILED.name}", seconds, work)
    return found


def heading(options: Options, given: str | None) -> str:
    """What was measured, on what, when."""
    shown = {name: number for name, number in versions().items() if number and name not in ("wisesr", "wandb")}

    facts = {
        "card": card() if options.device == "cuda" else f"none: CPU, {platform.processor() or platform.machine()}",
        "versions": ", ".join(f"{name} {number}" for name, number in shown.items()) + f", CUDA {torch.version.cuda}",
        "CPU": f"{usable_cores()} cores, {platform.platform()}",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": given or commit() or "unknown",
    }
    tiny = "\n\n**Tiny sizes: this tests the script, and its numbers say nothing.**" if options.tiny else ""
    lines = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    return f"# On a GPU\n\nMade by `benchmarks/gpu.py`.{tiny}\n\n| | |\n| --- | --- |\n{lines}"


def card() -> str:
    """Name, memory and driver, as the driver tells them."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown ({type(error).__name__})"
    name, memory, driver = (part.strip() for part in told.splitlines()[0].split(","))
    return f"{name}, {memory}, driver {driver}"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toys: to test this script")
    parser.add_argument("--minutes", type=float, default=6.0, help="after which it ends")
    parser.add_argument("--images", type=Path, help="folder of JPEGs, one folder a class")
    parser.add_argument("--to", type=Path, help="Markdown file")
    parser.add_argument("--commit", help="of the code, where there is no git")
    parser.add_argument("--only", help="measurements whose table or first words contain this")
    parser.add_argument("--loader", nargs="+", default=LOADERS, help="settings to time the loader with, one text each")
    given = parser.parse_args()
    keep_nothing()
    images = None if given.images is None else given.images.resolve()
    options = Options(given.device, given.tiny, images, tuple(given.loader))
    sheet = Sheet(given.to, heading(options, given.commit), sections(options))
    sheet.write()
    chosen = [task for task in tasks(options) if not given.only or given.only in f"{task.section}: {task.label}"]
    with tempfile.TemporaryDirectory() as compiled:  # cold, and a compilation that is ended spoils nobody's cache
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = compiled
        for task, row, note in run_isolated(chosen, BEGAN + 60 * given.minutes):
            sheet.add(task.section, row or (task.label, note))
    print(f"\n{sheet.text()}\n{time.monotonic() - BEGAN:.0f} s")


if __name__ == "__main__":
    main()
