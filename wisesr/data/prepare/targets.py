"""Which folder `--to` means, and whether a dataset's folder can be made there. No torch."""

from __future__ import annotations

import os
from pathlib import Path

from wisesr.errors import UserError

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
    if target.name.lower().endswith(_OURS):
        raise UserError(f"--to: {shown} ends in {' or '.join(_OURS)}, as what is unfinished does here: take another name")
    return target
