"""The folder in which a dataset grows before it takes its name: one process at a time, each file whole or absent. No torch.

What an earlier attempt left is kept where it is, byte for byte, what the source holds; so an attempt needs no journal, and a
file need not be on the disk before the next one is written. All of them are before the folder takes its name.
"""

from __future__ import annotations

import errno
import json
import os
import posixpath
import stat
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from wisesr.data.prepare.copying import FOLDER, NEW, place
from wisesr.data.prepare.lock import held
from wisesr.errors import UserError

MARK = ".wisesr.json"
"""In a dataset's folder, written last: where it comes from."""
UNFINISHED = ".wisesr.unfinished"
"""In an unfinished folder: what is being made there, and so that it is ours to clean up."""
_MAX_NOTE = 16_384  # bytes: a path has 4,096, and JSON makes six of one
_THREADS = 8


class Staging:
    """`<target>.partial`, beside the target.

    Args:
        target: the dataset's folder, resolved.
        dataset: its name.
    """

    def __init__(self, target: Path, dataset: str) -> None:
        self.target, self._dataset = target, dataset
        self.path = target.with_name(f"{target.name}.partial")
        self._lock = target.with_name(f"{target.name}.partial.lock")

    def check_free(self) -> None:
        """Raise UserError where another process is at work; remove what a killed one left beside or in the target."""
        if os.path.lexists(self._lock):
            with self.alone():
                pass
        if _is_folder(self.target) and self._is_marked(self.target):  # killed right after the folder got its name
            (self.target / UNFINISHED).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out while the block runs.

        Raises:
            UserError: another one is at work.
        """
        made = [parent for parent in self.target.parents if not parent.exists()]
        self.target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with held(self._lock, f"another `wisesr data prepare` is at work in {self.path}: wait for its end, or stop it"):
                yield
        finally:
            with suppress(OSError):  # they hold something
                for parent in made:
                    parent.rmdir()

    def exists(self) -> bool:
        """Whether an earlier attempt at the same dataset and target left something.

        Raises:
            UserError: what is there is not ours.
        """
        if not os.path.lexists(self.path):
            return False
        # A process may have been killed before it had its mark in place: then there is nothing else.
        if not (_is_folder(self.path) and (self._is_marked(self.path) or not {*os.listdir(self.path)} - {NEW})):  # noqa: PTH208
            raise UserError(
                f"{self.path} is in the way, and no earlier attempt of this command at {self._dataset} has made it: "
                "move or remove it"
            )
        return True

    def _is_marked(self, folder: Path) -> bool:
        """Whether a folder says of itself that it is unfinished, and is to become this dataset at this target."""
        try:
            with os.fdopen(os.open(folder / UNFINISHED, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                content = file.read(_MAX_NOTE) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
            return bool(json.loads(content) == json.loads(self._note()))
        except (OSError, ValueError, RecursionError):
            return False

    def _note(self) -> bytes:
        return (json.dumps({"schema": 1, "dataset": self._dataset, "target": str(self.target)}) + "\n").encode()

    def clean(self, wanted: Collection[str]) -> None:
        """Delete all that is not wanted: links, what a killed process was writing, another archive's files."""
        folders = {str(parent) for path in wanted for parent in PurePosixPath(path).parents}
        files = {*wanted, UNFINISHED}
        with self._writing(self.path.name), _opened(self.path) as base:
            # By descriptor: a folder that becomes a link meanwhile is not entered. From below, so that folders are empty.
            for place, below, names, folder in os.fwalk(".", topdown=False, dir_fd=base):
                for name in (*below, *names):
                    path = posixpath.normpath(posixpath.join(place, name))
                    kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
                    if stat.S_ISDIR(kind) and path not in folders:
                        os.rmdir(name, dir_fd=folder)
                    elif not stat.S_ISDIR(kind) and not (stat.S_ISREG(kind) and path in files):
                        os.unlink(name, dir_fd=folder)

    def has(self, path: str, size: int) -> bool:
        """Whether a file of this size stands at a path below; says nothing about its content."""
        with suppress(FileNotFoundError, NotADirectoryError):
            status = (self.path / path).lstat()
            return stat.S_ISREG(status.st_mode) and status.st_size == size
        return False

    def begin(self) -> None:
        """Make the folder, with a note that marks it as ours."""
        with self._writing(self.path.name):
            self.path.mkdir(exist_ok=True)
        self.place(UNFINISHED, iter([self._note()]))

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
            (self.target / UNFINISHED).unlink()
            _sync(str(self.target))
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


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_folder(path: Path) -> bool:
    """And no link to one."""
    return path.is_dir() and not path.is_symlink()


def _sync_files(place: tuple[str, list[str]]) -> int:
    """Of one folder; how many there are."""
    for name in place[1]:
        _sync(f"{place[0]}/{name}")
    return len(place[1])


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
