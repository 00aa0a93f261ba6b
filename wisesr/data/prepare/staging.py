"""The folder in which a dataset grows before it takes its name: one process at a time, each file whole or absent. No torch.

What an earlier attempt left is kept where it is, byte for byte, what the source holds; so an attempt needs no journal, and a
file need not be on the disk before the next one is written. All of them are before the folder takes its name.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from wisesr.data.prepare.copying import place
from wisesr.errors import UserError

MARK = ".wisesr.json"
"""In a dataset's folder: where it comes from. In an unfinished one: that it is ours to clean up."""
_THREADS = 8


class Staging:
    """`<target>.partial`, beside the target.

    Args:
        target: the dataset's folder, resolved.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.partial")
        self._lock = target.with_name(f"{target.name}.partial.lock")

    def check_free(self) -> None:
        """Raise UserError where another process is at work; remove the lock of one that was killed."""
        if os.path.lexists(self._lock):
            with self.alone():
                pass

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out while the block runs.

        Raises:
            UserError: another one is at work.
        """
        self.target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                raise UserError(
                    f"another `wisesr data prepare` is at work in {self.path}: wait for its end, or stop it"
                ) from None
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(lock), self._lock.stat()):
                    break
            os.close(lock)  # its holder has ended, and removed it, between the two calls
        try:
            yield
        finally:
            self._lock.unlink(missing_ok=True)
            os.close(lock)

    def exists(self) -> bool:
        """Whether an earlier attempt left something.

        Raises:
            UserError: what is there is not ours.
        """
        try:
            kind = self.path.lstat().st_mode
        except FileNotFoundError:
            return False
        ours = stat.S_ISDIR(kind) and (not any(self.path.iterdir()) or stat.S_ISREG(_mode(self.path / MARK)))
        if not ours:
            raise UserError(f"{self.path} is in the way, and no earlier attempt of this command has made it: move or remove it")
        return True

    def clean(self, wanted: Collection[str]) -> None:
        """Delete all that is not wanted: links, what a killed process was writing, another archive's files."""
        folders = {str(parent) for path in wanted for parent in PurePosixPath(path).parents}
        files = {*wanted, MARK}
        pending = [self.path]
        with self._writing(self.path.name):
            while pending:
                for found in os.scandir(pending.pop()):
                    path = os.path.relpath(found.path, self.path)
                    if not found.is_dir(follow_symlinks=False):
                        if path not in files or not found.is_file(follow_symlinks=False):
                            Path(found.path).unlink()
                    elif path in folders:
                        pending.append(Path(found.path))
                    else:
                        shutil.rmtree(found.path)

    def has(self, path: str, size: int) -> bool:
        """Whether a file of this size stands at a path below; says nothing about its content."""
        with suppress(FileNotFoundError, NotADirectoryError):
            status = (self.path / path).lstat()
            return stat.S_ISREG(status.st_mode) and status.st_size == size
        return False

    def begin(self, note: bytes) -> None:
        """Make the folder, with a note that marks it as ours."""
        with self._writing(self.path.name):
            self.path.mkdir(exist_ok=True)
        self.place(MARK, iter([note]))

    def place(self, path: str, chunks: Iterator[bytes]) -> None:
        """Make a file whole; see `copying.place`.

        Raises:
            UserError: it cannot be written.
        """
        with self._writing(path):
            place(self.path, path, chunks)

    def finish(self, tell: Callable[[int], None]) -> None:
        """See all of it onto the disk, and give it the target's name.

        Args:
            tell: called with the number of files so far.
        """
        with self._writing(self.target.name):
            places = [(place, names) for place, _, names in os.walk(self.path)]
            done = 0
            with ThreadPoolExecutor(_THREADS) as pool:
                for count in pool.map(_sync_files, places):
                    done += count
                    tell(done)
            for place, _ in reversed(places):
                _sync(place)
            os.rename(self.path, self.target)  # noqa: PTH104
            _sync(str(self.target.parent))

    @contextmanager
    def _writing(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{self.path}: {_words(error)} ({path}). What is whole stays there: the same command goes on"
            ) from error


def _words(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full" if error.errno == errno.ENOSPC else "your share of the disk is used up"
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "something has put a link in the way"
    return error.strerror or str(error)


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return 0


def _sync_files(place: tuple[str, list[str]]) -> int:
    """Of one folder; how many there are."""
    for name in place[1]:
        _sync(f"{place[0]}/{name}")
    return len(place[1])


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
