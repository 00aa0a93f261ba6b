"""Epochs of the training loader from pictures that were decoded once, beside the same epochs decoding them anew.

    python benchmarks/cached.py --images path/to/images --to cached.json        # 6 minutes
    python benchmarks/cached.py --images path/to/images --quick                 # a rehearsal

Photographs: a folder for each class; of real detail at 512 px, or else little of the decoding is left out. `augment=none` and
`augment=paper` see the same pictures as without; the peer of paper does its steps one by one, as it did before there was a pass
for all of them. `dataset.cache=reduced` cuts the crops of `augment=standard` from smaller copies: other pixels, and its peer
cuts them from the originals. One thread of torch and no workers; epochs of all images in turn, medians. What it takes to fill
the store stands beside: a first epoch that also decodes, on all cores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: what lies in it are no names to import

import PIL  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks.loader import BATCH, MEAN, STD, chosen, epoch_of  # noqa: E402
from benchmarks.measured import Row, keep_nothing, medians, write_rows  # noqa: E402
from wisesr.build.data import build_manifest  # noqa: E402
from wisesr.build.keep import keep_images  # noqa: E402
from wisesr.config.compose import compose_cell  # noqa: E402
from wisesr.config.options import load_option  # noqa: E402
from wisesr.data.augmentation import Augmentation, Plain, Standard  # noqa: E402
from wisesr.data.datamodule import ImageData  # noqa: E402
from wisesr.data.keras_pipeline import KerasPipeline  # noqa: E402
from wisesr.data.manifest import TRAIN, Manifest  # noqa: E402
from wisesr.types import Steps, usable_cores  # noqa: E402

SIZES = (224, 512)


class StepByStep(KerasPipeline):
    """augment=paper as it was computed before: a tensor after each step."""

    def __call__(self, image: Image.Image, *, training: bool) -> Tensor:
        """An RGB image as a float32 tensor, (3, size, size)."""
        pixels = self.resized(image)
        return self._normalise(self.applied(pixels, self.draw()) if training else pixels)


class Way(NamedTuple):
    """A claim: what is compared, and by how much at each size."""

    name: str
    kind: type[Augmentation]
    peer: type[Augmentation]
    cache: str
    bounds: tuple[float, float]
    beside: str


DECODERS = f"Pillow {PIL.__version__}, torchvision {torchvision.__version__}"
WAYS = (
    Way("none", Plain, Plain, "on", (5.0, 5.0), f"decoding: {DECODERS}"),
    Way("paper", KerasPipeline, StepByStep, "on", (5.0, 5.0), f"decoding and steps one by one: {DECODERS}"),
    Way("standard", Standard, Standard, "reduced", (2.0, 1.4), f"crops of the originals: {DECODERS}"),
)


def images_of(manifest: Manifest, way: Way, kind: type[Augmentation], size: int, place: Path | None) -> ImageData:
    """The images of a cell, from what is kept below a folder, which it fills; decoded where there is none."""
    node = load_option("augment", way.name)
    augment = kind(size, MEAN, STD, **{key: value for key, value in node.items() if key != "_target_"})  # type: ignore[arg-type]
    steps = Steps(len(manifest.indices(TRAIN)), BATCH, 1)
    data = ImageData(manifest, augment, protocol="paper", steps=steps, seed=0, accumulate=1, workers=0)
    if place is not None:
        if way.cache == "reduced":
            augment.reduce()
        dataset = {"cache": way.cache, "cache_dir": str(place), "name": "photographs"}
        keep_images({"dataset": dataset, "augment": node}, data)
        assert True in data.kept
    return data


def measured(manifest: Manifest, way: Way, size: int, place: Path, rounds: int) -> Row:
    """A claim at a size."""
    began = time.perf_counter()
    kept = images_of(manifest, way, way.kind, size, place)
    building = time.perf_counter() - began
    loaders: dict[str, Iterable[object]] = {
        "decoded": images_of(manifest, way, way.peer, size, None).train_dataloader(),
        "kept": kept.train_dataloader(),
    }
    calls: dict[str, Callable[[], Any]] = {name: epoch_of(loader) for name, loader in loaders.items()}
    taken = medians(calls, rounds)
    bound, ratio, count = way.bounds[SIZES.index(size)], taken["decoded"] / taken["kept"], len(manifest.indices(TRAIN))
    return Row(
        f"an epoch of augment={way.name} at {size} px, dataset.cache={way.cache}, over the same decoded anew",
        f">= {bound:.1f} x as fast",
        f"{ratio:.2f} x as fast",
        ratio >= bound,
        way.beside,
        f"{count / taken['kept']:.0f} and {count / taken['decoded']:.0f} images/s; filling the store took "
        f"{building / taken['decoded']:.2f} of an epoch that decodes, on {usable_cores()} cores and not one",
    )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, help="folder of photographs, one folder a class")
    parser.add_argument("--to", type=Path, help="JSON file for docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="few images, few turns, one size")
    given = parser.parse_args()
    keep_nothing()
    if given.images is None:
        parser.error("it needs photographs: --images path/to/images")
    torch.set_num_threads(1)
    began, rounds = time.monotonic(), 3 if given.quick else 7
    with tempfile.TemporaryDirectory() as scratch:
        images, place = Path(scratch, "images"), Path(scratch, "kept")
        images.mkdir()
        chosen(given.images.resolve(), images, 32 if given.quick else 256)
        manifest = build_manifest(compose_cell(["dataset=folder", f"dataset.root={images}"]))
        sizes = SIZES[:1] if given.quick else SIZES
        rows = [measured(manifest, way, size, place, rounds) for size in sizes for way in WAYS]
    write_rows(given.to, rows, arguments=["--images", "photographs"])
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
