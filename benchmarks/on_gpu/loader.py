"""Images/s that the product's loader gives, by the number of its processes: decoded or read as kept, augmented, normalised."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from benchmarks.on_gpu.options import Options, Row
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.build.keep import keep_images
from wisesr.config.compose import compose_cell
from wisesr.data.datamodule import ImageData
from wisesr.data.file_images import FileImages
from wisesr.data.manifest import Manifest

BATCH = 32
REPEATED = 40
"""How often the folder stands in the list of images: an epoch of a small one would end while the workers still start."""


def measure(options: Options, words: str, size: int, counts: tuple[int, ...]) -> Iterator[Row]:
    """One row: a column for each count of `options.workers`, "-" for those that are not measured."""
    assert options.images is not None
    speeds, timed = {}, []
    for count in counts:
        data = make_data(options, words, size, count)
        speed, images = images_per_second(data, count, 0.5 if options.tiny else 2.0)
        speeds[count] = f"{speed:,.0f}"
        timed.append(images)
    yield (words, str(size), *(speeds.get(count, "-") for count in options.workers), f"{min(timed)} or more")


def make_data(options: Options, words: str, size: int, workers: int) -> ImageData:
    """The data of a cell; its backbone is a toy, which has no part in it."""
    toy = ("backbone=timm", "backbone.model=test_efficientnet", "head=gap")
    files = ("dataset=folder", f"dataset.root={options.images}", f"dataset.workers={workers}", f"resolution.size={size}")
    rest = (f"recipe.batch_size={BATCH}", "protocol=paper", f"trainer={options.trainer}", "logger=none")
    config = compose_cell([*toy, *files, *rest, *words.split()])
    data = build(config, repeated(build_manifest(config), REPEATED)).data
    keep_images(config, data)
    return data


def repeated(manifest: Manifest, times: int) -> Manifest:
    """The same files under so many names each."""
    files = manifest.load
    assert isinstance(files, FileImages)
    names = [f"{name} {turn}" for turn in range(times) for name in manifest.ids]
    labels, splits = [int(label) for label in manifest.labels] * times, list(manifest.splits) * times
    load = FileImages(files.base, list(files.names) * times, files.rules)
    digests = np.tile(np.asarray(manifest.digests), (times, 1))
    return Manifest(names, labels, manifest.class_names, splits, load, [1] * len(names), digests=digests)


def images_per_second(data: ImageData, workers: int, seconds: float) -> tuple[float, int]:
    """Over whole rounds of the workers, the first one left out, in which they start."""
    loader = data.train_dataloader()
    batches = iter(loader)
    for _ in range(workers):
        next(batches)
    began, images = time.perf_counter(), 0
    for number, batch in enumerate(batches, start=1):
        images += len(batch.labels)
        taken = time.perf_counter() - began
        if number % workers == 0 and taken > seconds:
            break
    return images / taken, images


def describe_images(folder: Path) -> str:
    """How many, how large."""
    sizes, pixels = [], []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with suppress(UnidentifiedImageError), Image.open(file) as image:
            pixels.append(image.width * image.height)
            sizes.append(file.stat().st_size)
    if not sizes:
        return "no images"
    count, size = len(sizes), sum(sizes)
    return f"{count} images of {sum(pixels) / count / 1e6:.2f} megapixels and {size / count / 1e3:.0f} kB on average"
