"""Whether a file looks as if it ended too early, by its last bytes or by the lengths that it names. No torch.

Where it does, only decoding tells: much that looks so can be read. Where it does not, it is taken to be whole. Damage in the
middle is not seen here; decoding every file would cost some ten times as much as reading it.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

_UNWRITTEN = bytes(16)
"""Ends like this have files whose place on the disk was reserved and never filled; and black uncompressed pictures."""


def looks_cut_short(image: Image.Image, content: bytes) -> bool:
    """Whether the file has no end, or is of a kind of which that is not known here, all quick to decode (BMP, PPM, ...).

    Args:
        image: as opened, not decoded.
        content: all bytes of its file.
    """
    if isinstance(image, TiffImageFile):
        return content.endswith(_UNWRITTEN) or not _has_strips(image, len(content))
    whole = _WHOLE.get(image.format or "")
    return whole is None or not whole(content)


def _jpeg(content: bytes) -> bool:
    """Whether an end of image follows the start of the scan, in which those two bytes do not occur (ITU T.81, B.1.1.5).

    A thumbnail before it has an end of its own, and whatever a camera appends (a second picture, a film) may lie behind.
    """
    return content.endswith(b"\xff\xd9") or content.rfind(b"\xff\xd9", _scan(content)) >= 0


def _scan(content: bytes) -> int:
    """Where the first scan starts; the end of the content if the segments before it do not lead there."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        if content[at + 1] == 0xDA:
            return at
        at += 1 if content[at + 1] == 0xFF else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return len(content)


def _png(content: bytes) -> bool:
    return b"IEND\xaeB`\x82" in content[-64:] or content.rfind(b"IEND\xaeB`\x82") >= 0


def _gif(content: bytes) -> bool:
    """The end of a block and the trailer; some writers fill up with zeros."""
    return content.endswith(b"\0;") or content.rstrip(b"\0").endswith(b"\0;")


def _webp(content: bytes) -> bool:
    return int.from_bytes(content[4:8], "little") + 8 <= len(content) and not content.endswith(_UNWRITTEN)


def _boxes(content: bytes) -> bool:
    """Whether boxes of ISO/IEC 14496-12, one behind the other, end where the file ends."""
    at = 0
    while at + 8 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16], "big")
        if size < 8:  # 0: as far as the file goes
            return False
        at += size
    return at == len(content) and not content.endswith(_UNWRITTEN)


def _jpeg_2000(content: bytes) -> bool:
    """The end of its codestream (ITU T.800, A.4.4), or of its last box."""
    return content.endswith(b"\xff\xd9") or (content[4:8] == b"jP  " and _boxes(content))


def _has_strips(image: TiffImageFile, length: int) -> bool:
    """Whether the strips or tiles of a TIFF's first picture lie within the file."""
    for offsets, counts in ((273, 279), (324, 325)):
        if offsets in image.tag_v2:
            starts, sizes = image.tag_v2[offsets], image.tag_v2.get(counts, ())
            return len(starts) == len(sizes) and all(at + size <= length for at, size in zip(starts, sizes, strict=True))
    return False


_WHOLE: dict[str, Callable[[bytes], bool]] = {
    **dict.fromkeys(("JPEG", "MPO"), _jpeg),
    **dict.fromkeys(("AVIF", "HEIF"), _boxes),
    **{"PNG": _png, "GIF": _gif, "WEBP": _webp, "JPEG2000": _jpeg_2000},
}
"""Pillow's name of a format -> whether a file of it has its end."""
