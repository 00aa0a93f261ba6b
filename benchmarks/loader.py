"""Images/s of ImageData's loader beside timm's own on the same photographs, and what a small sample costs over its decoding.

    python benchmarks/loader.py --images path/to/images --to loader.json          # 8 minutes
    python benchmarks/loader.py --images path/to/images --quick                   # a rehearsal

Photographs: a folder for each class. Both loaders crop, flip, normalise and batch them for training: `augment=standard` here,
and `timm.data.create_loader` as timm's train script calls it, with its prefetcher, with the crops' share of the image and the
filter (bilinear, by Pillow) set to ours, and without the change of colours, which `standard` has not. One thread of torch,
epochs of all images in turn, medians. Digits: an epoch of the embedded ones at 32 px over loading each of them in a bare loop.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: what lies in it are no names to import

import PIL  # noqa: E402
import timm  # noqa: E402
import torch  # noqa: E402
from timm.data import create_dataset, create_loader  # noqa: E402

from benchmarks.measured import Row, keep_nothing, medians, write_rows  # noqa: E402
from wisesr.build.parts import build_augmentation  # noqa: E402
from wisesr.config.options import load_option  # noqa: E402
from wisesr.data.datamodule import ImageData  # noqa: E402
from wisesr.data.digits import digits  # noqa: E402
from wisesr.data.folder import folder  # noqa: E402
from wisesr.data.manifest import TRAIN, Manifest  # noqa: E402
from wisesr.types import Steps  # noqa: E402

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH = 32
SIZES = (64, 112, 224)
WORKERS = (0, 2)
BOUNDS = {"none": 60, "standard": 150}


def chosen(images: Path, into: Path, count: int) -> None:
    """Links to `count` images, as many of each class as of the others, in folders of the same names."""
    classes = sorted(place for place in images.iterdir() if place.is_dir())
    for place in classes:
        (into / place.name).mkdir()
        for file in sorted(place.iterdir())[: count // len(classes)]:
            (into / place.name / file.name).symlink_to(file)


def ours(manifest: Manifest, name: str, size: int, workers: int, batch: int = BATCH) -> Iterable[object]:
    """The training loader of a cell with `augment=name`."""
    augment = build_augmentation(load_option("augment", name), size, MEAN, STD)
    steps = Steps(len(manifest.indices(TRAIN)), batch, 1)
    data = ImageData(manifest, augment, protocol="paper", steps=steps, seed=0, accumulate=1, workers=workers)
    return data.train_dataloader()


def theirs(root: Path, size: int, workers: int) -> Iterable[object]:
    """timm's, as its train script makes it (https://github.com/huggingface/pytorch-image-models/blob/v1.0.31/train.py)."""
    standard = load_option("augment", "standard")
    loader: Iterable[object] = create_loader(
        create_dataset("", root=str(root)),
        input_size=(3, size, size),
        batch_size=BATCH,
        is_training=True,
        scale=(standard["min_area"], standard["max_area"]),
        ratio=(3 / 4, 4 / 3),
        hflip=standard["flip"],
        color_jitter=None,
        interpolation="bilinear",
        mean=MEAN,
        std=STD,
        num_workers=workers,
        device=torch.device("cpu"),
    )
    return loader


def epoch_of(loader: Iterable[object]) -> Callable[[], int]:
    """A whole epoch as a call."""
    return lambda: sum(1 for _ in loader)


def photographs(root: Path, sizes: Iterable[int], rounds: int) -> list[Row]:
    """A row for each size and number of workers."""
    manifest, rows = folder(root=str(root)), []
    for workers in WORKERS:
        for size in sizes:
            calls = {"ours": epoch_of(ours(manifest, "standard", size, workers)), "timm": epoch_of(theirs(root, size, workers))}
            taken = medians(calls, rounds)
            speeds = {name: len(manifest) / seconds for name, seconds in taken.items()}
            ratio = speeds["ours"] / speeds["timm"]
            rows.append(
                Row(
                    f"augment=standard at {size} px, {workers} workers, over timm's loader",
                    ">= 1.0 x",
                    f"{ratio:.2f} x",
                    round(ratio, 2) >= 1.0,
                    f"timm {timm.__version__}, Pillow {PIL.__version__}",
                    f"{speeds['ours']:.0f} and {speeds['timm']:.0f} images/s",
                )
            )
    return rows


def small_samples(rounds: int) -> list[Row]:
    """What a sample of 32 px costs beside loading it: augmented, seeded, normalised, batched."""
    manifest = digits()

    def bare() -> None:
        for index in range(len(manifest)):
            manifest.load(index)

    calls = {"bare": bare} | {name: epoch_of(ours(manifest, name, 32, 0, batch=64)) for name in BOUNDS}
    taken = {name: seconds / len(manifest) * 1e6 for name, seconds in medians(calls, rounds).items()}
    return [
        Row(
            f"a sample of the digits at 32 px, augment={name}, over loading it",
            f"<= {bound} us",
            f"{taken[name] - taken['bare']:.0f} us",
            taken[name] - taken["bare"] <= bound,
            note=f"loading alone {taken['bare']:.0f} us",
        )
        for name, bound in BOUNDS.items()
    ]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="folder of photographs, one folder a class; without it only the digits")
    parser.add_argument("--to", type=Path, help="JSON file for docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="few images, few turns, one size")
    given = parser.parse_args()
    keep_nothing()
    torch.set_num_threads(1)
    began, rows = time.monotonic(), small_samples(3 if given.quick else 9)
    with tempfile.TemporaryDirectory() as scratch:
        if given.images is not None:
            chosen(given.images.resolve(), Path(scratch), 64 if given.quick else 256)
            rows += photographs(Path(scratch), SIZES[-1:] if given.quick else SIZES, 3 if given.quick else 9)
    write_rows(given.to, rows, arguments=["--images", "photographs"] if given.images else [])
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
