"""Outputs that cannot be written are told before there is anything to write."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

from wisesr.errors import UserError
from wisesr.results.store import refuse_cells


def require_writable(option: str, path: Path) -> None:
    """Make the folder of a file that is to be written, and write another one beside it for a moment.

    Raises:
        UserError: that cannot be done, or it lies in a cell; it names the option.
    """
    refuse_cells(option, path)
    _try(option, path, path.parent)


def require_writable_folder(option: str, folder: Path) -> None:
    """Write into a folder that is to be filled, which need not exist, for a moment: nothing of that stays.

    Raises:
        UserError: that cannot be done, or it lies in a cell; it names the option.
    """
    refuse_cells(option, folder)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        _try(option, folder, folder)
    finally:
        for place in missing:
            with suppress(OSError):  # not made, or in use by now
                place.rmdir()


def _try(option: str, path: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writable-"):
            pass
    except OSError as error:
        reason = f"{folder} is a file" if isinstance(error, FileExistsError) else error.strerror or error
        raise UserError(f"{option}: {path} cannot be written: {reason}") from error
