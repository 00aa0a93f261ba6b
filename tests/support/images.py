"""Small images, made on the fly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def paint(path: Path, label: int, index: int, size: int = 40) -> None:
    """An image whose class is where its bright square lies."""
    generator = np.random.default_rng([label, index])
    pixels = generator.integers(0, 90, (size, size, 3), dtype=np.uint8)
    corner = (4 + 16 * (label % 2), 4 + 16 * (label // 2 % 2))
    pixels[corner[0] : corner[0] + 12, corner[1] : corner[1] + 12] = (250, 240, 60 * label % 256)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def noise(seed: int, size: tuple[int, int] = (40, 36)) -> Image.Image:
    """An RGB image, another one for each seed."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
