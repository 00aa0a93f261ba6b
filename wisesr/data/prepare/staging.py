"""The folder in which a dataset grows before it takes its name: one process at a time, begun anew each time. No torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wisesr.errors import UserError
from wisesr.results.lock import locked

_FILES, _LOCK = "unfinished-by-wisesr", ".lock"
"""All that there is in the folder of a killed attempt."""


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """An empty folder below `<target>.partial` that becomes the target if the block ends well; else nothing is left of it.

    The target is resolved, and empty if it is there.

    Raises:
        UserError: another process is at work, or what is there was made by no attempt.
    """
    folder = target.with_name(f"{target.name}.partial")
    made = [parent for parent in target.parents if not parent.exists()]
    _check_ours(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder) as is_alone:
            if not is_alone:
                raise UserError(f"another `wisesr data prepare` is at work in {folder}: wait for its end, or stop it")
            try:
                shutil.rmtree(folder / _FILES, ignore_errors=True)
                (folder / _FILES).mkdir()
                yield folder / _FILES
                os.sync()
                (folder / _FILES).rename(target)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    finally:
        with suppress(OSError):  # they hold something
            for parent in made:
                parent.rmdir()


def _check_ours(folder: Path) -> None:
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir() or {path.name for path in folder.iterdir()} - {_FILES, _LOCK}:
        raise UserError(f"{folder} is in the way, and no earlier attempt of this command has made it: move or remove it")
