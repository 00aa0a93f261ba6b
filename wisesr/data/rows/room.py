"""Room for rows: what the disk has free, and what a user lets this machine keep. No torch."""

from __future__ import annotations

import logging
import math
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from wisesr.data.rows.stock import Part, is_in_use, parts, remove, stores
from wisesr.data.rows.writer import BUILDING, PROMISED
from wisesr.errors import UserError
from wisesr.results.lock import acquire_lock, is_running
from wisesr.wording import size

log = logging.getLogger("wisesr")

LIMIT = "WISESR_CACHE_LIMIT"
"""Variable: how much decoded images and feature maps may take together, `50GB`; unset: see `spare_of`."""
_SHARE = 0.5
"""Of what a disk has free, that a store which nobody asked for may take: checkpoints are to be written too."""
_UNASKED = 50 * 10**9
"""Bytes that it may take besides: disks are shared, and nobody tells of quotas."""
_ASKED = 0.9
"""The same where a user asked for it, or said how much it may be."""
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_PATIENCE = 10.0
"""Seconds to wait for a process that makes room, too."""


class NoRoomError(OSError):
    """Rows would not fit."""


def free_bytes(place: Path) -> int:
    """What the disk has free where a folder is, or will be."""
    place = place.absolute()
    return shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free


def spare_of(free: int, *, asked: bool, most: int | None) -> int:
    """Of so many free bytes, those that rows may take.

    Args:
        free: of the disk.
        asked: whether a user asked for these rows.
        most: `limit()`.
    """
    free = max(0, free)
    return min(int(_SHARE * free), _UNASKED) if most is None and not asked else int(_ASKED * free)


def limit() -> int | None:
    """Bytes of `WISESR_CACHE_LIMIT`; None where it is not set.

    Raises:
        UserError: it is no size.
    """
    text = os.environ.get(LIMIT, "").strip()
    return parse_size(text, LIMIT) if text else None


def parse_size(text: str, name: str) -> int:
    """`20GB`, `1.5 TB`, `500M`, `3GiB` or a plain number of bytes, as bytes.

    Raises:
        UserError: it is none of these.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])(i?))?b?", text.strip().lower())
    if found is None:
        raise UserError(f"{name} must be a size, such as 20GB or 1.5TB, not {text!r}")
    unit = _UNITS[found[2] or ""]
    return int(float(found[1]) * (1024 ** round(math.log(unit, 1000)) if found[3] else unit))


def make_room(place: Path, folder: Path, needed: int, *, asked: bool) -> None:
    """Let a store grow, for whoever holds its lock; where `WISESR_CACHE_LIMIT` asks for it, what was used least recently goes.

    Nothing goes that is in use, nor where it would not suffice. What stores beside are about to write counts as written.

    Args:
        place: the folder of all that is kept.
        folder: of the store.
        needed: bytes that it is to grow by.
        asked: whether a user asked for these rows.

    Raises:
        NoRoomError: they do not fit, and why.
        UserError: `WISESR_CACHE_LIMIT` is no size.
    """
    most = limit()
    with _one_at_a_time(place):
        (folder / PROMISED).unlink(missing_ok=True)
        kept, promised = parts(place), _promised(place)
        going = _going(kept, needed, promised, most)
        spare = spare_of(free_bytes(place) - promised + sum(part.bytes for part in going), asked=asked, most=most)
        if needed > spare:
            hint = "; wisesr cache tells what is kept there, and frees it" if kept else ""
            raise NoRoomError(f"they take {size(needed)}, and the disk of {place} has {size(spare)} to spare{hint}")
        for part in going:
            if not remove(part):
                raise NoRoomError(f"they take {size(needed)}, and what could go for them is in use, {part.files[0]}")
            log.info("removed, as %s=%s keeps no more: %s", LIMIT, os.environ[LIMIT], describe(part))
        begun = sum(part.bytes for part in kept if part.folder == folder and not part.name)
        (folder / PROMISED).write_text(str(begun + needed), encoding="ascii")


def _going(kept: list[Part], needed: int, promised: int, most: int | None) -> list[Part]:
    """Parts that have to go before there is room for what is needed, beside what others were promised."""
    surplus = 0 if most is None else sum(part.bytes for part in kept) + promised + needed - most
    if most is None or surplus <= 0:
        return []
    going = least_recently_used(kept, surplus)
    if (lack := surplus - sum(part.bytes for part in going)) > 0:
        left = size(max(0, needed - lack))
        raise NoRoomError(f"they take {size(needed)}, and of {LIMIT}={os.environ[LIMIT]} there are {left} left for them")
    return going


def least_recently_used(kept: list[Part], count: int, *, force: bool = False) -> list[Part]:
    """The parts used longest ago that take so many bytes together, or all; none that are in use, unless by force."""
    going: list[Part] = []
    for part in sorted(kept, key=lambda part: part.used):
        if sum(one.bytes for one in going) >= count:
            break
        if force or not is_in_use(part):
            going.append(part)
    return going


def kind_in_words(part: Part) -> str:
    """`decoded images`, `feature maps`."""
    return {"decoded": "decoded images", "maps": "feature maps"}[part.kind]


def describe(part: Part) -> str:
    """`decoded images of digits, 224 px, squash: 1.2 GB`."""
    dataset = f" of {part.words['dataset']}" if "dataset" in part.words else ""
    begun = "" if part.name else ", half-built"
    return f"{kind_in_words(part)}{dataset}, {part.text or part.key}{begun}: {size(part.bytes)}"


def _promised(place: Path) -> int:
    """Bytes that stores have yet to write which are being written now."""
    missing = 0
    for folder in stores(place):
        with suppress(OSError, ValueError):
            whole = int((folder / PROMISED).read_text(encoding="ascii"))
            begun = folder / BUILDING
            if is_running(folder):
                missing += max(0, whole - (begun.stat().st_size if begun.exists() else 0))
    return missing


@contextmanager
def _one_at_a_time(place: Path) -> Iterator[None]:
    """Hold a lock while the block runs; without one where there are none."""
    lock = None
    with suppress(OSError):
        folder = place / "locks" / "rows"
        folder.mkdir(parents=True, exist_ok=True)
        lock = acquire_lock(folder, patience=_PATIENCE)
    with lock or nullcontext():
        yield
