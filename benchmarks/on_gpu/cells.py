"""Whole cells, in processes as the grid starts them: killed and resumed, from kept maps, on CPU and card, two on one card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.on_gpu.options import Options, Row
from tests.support.cells import assert_same, make, spawn, weights
from tests.support.paths import ROOT
from wisesr.config.compose import compose_cell
from wisesr.results.metrics import read_metrics
from wisesr.results.record import Record
from wisesr.results.record_file import read_record
from wisesr.results.status_file import read_status

TOY = ("backbone=timm", "backbone.model=test_efficientnet", "resolution.size=64", "recipe.batch_size=16", "recipe.epochs=2")
WITHOUT_TF32 = {"NVIDIA_TF32_OVERRIDE": "0"}
"""https://docs.nvidia.com/deeplearning/frameworks/tensorflow-user-guide/#NVIDIA_TF32_OVERRIDE"""

_ONE_AT_A_TIME = threading.Lock()
"""Hydra composes for a process, not for a thread."""


def composed(words: Sequence[str]) -> dict[str, Any]:
    """The configuration that `train.py` makes of overrides."""
    with _ONE_AT_A_TIME:
        return dict(compose_cell(words))


def overrides(options: Options, *more: str, trainer: str = "") -> list[str]:
    """Of a cell on the images of this run."""
    threads = [] if (chosen := trainer or options.trainer) == "gpu" else ["trainer.threads=1"]
    return ["dataset=folder", f"dataset.root={options.images}", f"trainer={chosen}", *threads, "logger=none", *more]


class Kept(NamedTuple):
    """A way by which a cell comes by its images."""

    name: str
    overrides: tuple[str, ...]
    epochs: int
    """So many that there is time to kill it: from maps an epoch takes a moment."""


WAYS = (
    Kept("images of its own in each epoch", ("augment=standard", "dataset.workers=2"), 4),
    Kept("decoded images kept", ("augment=paper", "dataset.cache=on", "dataset.workers=2"), 4),
    Kept("maps kept", ("augment=none", "backbone.freeze=all", "dataset.features=on"), 40),
)


def kill_and_resume(options: Options, way: Kept) -> Iterator[Row]:
    """One row: a cell that was killed with SIGKILL in mid-epoch and went on, beside an undisturbed one."""
    epochs = way.epochs
    config = composed(overrides(options, *options.small_cell, "head=wise_dropout", f"recipe.epochs={epochs}", *way.overrides))
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = make(config, Path(folder, "whole")), make(config, Path(folder, "cut"))
        undisturbed = spawn(whole)
        step = kill_in_mid_epoch(cut)
        done = len(read_metrics(cut))
        assert done < epochs, "it had ended before it could be killed"
        finish(undisturbed, whole)
        finish(spawn(cut), cut)
        assert_same(whole, cut)
        record = recorded(cut)
        steps, attempts = record.budget.steps, record.provenance.attempts
        device = record.provenance.hardware["device"]
    text = f"killed after epoch {done} of {epochs}, last seen at step {step} of {steps}; {attempts} attempts, on {device}"
    yield ("kill -9 in mid-epoch, and resume", f"{way.name}: {text}", "weights, metrics and predictions equal to the bit")


def from_maps(options: Options, precision: str) -> Iterator[Row]:
    """One row: a cell on a frozen backbone that reads its maps, beside the same one that computes them in each epoch."""
    words = (*options.small_cell, "head=wise_dropout", "augment=none", "backbone.freeze=all", "recipe.epochs=6")
    places = {}
    with tempfile.TemporaryDirectory() as folder:
        for features in ("off", "on"):
            config = composed(overrides(options, *words, f"dataset.features={features}", f"trainer.precision={precision}"))
            places[features] = make(config, Path(folder, features))
            finish(spawn(places[features]), places[features])
        records = {features: recorded(place) for features, place in places.items()}
        told = json.loads((places["on"] / "result.json").read_text())["provenance"]["reads"]["maps"]
        try:
            assert_same(places["off"], places["on"])
            same = "weights, metrics and predictions equal to the bit"
        except AssertionError:
            same = distance(places["on"], places["off"])
    speeds = [records[features].cost.images_per_second or 0.0 for features in ("off", "on")]
    result = f"{same}; {speeds[0]:,.0f} images/s in training with the backbone, {speeds[1]:,.0f} from maps"
    what = f"{' '.join(options.small_cell)}, {precision}; {told['dtype']}, differing by {told['differs']:.2g}"
    yield ("maps of a frozen backbone", what, result)


def kill_in_mid_epoch(cell: Path) -> int:
    """Start a cell and kill it half an epoch after its second; returns the step that its status told last."""
    process, seen = spawn(cell), [0.0]
    while len(seen) < 3:
        assert process.poll() is None, f"ended before it could be killed: {read_status(cell).get('reason')}"
        if len(read_metrics(cell)) == len(seen):
            seen.append(time.monotonic())
        time.sleep(0.005)
    time.sleep(min(5.0, (seen[2] - seen[1]) / 2))
    process.kill()
    process.wait()
    return read_status(cell).get("step", 0)


def finish(process: subprocess.Popen[bytes], cell: Path) -> None:
    code = process.wait()
    assert code == 0, f"exit code {code}: {read_status(cell).get('reason')}"


def recorded(cell: Path) -> Record:
    record = read_record(cell)
    assert record is not None, f"{cell} has no record"
    return record


def agreement(options: Options) -> Iterator[Row]:
    """A row for each way to compute one cell on the card: how far it ends from the CPU's, step for step the same data."""
    ways: dict[str, tuple[str, dict[str, str]]] = {
        "64-true": ("64-true", {}),
        "32-true without TF32": ("32-true", WITHOUT_TF32),
        "32-true, TF32 as torch has it": ("32-true", {}),
    }
    with tempfile.TemporaryDirectory() as folder:
        cells = {name: make(toy(options, options.trainer, way[0]), Path(folder, "card", name)) for name, way in ways.items()}
        truths = {
            precision: make(toy(options, "cpu", precision), Path(folder, precision)) for precision in ("64-true", "32-true")
        }
        running = [(spawn(cell, **ways[name][1]), cell) for name, cell in cells.items()]
        running += [(spawn(cell), cell) for cell in truths.values()]
        for process, cell in running:
            finish(process, cell)
        for name, (precision, _) in ways.items():
            yield ("CPU and card agree", f"toy cell at 64 px, {name}", distance(cells[name], truths[precision]))


def toy(options: Options, trainer: str, precision: str) -> dict[str, Any]:
    """Without what is drawn on the device, as no two devices draw alike.

    With SGD: Adam's first steps have one size however small a gradient is, and so make much of its last bit.
    """
    plain = ("head=wise", "augment=none", f"trainer.precision={precision}", "dataset.workers=0")
    config = composed(overrides(options, *TOY, *plain, trainer=trainer))
    sgd = {"_target_": "wisesr.training.optimizers.sgd", "lr": 0.02, "momentum": 0.9, "weight_decay": 0.0}
    return config | {"recipe": config["recipe"] | {"optimizer": sgd}}


def distance(one: Path, other: Path) -> str:
    """Largest differences of two cells."""
    a, b = weights(one), weights(other)
    floating = [name for name, value in a.items() if value.is_floating_point()]
    apart = max(float((a[name] - b[name]).abs().max()) for name in floating)
    size = max(float(b[name].abs().max()) for name in floating)
    ends = [recorded(cell) for cell in (one, other)]
    rows = [record.best.row for record in ends]
    tests = max(abs(rows[0][name] - rows[1][name]) for name in rows[0] if name.startswith("test/"))
    shares = [np.load(cell / "predictions.npz")["probabilities"] for cell in (one, other)]
    largest = float(np.abs(shares[0] - shares[1]).max())
    return (
        f"after {ends[0].budget.steps} steps at most {apart:.1e} apart in weights of up to {size:.1f}, "
        f"{largest:.1e} in test probabilities, {tests:.1e} in test metrics"
    )


def sharing(options: Options) -> Iterator[Row]:
    """One row: a grid of one cell, and a grid of two that share the card, by the records' images/s and by the clock."""
    cell = [*options.small_cell, "head=wise", "augment=none", "recipe.epochs=" + ("1" if options.tiny else "6")]
    shared = "grid.cells_per_gpu=2" if options.trainer == "gpu" else "grid.slots=2"
    with tempfile.TemporaryDirectory() as folder:
        alone, alone_wall = grid(Path(folder, "one"), overrides(options, *cell, "seed=0"))
        pair, pair_wall = grid(Path(folder, "two"), overrides(options, *cell, "seed=0,1", shared))
    speeds = [[record["cost"]["images_per_second"] for record in records] for records in (alone, pair)]
    ratio = sum(speeds[1]) / sum(speeds[0])
    memory = max(record["cost"]["peak_memory_bytes"] for record in pair) / 2**30
    texts = [" + ".join(f"{speed:.0f}" for speed in some) for some in speeds]
    what = " ".join((*options.small_cell, shared))
    result = (
        f"{texts[0]} images/s alone, {texts[1]} together: {ratio:.2f} times; the whole commands {alone_wall:.1f} s for one, "
        f"{pair_wall:.1f} s for two; {memory:.1f} GiB each"
    )
    yield ("two cells share the device", what, result)


def grid(folder: Path, words: list[str]) -> tuple[list[dict[str, Any]], float]:
    """`train.py -m` in a folder: its records, and seconds."""
    folder.mkdir()
    began = time.monotonic()
    command = [sys.executable, str(ROOT / "train.py"), "-m", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "COLUMNS": "160"})
    taken = time.monotonic() - began
    assert done.returncode == 0, f"train.py ended with {done.returncode}: {(done.stdout + done.stderr)[-600:]}"
    return [json.loads(file.read_text()) for file in sorted(folder.rglob("result.json"))], taken
