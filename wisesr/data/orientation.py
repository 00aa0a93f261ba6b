"""Which way up a picture is: EXIF's orientation, applied or left alone. No torch."""

from __future__ import annotations

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import TiffImageFile

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's orientation -> what sets the picture upright. CIPA DC-008, section 4.6.5."""

_BACK = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
"""What undoes it, where that is another."""


def orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8, wherever `PIL.ImageOps.exif_transpose` finds it (XMP included); 1 where there is none.

    What is damaged counts as none: the picture can be read, and that is what it is for.
    """
    try:
        stored = image.getexif().get(ExifTags.Base.Orientation, 1)
        return int(stored) if stored in _UPRIGHT else 1
    except Exception:  # Pillow raises whatever it comes upon in there
        return 1


def turned(image: Image.Image, *, upright: bool) -> Image.Image:
    """The image, decoded, set upright as by `PIL.ImageOps.exif_transpose`; or else as its file stores it.

    Pillow sets TIFF files upright by itself, so these are turned back where the stored picture is asked for. HEIF is always
    upright: its own rotation is part of decoding it.
    """
    if isinstance(image, TiffImageFile):
        stored = orientation(image)  # decoding forgets it
        image.filename = ""  # Pillow maps a file with a name into memory, by the size that it will have when it is upright
        image.load()
        method = None if upright else _BACK.get(stored, _UPRIGHT.get(stored))
    else:
        image.load()
        method = _UPRIGHT.get(orientation(image)) if upright else None
    return image if method is None else image.transpose(method)
