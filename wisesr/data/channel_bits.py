"""Colours of more than 8 bits a channel: Pillow reads the upper 8 of them, and says nothing of the others. No torch."""

from __future__ import annotations

from PIL import Image, ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from wisesr.data.grey_levels import levels_of

_BITS = 258
"""Tag of TIFF 6.0: bits of a sample."""
_SIZ = b"\xff\x4f\xff\x51"
"""How a codestream of JPEG 2000 begins; 42 bytes on are the bits of its first channel less one (ITU T.800, A.5.1)."""


def channel_bits(image: Image.Image, content: bytes) -> int:
    """Bits of a channel in the file, of an image that Pillow makes 8 bit; 8 of all others, deep grey ones included.

    To be asked before the image is decoded.

    Args:
        image: as opened.
        content: of its file.
    """
    bits = 8
    if isinstance(image, TiffImageFile):
        bits = max(image.tag_v2.get(_BITS, (8,)))
    elif image.format == "PNG" and content[12:16] == b"IHDR":
        bits = content[24]
    elif image.format == "SGI":
        bits = 8 * content[3]
    elif image.format == "PPM" and isinstance(image, ImageFile.ImageFile):
        arguments = image.tile[0][3] if image.tile else None
        bits = int(arguments[1]).bit_length() if isinstance(arguments, tuple) and len(arguments) == 2 else 8
    elif image.format == "JPEG2000" and (start := content.find(_SIZ)) >= 0:
        bits = (content[start + 42] & 0x7F) + 1
    return bits if bits > 8 and levels_of(image) is None else 8


def brightest(image: Image.Image) -> int:
    """The highest value of a colour channel, 0 to 255, of an image that is decoded."""
    colours = [band for band in image.getbands() if band != "A"]
    return max(int(image.getchannel(band).getextrema()[1]) for band in colours)  # type: ignore[arg-type]
