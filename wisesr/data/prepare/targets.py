"""Which folder `--to` means, and whether a dataset's folder can be made there. No torch."""

from __future__ import annotations

import os
from pathlib import Path

from wisesr.data.prepare.safety import shorten
from wisesr.errors import UserError

_MAX_PART = 255  # NAME_MAX and PATH_MAX of Linux, in bytes, with room for the longest name below
_MAX_PATH = 4096 - 1024 - 64
_OURS = (".partial", ".partial.lock")


def find_target(shown: str) -> Path:
    """The folder to make, resolved.

    Args:
        shown: as the user wrote it.

    Raises:
        UserError: no dataset's folder can be there.
    """
    if not shown.strip():
        raise UserError("--to names no folder. Leave it out for data/NAME, or name the folder to make")
    target = Path(shown).expanduser().resolve()
    if not target.name or os.path.ismount(target):  # nothing can be renamed to it
        raise UserError(f"--to: {shown} is where a disk is mounted: name a folder in it")
    long = max(len(os.fsencode(part)) for part in (*target.parts, f"{target.name}{_OURS[-1]}"))
    if long > _MAX_PART or len(os.fsencode(target)) > _MAX_PATH:
        raise UserError(
            f"--to: {shorten(shown)} is too long: at most {_MAX_PART - len(_OURS[-1])} bytes for its name, {_MAX_PART} for "
            f"that of a folder above, {_MAX_PATH:,} in all"
        )
    if target.name.lower().endswith(_OURS):
        raise UserError(f"--to: {shown} ends in {' or '.join(_OURS)}, as what is unfinished does here: take another name")
    return target


def check_writable(target: Path, shown: str) -> None:
    """Whether a folder can be made there, as far as that is known without trying.

    Raises:
        UserError: no.
    """
    place = next(parent for parent in target.parents if os.path.lexists(parent))
    if not place.is_dir():
        raise UserError(f"--to: {shown} cannot be made, as {place} is no folder")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(f"--to: {shown} cannot be made, as {place} may not be written to: name a folder elsewhere")
