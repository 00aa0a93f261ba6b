"""A training epoch here is no slower than one of timm's train script on the same folder, split, crops, model and optimizer.

    python benchmarks/timm_train.py path/to/pytorch-image-models/train.py --images FOLDER      # 6 minutes on one core

The script is of a checkout of https://github.com/huggingface/pytorch-image-models, run with the timm that is installed here. FOLDER
has a folder for each class, as photographs of 8 scenes at the place that is looked for without `--images`; 80 % train, 10 %
validate, 10 % test (which timm's leaves alone). ResNet18 at 64 px, batches of 32, no workers, one thread, both in channels_last.
Both say images/s of their training epochs themselves, loading included and validation not; they take turns in processes of
their own, and each round's ratio is one value of the median.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

from benchmarks.measured import Row, write_rows  # noqa: E402

IMAGES = ROOT.parent / "shared" / "data" / "sun8"
SIZE, BATCH = 64, 32
SPLITS = {"train": range(8), "val": range(8, 9), "test": range(9, 10)}
TIMM = (
    "--model resnet18 --opt adamw --lr 0.001 --weight-decay 0.01 --sched cosine --warmup-epochs 0 --smoothing 0 "
    "--scale 0.35 1.0 --color-jitter 0 --train-interpolation bilinear --workers 0 --device cpu --channels-last --log-interval 1"
)
OURS = (
    "dataset=folder head=gap backbone=resnet18 augment=standard trainer=cpu trainer.threads=1 trainer.workers=0 logger=csv "
    "recipe=quick"
)


def split_folder(images: Path, place: Path, most: int | None) -> int:
    """Copies in train, val and test, ten by ten within each class.

    Returns:
        Images of train.
    """
    count = 0
    for folder in sorted(path for path in images.iterdir() if path.is_dir()):
        for index, path in enumerate(sorted(folder.glob("*.jp*g"))[:most]):
            (split,) = (name for name, tens in SPLITS.items() if index % 10 in tens)
            target = place / split / folder.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / path.name)
            count += split == "train"
    return count


def output_of(command: list[str], place: Path) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, *command], cwd=place, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout + done.stderr


def of_timm(script: Path, data: Path, place: Path, classes: int, epochs: int) -> float:
    """images/s over the epochs after the first, which warms up: the mean time of an update that its last line of each tells."""
    options = f"--data-dir {data} --train-split train --val-split val --num-classes {classes} --img-size {SIZE}".split()
    options += [*TIMM.split(), "-b", str(BATCH), "--epochs", str(epochs), "--output", str(place / "timm"), "--experiment", "one"]
    shutil.rmtree(place / "timm", ignore_errors=True)
    said = output_of([str(script), *options], place)
    seconds: dict[int, float] = {}
    for epoch, _, mean in re.findall(r"Train: (\d+) \[.*?Time: ([\d.]+)s.*?\(([\d.]+)s", said):
        seconds[int(epoch)] = float(mean)
    return BATCH / statistics.mean(seconds.values())


def of_wisesr(data: Path, place: Path, number: int, epochs: int) -> float:
    """images/s of its record, over all epochs."""
    own = [f"dataset.root={data}", f"resolution.size={SIZE}", f"recipe.batch_size={BATCH}", f"recipe.epochs={epochs}"]
    output_of([str(ROOT / "train.py"), *OURS.split(), *own, f"study=round_{number}"], place)
    (record,) = (place / "outputs" / f"round_{number}").rglob("result.json")
    speed: float = json.loads(record.read_text())["cost"]["images_per_second"]
    return speed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path, nargs="?", help="timm's train.py")
    parser.add_argument("--images", type=Path, default=IMAGES, help="a folder with a folder of JPEGs for each class")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="one round of one epoch on 40 images a class")
    chosen = parser.parse_args()
    if chosen.script is None or not chosen.script.is_file():
        parser.error(
            f"timm's train.py is needed, and {chosen.script or 'no path'} was given: git clone "
            "https://github.com/huggingface/pytorch-image-models, then name the train.py in it"
        )
    if not chosen.images.is_dir():
        parser.error(f"--images must be a folder with a folder of JPEGs for each class, and {chosen.images} is none")
    rounds, epochs, most = (1, 1, 40) if chosen.quick else (chosen.rounds, chosen.epochs, None)
    script, lines, ratios = chosen.script.resolve(), [], []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        count = split_folder(chosen.images, place / "images", most)
        classes = len(list((place / "images" / "train").iterdir()))
        for number in range(rounds):
            timm = of_timm(script, place / "images", place, classes, epochs)
            ours = of_wisesr(place / "images", place, number, epochs)
            ratios.append(ours / timm)
            lines.append(f"| {number + 1} | {ours:.1f} | {timm:.1f} | {ratios[-1]:.2f} |")
            print(lines[-1], flush=True)
    ratio = statistics.median(ratios)
    note = f"{count} photographs of {classes} classes, batches of {BATCH}, {epochs} epochs, one thread, no workers"
    target = f"ResNet18 at {SIZE} px from a folder, images/s over timm's train script"
    row = Row(target, ">= 1.0 x", f"{ratio:.2f} x", ratio >= 1, f"timm {version('timm')}, its repository's train.py", note)
    table = ["| round | wisesr, images/s | timm, images/s | ratio |", "| --- | ---: | ---: | ---: |", *lines]
    write_rows(chosen.to, [row], table="\n".join(table))


if __name__ == "__main__":
    main()
