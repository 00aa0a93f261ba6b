"""The folder in which a dataset grows before it takes its name: one process at a time, begun anew each time. No torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from wisesr.errors import UserError
from wisesr.results.lock import take

_MARK = ".wisesr.unfinished"
"""In the folder: that it is ours to remove."""
_NOTE = "Unfinished: `wisesr data prepare` was stopped here. It removes this folder when it is given the same command again.\n"
_LOCK = ".lock"


class Staging:
    """`<target>.partial`, beside the target.

    Args:
        target: the dataset's folder, resolved.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.partial")
        self.files = self.path / "files"
        """What becomes the target."""

    def remove_stale(self) -> None:
        """Remove what a killed attempt has left.

        Raises:
            UserError: another process is at work, or what is there was made by no attempt.
        """
        if os.path.lexists(self.path):
            with self.alone():
                pass

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the folder, with `files` in it empty, while the block runs; then it is gone, however that ends.

        Raises:
            UserError: another process is at work, or what is there was made by no attempt.
        """
        made = [parent for parent in self.target.parents if not parent.exists()]
        try:
            with self._locked():
                try:
                    self._clear()
                    (self.path / _MARK).write_text(_NOTE)
                    self.files.mkdir()
                    yield
                finally:
                    self._remove()
        finally:
            with suppress(OSError):  # they hold something
                for parent in made:
                    parent.rmdir()

    def finish(self) -> None:
        """See the files onto the disk, and give them the target's name."""
        os.sync()
        os.rename(self.files, self.target)  # noqa: PTH104

    def _locked(self) -> IO[Any]:
        """The folder's lock, in the folder that bears its name; another process may end, and remove it, between two calls."""
        while True:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                self.path.mkdir()
            with suppress(FileNotFoundError):
                self._check_ours()
                lock = take(self.path)
                if lock is None:
                    raise UserError(f"another `wisesr data prepare` is at work in {self.path}: wait for its end, or stop it")
                if _is_there(lock):
                    return lock
                lock.close()

    def _check_ours(self) -> None:
        """A process may have been killed before its mark was there, or after: then there is nothing else."""
        try:
            names = {path.name for path in self.path.iterdir()}
        except NotADirectoryError:
            names = {self.path.name}
        if self.path.is_symlink() or not (_MARK in names or names <= {_LOCK}):
            raise UserError(f"{self.path} is in the way, and no earlier attempt of this command has made it: move or remove it")

    def _clear(self) -> None:
        if self.files.exists():
            shutil.rmtree(self.files)

    def _remove(self) -> None:
        """The mark last but the lock, so that what a kill leaves is known to be ours."""
        self._clear()
        for name in (_MARK, _LOCK):
            (self.path / name).unlink(missing_ok=True)
        with suppress(OSError):  # somebody has put something there
            self.path.rmdir()


def _is_there(file: IO[Any]) -> bool:
    """Whether a file that is open still has its name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))  # noqa: PTH116
    return False
