"""TIFF files written byte by byte, for what Pillow does not write."""

from __future__ import annotations

import struct

_SHORT, _LONG = 3, 4


def tiff(
    pixels: bytes,
    size: tuple[int, int],
    bits: int,
    *,
    order: str = "<",
    sample_format: int = 1,
    photometric: int = 1,
    orientation: int = 1,
) -> bytes:
    """An uncompressed grey image in one strip, as TIFF 6.0 has it; `order`: "<" little-endian, ">" big-endian.

    `pixels`: the rows, in that order of bytes. `photometric`: 1 where 0 is black, 0 where 0 is white. `sample_format`: 1
    unsigned, 2 signed, 3 floats.
    """
    tags = [
        (256, _LONG, size[0]),
        (257, _LONG, size[1]),
        (258, _SHORT, bits),
        (259, _SHORT, 1),
        (262, _SHORT, photometric),
        (273, _LONG, 0),
        (274, _SHORT, orientation),
        (277, _SHORT, 1),
        (278, _LONG, size[1]),
        (279, _LONG, len(pixels)),
        (339, _SHORT, sample_format),
    ]
    start = 8 + 2 + 12 * len(tags) + 4
    tags[5] = (273, _LONG, start)
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, kind, 1) + struct.pack(f"{order}HH" if kind == _SHORT else f"{order}I", *value)
        for tag, kind, number in tags
        for value in [(number, 0) if kind == _SHORT else (number,)]
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return head + struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", 0) + pixels
