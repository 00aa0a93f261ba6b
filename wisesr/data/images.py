"""Files to RGB images: whatever a photo collection holds, or an error that names the file. No torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from wisesr.errors import UserError

UNREADABLE = (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises on files that are missing, damaged, no images, or of more pixels than it takes."""

EXTENSIONS = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def open_rgb(path: Path) -> Image.Image:
    """A file as an RGB image, by its content and not by its name's ending.

    Grey, palette, CMYK, 16 bit and GIF (its first frame) become RGB; transparency is laid on black.

    Raises:
        UserError: the file is missing, truncated or no image.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return to_rgb(image)
    except UNREADABLE as error:
        raise UserError(
            f"{path}: {reading_problem(error)}. Replace the file, or leave such files out with dataset.on_bad_image=skip (of a "
            "published dataset with dataset.partial=true besides)"
        ) from error


def reading_problem(error: BaseException) -> str:
    """Why a file cannot be read, without its name."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image that can be read"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode as RGB."""
    if image.mode.startswith("I") or image.mode == "F":  # 16 bit and deeper: Pillow would clip at 255
        values = np.asarray(image, dtype=np.float64)
        highest = values.max(initial=0)
        top = 1.0 if image.mode == "F" and highest <= 1 else 65535.0 if highest > 255 else 255.0
        return Image.fromarray((values / top * 255).round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba).convert("RGB")
    return image.convert("RGB")
