"""Evidence A4: an uncompressed picture with other pixels has the same name, size, label and split, and is other data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.studies import cell_config, write_cell
from wisesr.build.data import build_manifest
from wisesr.report.read import read_study

SEEDS = (0, 1, 2)


def _paint(root: Path, suffix: str) -> Path:
    """`train/` and `test/` of two classes, uncompressed."""
    random = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 4)):
        for label in ("cat", "dog"):
            folder = root / split / label
            folder.mkdir(parents=True)
            for index in range(count):
                pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}{suffix}")
    return root


def _change_pixel(picture: Path) -> None:
    """One pixel, by one level; the file keeps its size."""
    size = picture.stat().st_size
    pixels = np.asarray(Image.open(picture)).copy()
    pixels[5, 5, 0] ^= 1
    Image.fromarray(pixels).save(picture)
    assert picture.stat().st_size == size


@pytest.mark.parametrize("suffix", [".bmp", ".tiff"])
@pytest.mark.parametrize("split", ["train", "test"])
def test_cells_of_other_pixels_are_left_out_with_the_reason(tmp_path: Path, suffix: str, split: str) -> None:
    root = _paint(tmp_path / "data", suffix)
    outputs = tmp_path / "outputs"

    def write(head: str, seed: int, top1: float) -> str:
        config = cell_config(outputs, head=head, seed=seed, changes={"dataset.root": str(root)})
        data = build_manifest(config).fingerprint()
        write_cell(config, top1=top1, provenance={"data": {"fingerprint": data}})
        return data

    before = {write(head, seed, 0.5) for head in ("gap", "wise") for seed in SEEDS}
    _change_pixel(root / split / "cat" / f"3{suffix}")
    after = {write(head, 3, 1.0) for head in ("gap", "wise")}
    assert len(before) == len(after) == 1 and before != after
    (table,) = read_study([outputs]).tables
    assert {entry.head: (entry.seeds, entry.mean) for entry in table.entries} == {
        "gap": (SEEDS, 50.0),
        "wise": (SEEDS, 50.0),
    }
    left_out = {(cell.place.head, cell.place.seed): cell.reason for cell in table.left_out if cell.place is not None}
    reason = "other images, labels or splits than the 6 cells of the table"
    assert left_out == {("gap", 3): reason, ("wise", 3): reason}


def test_pixels_painted_again_as_they_were_are_the_same_data(tmp_path: Path) -> None:
    """What is compared are contents, not dates."""
    root = _paint(tmp_path / "data", ".bmp")
    config = cell_config(tmp_path / "outputs", changes={"dataset.root": str(root)})
    data = build_manifest(config).fingerprint()
    picture = root / "train" / "cat" / "3.bmp"
    for _ in range(2):
        _change_pixel(picture)
    assert build_manifest(config).fingerprint() == data
