"""Files to RGB images: whatever a photo collection holds, or an error that names the file. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, cast

from PIL import Image

from wisesr.data.grey_levels import Range, as_8_bit, levels_of, range_top
from wisesr.data.image_file import HUGE, UNREADABLE, open_image, reading_problem
from wisesr.data.image_formats import ending_hint, endings
from wisesr.data.image_header import Header, read_header
from wisesr.data.orientation import turned
from wisesr.data.quiet import quiet
from wisesr.errors import UserError
from wisesr.results.provenance import installed_version

__all__ = [
    "HUGE",
    "RULES",
    "Header",
    "PixelRules",
    "ending_hint",
    "endings",
    "open_rgb",
    "range_top",
    "read_header",
    "to_rgb",
]

RULES = 2
"""Version of the rules by which a file becomes RGB pixels, part of the data's fingerprint and of every cache's key.

1: as stored, deep grey scaled by each image's own highest value. 2: upright, deep grey scaled by its type or by a setting.
"""


class PixelRules(NamedTuple):
    """What a dataset may decide about how its files become RGB."""

    upright: bool = True
    """Whether EXIF's orientation is applied, as viewers do; or else the picture stays as it is stored."""
    range: Range = "auto"
    """Which value becomes white in grey images of more than 8 bits and of floats (`wisesr.data.grey_levels.range_top`)."""

    @property
    def text(self) -> str:
        """What is not as viewers do it, for the data's fingerprint: a setting that comes later changes none."""
        return " ".join(
            name for name, said in ((f"range={self.range}", self.range != "auto"), ("stored", not self.upright)) if said
        )

    @classmethod
    def parse(cls, text: str) -> PixelRules:
        """Back from `text`."""
        words = text.split()
        (*_, range) = ["auto", *(word.partition("=")[2] for word in words if word.startswith("range="))]
        return cls("stored" not in words, cast(Range, range))


AS_A_VIEWER = PixelRules()


def decoders() -> tuple[object, ...]:
    """What decodes here: Pillow and its plugins by version, and the endings that they read. Part of every cache's key."""
    return (installed_version("pillow"), installed_version("pillow-heif"), *sorted(endings()))


IN_A_DATASET = (
    ". Replace the file, or leave such files out with dataset.on_bad_image=skip "
    "(of a published dataset with dataset.partial=true besides)"
)


def open_rgb(path: Path, rules: PixelRules = AS_A_VIEWER, *, advice: str = IN_A_DATASET) -> Image.Image:
    """A file as an RGB image, by its content and not by its name's ending; no warnings of Pillow's.

    Grey, palette, CMYK, 16 bit and GIF (its first frame) become RGB; transparency is laid on black. `advice` ends the message
    about a file that cannot be read.

    Raises:
        UserError: the file is missing, truncated, too large or no image.
    """
    try:
        with quiet(), open_image(path) as image:
            return to_rgb(image, rules)
    except UNREADABLE as error:
        raise UserError(f"{path}: {reading_problem(error)}{advice}") from error


def to_rgb(image: Image.Image, rules: PixelRules = AS_A_VIEWER) -> Image.Image:
    """Any mode as RGB. An image that is not decoded yet will be."""
    levels = levels_of(image)
    image = turned(image, upright=rules.upright)
    if levels is not None:
        return as_8_bit(image, levels, rules.range).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba).convert("RGB")
    if image.mode == "RGB" and image.format == "JPEG":
        return image  # `convert` would copy every pixel; JPEGs are never mapped into memory, as other files may be
    return image.convert("RGB")
