"""Outputs that cannot be written are told before there is anything to write."""

from __future__ import annotations

import tempfile
from pathlib import Path

from wisesr.errors import UserError
from wisesr.results.store import refuse_cells


def require_writable(option: str, path: Path) -> None:
    """Make the folder of a file that is to be written, and write another one beside it for a moment.

    Raises:
        UserError: that cannot be done, or it lies in a cell; it names the option.
    """
    refuse_cells(option, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".partial"):
            pass
    except OSError as error:
        raise UserError(f"{option}: {path} cannot be written: {error.strerror or error}") from error
