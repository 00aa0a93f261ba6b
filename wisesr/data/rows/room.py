"""Room for rows: what the disk has free, and what a user lets this machine keep. No torch."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from wisesr.errors import UserError

LIMIT = "WISESR_CACHE_LIMIT"
"""Variable: how much decoded images and feature maps may take together, `50GB`; unset: half of what is free, anew each time."""
_SHARE = 0.5
"""Of what a disk has free, that a store which nobody asked for may take: checkpoints are to be written too."""
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def free_bytes(place: Path) -> int:
    """What the disk has free where a folder is, or will be."""
    place = place.absolute()
    return shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free


def may_take(place: Path, *, asked: bool) -> int:
    """Bytes that a new store may take: half of what is free, of what was asked for all but a tenth."""
    return int(free_bytes(place) * (0.9 if asked else _SHARE))


def limit() -> int | None:
    """Bytes of `WISESR_CACHE_LIMIT`; None where it is not set.

    Raises:
        UserError: it is no size.
    """
    text = os.environ.get(LIMIT, "").strip()
    return parse_size(text, LIMIT) if text else None


def parse_size(text: str, name: str) -> int:
    """`20GB`, `1.5 TB`, `500M` or a plain number of bytes, as bytes.

    Raises:
        UserError: it is none of these.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower())
    if found is None:
        raise UserError(f"{name} must be a size, such as 20GB or 1.5TB, not {text!r}")
    return int(float(found[1]) * _UNITS[found[2]])
