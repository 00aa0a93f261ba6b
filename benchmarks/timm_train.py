"""A training epoch here is no slower than one of timm's train script on the same folder, split, crops, model and optimizer.

    python benchmarks/timm_train.py path/to/pytorch-image-models/train.py FOLDER      # 6 minutes on one core

The script is of a checkout of https://github.com/huggingface/pytorch-image-models, run with the timm that is installed here.
FOLDER has a folder of JPEGs for each class; 80 % train, 10 % validate, 10 % test, which timm leaves alone. ResNet18 at 64 px,
batches of 32, the same crops, AdamW, no workers, one thread, both in channels_last.
An epoch of training is timed, loading included and validation not; the two take turns in processes of their own.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

from benchmarks.measured import Row, keep_nothing, write_rows  # noqa: E402

SIZE, BATCH = 64, 32
SPLITS = {"train": range(8), "val": range(8, 9), "test": range(9, 10)}
TIMM = (
    "--model resnet18 --opt adamw --lr 0.001 --weight-decay 0.01 --sched cosine --warmup-epochs 0 --smoothing 0 "
    "--scale 0.35 1.0 --color-jitter 0 --train-interpolation bilinear --workers 0 --device cpu --channels-last --log-interval 1"
)
OURS = (
    "dataset=folder dataset.cache=off head=gap backbone=resnet18 augment=standard trainer=cpu trainer.threads=1 logger=csv "
    "recipe=quick"
)


class Epoch(NamedTuple):
    """images/s of a training epoch."""

    clock: float
    processor: float
    """Of this process's time on the processor."""


def split_folder(images: Path, place: Path, most: int | None) -> tuple[int, int]:
    """Copies in train, val and test, ten by ten within each class.

    Returns:
        Images of train, and classes.
    """
    count, folders = 0, sorted(path for path in images.iterdir() if path.is_dir())
    for folder in folders:
        for index, path in enumerate(sorted(folder.glob("*.jp*g"))[:most]):
            (split,) = (name for name, tens in SPLITS.items() if index % 10 in tens)
            target = place / split / folder.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.name)
            count += split == "train"
    return count, len(folders)


def train_timm(script: str, data: str, classes: int, epochs: int) -> list[Epoch]:
    """Epochs of timm, in this process: its `train_one_epoch`, which loads and trains and does not validate."""
    options = (
        f"--data-dir {data} --train-split train --val-split val --num-classes {classes} --img-size {SIZE} -b {BATCH}".split()
    )
    spec = importlib.util.spec_from_file_location("timm_train_script", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    epoch, found = module.train_one_epoch, []

    def timed(*arguments: Any, **named: Any) -> Any:
        began = now()
        answer = epoch(*arguments, **named)
        loader = named.get("loader") or arguments[2]
        found.append(since(began, len(loader) * BATCH))  # it leaves out the images that fill no batch
        return answer

    module.train_one_epoch = timed
    sys.argv = [script, *options, *TIMM.split(), "--epochs", str(epochs), "--output", f"{data}/../timm"]
    module.main()
    return found


def train_wisesr(data: str, epochs: int) -> list[Epoch]:
    """A cell's epochs, in this process, from the first batch's loading to the last step's end."""
    from wisesr.cell.__main__ import main as run_cell
    from wisesr.config.compose import compose_checked
    from wisesr.grid.cell_dirs import make_cells, write_config
    from wisesr.training.module import ClassificationModule

    own = [f"dataset.root={data}", f"resolution.size={SIZE}", f"recipe.batch_size={BATCH}", f"recipe.epochs={epochs}"]
    config = compose_checked([*OURS.split(), *own, f"output_dir={data}/../outputs"])
    begun: list[tuple[float, float]] = []
    ended: list[Epoch] = []
    begin = ClassificationModule.on_train_epoch_start

    def at_start(module: ClassificationModule) -> None:
        begin(module)
        begun.append(now())

    def at_batch(module: ClassificationModule, outputs: Any, batch: Any, index: int) -> None:
        del ended[len(begun) - 1 :]
        ended.append(since(begun[-1], min((index + 1) * BATCH, module.steps.train_images)))

    ClassificationModule.on_train_epoch_start, ClassificationModule.on_train_batch_end = at_start, at_batch  # type: ignore
    (cell,) = make_cells([config])
    write_config(cell.directory, cell.config)
    sys.argv = ["cell", str(cell.directory)]
    if code := run_cell():
        raise SystemExit(code)
    return ended


def now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def since(began: tuple[float, float], images: int) -> Epoch:
    clock, processor = now()
    return Epoch(images / (clock - began[0]), images / (processor - began[1]))


def epochs_of(kind: str, *arguments: object) -> list[Epoch]:
    """Of a process of its own."""
    command = [sys.executable, __file__, "--one", kind, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return [Epoch(*one) for one in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path, nargs="?", help="timm's train.py")
    parser.add_argument("images", type=Path, nargs="?", help="a folder with a folder of JPEGs for each class")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="one round of two epochs on 40 images a class")
    chosen = parser.parse_args()
    if chosen.script is None or not chosen.script.is_file():
        parser.error(
            f"timm's train.py is needed, and {chosen.script or 'no path'} was given: git clone "
            "https://github.com/huggingface/pytorch-image-models, then name the train.py in it"
        )
    if chosen.images is None or not chosen.images.is_dir():
        parser.error(
            f"photographs are needed, a folder of JPEGs for each class, and {chosen.images or 'nothing'} was given: "
            "name it behind the script"
        )
    keep_nothing()
    rounds, epochs, most = (1, 2, 40) if chosen.quick else (chosen.rounds, chosen.epochs, None)
    ours, timm = [], []
    with tempfile.TemporaryDirectory() as name:
        count, classes = split_folder(chosen.images, Path(name) / "images", most)
        for number in range(rounds):
            timm += epochs_of("timm", chosen.script.resolve(), f"{name}/images", classes, epochs)[1:]
            shutil.rmtree(f"{name}/outputs", ignore_errors=True)
            ours += epochs_of("wisesr", f"{name}/images", epochs)[1:]
            print(f"round {number + 1}: {ours[-1].processor / timm[-1].processor:.2f} by processor time", flush=True)
    lines = ["| images/s, median | wisesr | timm | ratio |", "| --- | ---: | ---: | ---: |"]
    ratios = {}
    for kind, word in (("processor", "by the time of the processor"), ("clock", "by the clock")):
        here, there = (statistics.median(getattr(epoch, kind) for epoch in own) for own in (ours, timm))
        ratios[kind] = here / there
        lines.append(f"| {word} | {here:.1f} | {there:.1f} | {ratios[kind]:.2f} |")
    note = (
        f"{count} photographs of {classes} classes, batches of {BATCH}, one thread, no workers, {len(ours)} epochs each "
        "after a first; by processor time, which is the clock's where nothing else runs"
    )
    target = f"ResNet18 at {SIZE} px from a folder, images/s over timm's train script"
    ratio = ratios["processor"]
    row = Row(target, ">= 1.0 x", f"{ratio:.2f} x", ratio >= 1, f"timm {version('timm')}, its repository's train.py", note)
    write_rows(chosen.to, [row], table="\n".join(lines), arguments=["pytorch-image-models/train.py", "photographs"])


if __name__ == "__main__":
    if sys.argv[1:3] == ["--one", "timm"]:
        print(json.dumps(train_timm(sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))))
    elif sys.argv[1:3] == ["--one", "wisesr"]:
        print(json.dumps(train_wisesr(sys.argv[3], int(sys.argv[4]))))
    else:
        main()
