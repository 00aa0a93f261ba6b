"""Which checkpoints of a cell stay once it has its record: `trainer.keep_checkpoints`."""

from __future__ import annotations

import logging
from pathlib import Path

from wisesr.results.cell_files import BEST, LAST

log = logging.getLogger("wisesr")

KEPT = {"all": (BEST, LAST), "best": (BEST,), "last": (LAST,), "none": ()}
"""By the value of the setting."""


def drop_checkpoints(directory: Path, keep: str) -> None:
    """Delete the checkpoints of a finished cell that are not to be kept. For who holds its lock; what is gone stays gone.

    Not before there is a record: until then a kill makes the next attempt read both. That a file cannot be deleted is a
    warning, as the record stands.
    """
    for name in (BEST, LAST):
        if name in KEPT[keep] or not (directory / name).exists():
            continue
        try:
            (directory / name).unlink()
        except OSError as error:
            log.warning("%s could not be deleted (trainer.keep_checkpoints=%s): %s", directory / name, keep, error)
        else:
            log.info("%s was deleted (trainer.keep_checkpoints=%s)", name, keep)
