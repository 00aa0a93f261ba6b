"""Images of all kinds in folders, and what the loaders of a cell make of them with and without decoded images that are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tests.support.configs import change, composed
from tests.support.images import noise
from wisesr.build.data import build_manifest
from wisesr.build.keep import check_views, keep_images
from wisesr.build.parts import cell_augmentation
from wisesr.data.batches import Batch
from wisesr.data.datamodule import ImageData
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.types import Steps

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def all_kinds(root: Path) -> Path:
    """`train/` and `test/` of two classes: turned by EXIF, 16 bits, CMYK, palette, transparent, grey, tiny, strips, plain ones.

    No two images are alike.
    """
    for number, split in enumerate(("train", "test")):
        for label, name in enumerate("ab"):
            folder, seed = root / split / name, 100 * (2 * number + label)
            folder.mkdir(parents=True)
            _write_kinds(folder, seed)
            for index in range(6 if split == "train" else 2):
                noise(seed + 50 + index, (30 + 9 * index, 60 - 7 * index)).save(folder / f"plain{index}.png")
    return root


def _write_kinds(folder: Path, seed: int) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    noise(seed + 1, (50, 30)).save(folder / "turned.jpg", exif=turned)
    deep = np.random.default_rng(seed + 2).integers(0, 2**16, (40, 33), dtype=np.uint16)
    Image.fromarray(deep).save(folder / "deep.png")
    noise(seed + 3).convert("CMYK").save(folder / "cmyk.jpg")
    noise(seed + 4).quantize(16).save(folder / "palette.png")
    clear = noise(seed + 5)
    clear.putalpha(noise(seed + 6).convert("L"))
    clear.save(folder / "clear.png")
    noise(seed + 7).convert("L").save(folder / "grey.png")
    noise(seed + 8, (3, 5)).save(folder / "tiny.png")
    noise(seed + 9, (300, 1)).save(folder / "lying.png")
    noise(seed + 10, (1, 250)).save(folder / "standing.png")


def cell(*overrides: str) -> dict[str, Any]:
    """A cell at 32 px that is never trained."""
    return composed("head=gap", "resolution.size=32", "recipe.batch_size=8", "trainer=cpu", "logger=none", *overrides)


def with_cache(config: Mapping[str, Any], cache: str) -> dict[str, Any]:
    return change(dict(config), "dataset.cache", cache)


def image_data(config: dict[str, Any], manifest: Manifest | None = None) -> ImageData:
    """The images of a cell, kept as its configuration says."""
    made = build_manifest(config) if manifest is None else manifest
    augment, dataset = cell_augmentation(config, MEAN, STD), config["dataset"]
    check_views(dataset["views"], augment, made)
    steps = Steps(len(made.indices(TRAIN)), config["recipe"]["batch_size"], config["recipe"]["epochs"])
    workers = 0 if dataset["workers"] == "auto" else dataset["workers"]
    protocol, seed = config["protocol"], config["seed"]
    data = ImageData(
        made,
        augment,
        protocol=protocol,
        steps=steps,
        seed=seed,
        accumulate=1,
        workers=workers,
        views=dataset["views"],
    )
    keep_images(config, data)
    return data


def seen(data: ImageData, epochs: tuple[int, ...] = (0, 2)) -> list[Batch]:
    """All that training sees in some epochs, and what is looked at beside it."""
    train = data.train_dataloader()
    batches: list[Batch] = []
    for epoch in epochs:
        train.batch_sampler.set_epoch(epoch)  # type: ignore[union-attr]
        batches += train
    for loader in (*data.val_dataloader(), data.test_dataloader()):
        batches += loader
    return batches


def assert_equal(one: list[Batch], other: list[Batch]) -> None:
    """Images, labels and positions equal to the bit."""
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a.positions, b.positions) and torch.equal(a.labels, b.labels)
        assert a.images.dtype == b.images.dtype and torch.equal(a.images, b.images)


def by_position(batches: list[Batch]) -> dict[int, Tensor]:
    """The images of an epoch, by their positions in the manifest."""
    return {int(at): image for batch in batches for at, image in zip(batch.positions, batch.images, strict=True)}
