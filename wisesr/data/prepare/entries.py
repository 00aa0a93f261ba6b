"""What a dataset is prepared from, after it has been looked through: its files, and why one of them is refused. No torch.

Nothing that an archive says decides where bytes are written: its names are only compared, and `downloads` builds the paths. So
there is no `extractall`, whose `filter="data"` lets links, bombs, and names that differ in case pass. A hostile archive is
refused all the same, before anything of it is written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, NamedTuple

from wisesr.errors import UserError

CHUNK = 1 << 18
MAX_ENTRIES = 1_000_000
MAX_NAME = 1_024
"""Characters; real names have up to 100."""
MAX_LISTS = 8_000_000
"""Bytes of all lists (train.csv, ...), which are read into memory; real ones have 2 MB."""
MAX_RATIO = 100
"""Bytes that a packed byte may become: photographs hardly pack at all, text 10 to 20 times."""
SMALL = 1_000_000
"""Bytes unpacked below which nothing is called a bomb."""


class Entry(NamedTuple):
    """A file of a source."""

    name: str
    """Below the source's top, with forward slashes, normalised."""
    size: int
    """Bytes, unpacked, as the source declares them."""
    offset: int
    """Where it stands in the source: archives are read from front to back."""
    open: Callable[[], IO[bytes]]
    content: bytes = b""
    """Of the lists that were asked for."""
    refused: str = ""
    """Why it may not be taken; only folders have such entries, an archive that has one is refused."""


class Source:
    """An archive or a folder, whose files are added one by one.

    Args:
        label: what messages call it: its name.
        kind: `zip`, `tar`, `folder`.
        lists: names, without folders, of the files whose content is wanted with their entry.
        size: bytes of the archive; 0 for a folder.
    """

    def __init__(self, label: str, kind: str, lists: Collection[str], size: int = 0) -> None:
        self.label, self.kind, self.size = label, kind, size
        self.entries: list[Entry] = []
        self._lists, self._list_bytes, self._count = lists, 0, 0

    def add(self, entry: Entry) -> None:
        """Add a file.

        Raises:
            UserError: it is a list that is too long, or cannot be read.
        """
        if entry.name.rpartition("/")[2] in self._lists:
            if entry.refused:
                raise refusal(self.label, entry.name, entry.refused)
            self._list_bytes += entry.size
            if self._list_bytes > MAX_LISTS:
                raise refusal(self.label, entry.name, f"brings the lists to more than {MAX_LISTS:,} bytes")
            entry = entry._replace(content=b"".join(self.read(entry)))
        self.entries.append(entry)

    def read(self, entry: Entry) -> Iterator[bytes]:
        """An entry's content, never more of it than it declares.

        Raises:
            UserError: it is damaged, or has other than the bytes that it declares.
        """
        size = 0
        with reading(self.label, entry.name):
            file = entry.open()
        with file:
            while True:
                with reading(self.label, entry.name):
                    chunk = file.read(CHUNK)
                size += len(chunk)
                if size > entry.size or (not chunk and size < entry.size):
                    why = f"has other than the {entry.size:,} bytes that it declares: it is damaged, or has changed"
                    raise refusal(self.label, entry.name, why)
                if not chunk:
                    return
                yield chunk

    def count(self, raw: str, unpacked: int = 0) -> None:
        """Note an entry, whatever it is; `unpacked`: bytes that an archive declares to unpack to, up to its end.

        Raises:
            UserError: there are too many entries; it is a bomb.
        """
        self._count += 1
        if self._count > MAX_ENTRIES:
            raise refusal(self.label, raw, f"is one of more than {MAX_ENTRIES:,}: it is no dataset as downloaded")
        if unpacked > max(SMALL, MAX_RATIO * self.size):
            why = f"brings what is unpacked to {unpacked:,} bytes, more than {MAX_RATIO} times the archive's {self.size:,}"
            raise refusal(self.label, raw, f"{why}: a bomb")


def normal(raw: str) -> str:
    """A name as a path below a source: forward slashes, no empty parts, Unicode NFC; empty for the source's top.

    Raises:
        ValueError: it leads out of the source, or is too long; the text is what `refusal` puts after the name.
    """
    if len(raw) > MAX_NAME:
        raise ValueError(f"has a name of more than {MAX_NAME:,} characters")
    name = unicodedata.normalize("NFC", raw.replace("\\", "/"))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or re.match(r"[A-Za-z]:", "/".join(parts)):
        raise ValueError("has an absolute path")
    if ".." in parts:
        raise ValueError("has .. in its path")
    return "/".join(parts)


class Names:
    """Names that go together on any disk, also on one that is blind to case: none comes twice, no file is also a folder.

    Args:
        label: of the source, for errors.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._files: dict[str, str] = {}

    def add(self, raw: str) -> str:
        """A file's name, as `check` gives it.

        Raises:
            UserError: it may not be there.
        """
        name = self.check(raw)
        if not name:
            raise refusal(self._label, raw, "has no name")
        if other := self._files.get(_key(name)):
            raise refusal(self._label, raw, f"is there twice, the other time as {other!a}")
        self._files[_key(name)] = raw
        return name

    def check(self, raw: str) -> str:
        """Any entry's name as `normal` makes it; a folder's may come again.

        Raises:
            UserError: it may not be there.
        """
        try:
            return normal(raw)
        except ValueError as error:
            raise refusal(self._label, raw, str(error)) from None

    def check_folders(self) -> None:
        """Refuse files in a folder that is a file, once all names are known."""
        for key, raw in self._files.items():
            if other := next((str(parent) for parent in PurePosixPath(key).parents if str(parent) in self._files), None):
                raise refusal(self._label, raw, f"makes a folder of the file {self._files[other]!a}")


def _key(name: str) -> str:
    """What two names have in common that some file system cannot tell apart."""
    return unicodedata.normalize("NFC", name.casefold())


def refusal(label: str, name: str, why: str) -> UserError:
    """The error for an entry, by its name as it stands in the source: `why` goes on after it, "is a link"."""
    return UserError(f"{label}: entry {ascii(name) if len(name) < 200 else ascii(name[:150]) + '...'} {why}")


@contextmanager
def reading(label: str, entry: str = "") -> Iterator[None]:
    """Turn whatever a library raises over an archive's bytes into a message; what they raise for damage is not documented."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        where = f" at {entry!a}" if entry else ""
        reason = str(error).strip() or type(error).__name__
        raise UserError(
            f"{label} cannot be read{where}: {reason[:200]}. It is damaged or was cut off: download it again, and "
            "give the same command"
        ) from error
