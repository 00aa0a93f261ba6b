"""What a dataset is prepared from: the files of an archive or a folder, and why one of them is refused. No torch.

Nothing that an archive says decides where bytes are written: its names are only compared, and `downloads` builds the paths. So
there is no `extractall`, whose `filter="data"` lets links, bombs and names that differ in case pass, and makes relative ones of
absolute ones. A hostile archive is refused all the same, before anything of it is written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

from wisesr.data.legible import shorten
from wisesr.data.tree import left_by_systems
from wisesr.errors import UserError

CHUNK = 1 << 18
MAX_ENTRIES = 1_000_000
MAX_NAME = 4096
"""Bytes of an entry's name: no disk that Linux knows takes a longer path."""
MAX_LIST = 8_000_000
"""Bytes of a list (train.csv, ...), which is read into memory; real ones have 2 MB."""
MAX_RATIO = 100
"""Bytes that a packed byte may become: photographs hardly pack at all, text 10 to 20 times."""
SMALL = 1_000_000
"""Bytes unpacked below which nothing is called a bomb."""


class Entry(NamedTuple):
    """A file of a source."""

    name: str
    """Below the source's top, as `normal` makes it."""
    size: int
    """Bytes, unpacked, as the source declares them."""
    open: Callable[[], IO[bytes]]
    refused: str = ""
    """Why it may not be taken; only folders have such entries, an archive that has one is refused."""


class Source:
    """An archive or a folder, whose files are added one by one.

    Args:
        label: what messages call it.
        kind: `zip`, `tar`, `folder`.
        size: bytes of the archive; 0 for a folder.
    """

    def __init__(self, label: str, kind: str, size: int = 0) -> None:
        self.label, self.kind, self.size = label, kind, size
        self.entries: list[Entry] = []
        """Files that are not hidden."""
        self.hidden = 0
        self._names: dict[str, str] = {}
        self._unpacked = 0

    def add(self, raw: str, size: int, opener: Callable[[], IO[bytes]], refused: str = "") -> None:
        """Add a file.

        Raises:
            UserError: its name leads out of the source, or is there already, in an archive also on a disk that is blind to
                case; there are too many files; it is a bomb.
        """
        name = normal(self.label, raw)
        key = name if self.kind == "folder" else without_case(name)
        if key in self._names:
            raise refusal(self.label, raw, f"is there twice, the other time as {shorten(self._names[key])}")
        self._names[key] = raw
        if len(self._names) > MAX_ENTRIES:
            raise refusal(self.label, raw, f"is one of more than {MAX_ENTRIES:,}: it is no dataset as downloaded")
        self.weigh(raw, size)
        if left_by_systems(name):
            self.hidden += 1
        else:
            self.entries.append(Entry(name, size, opener, refused))

    def weigh(self, raw: str, size: int) -> None:
        """Count bytes of an archive, unpacked. Raises UserError when they are too many for its own size, at this entry."""
        self._unpacked += size
        if self.size and self._unpacked > max(SMALL, MAX_RATIO * self.size):
            why = f"brings all to {self._unpacked:,} bytes, more than {MAX_RATIO} times the archive's {self.size:,}: a bomb"
            raise refusal(self.label, raw, why)

    def read(self, entry: Entry) -> Iterator[bytes]:
        """An entry's content in chunks, never more of it than it declares.

        Raises:
            UserError: it is refused, damaged, or has other than the bytes that it declares.
        """
        if entry.refused:
            raise refusal(self.label, entry.name, entry.refused)
        left = entry.size
        with reading(self.label, entry.name), entry.open() as file:
            while left >= 0 and (chunk := file.read(CHUNK)):
                left -= len(chunk)
                if left >= 0:
                    yield chunk
        if left:
            why = f"has other than the {entry.size:,} bytes that it declares: it is damaged, or has changed"
            raise refusal(self.label, entry.name, why)

    def read_list(self, entry: Entry) -> bytes:
        """The whole content of one of a dataset's lists. Errors as of `read`; and if it is too long for a list."""
        if entry.size > MAX_LIST:
            raise refusal(self.label, entry.name, f"has more than the {MAX_LIST:,} bytes of a list")
        return b"".join(self.read(entry))


def normal(label: str, raw: str) -> str:
    """An entry's name as a path below a source's top: forward slashes, no empty parts, Unicode NFC.

    Raises:
        UserError: it leads out of the source, or is too long.
    """
    if len(raw.encode(errors="surrogatepass")) > MAX_NAME:
        raise refusal(label, raw, f"has a name of more than {MAX_NAME:,} bytes")
    name = unicodedata.normalize("NFC", raw.replace("\\", "/"))
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or re.match(r"[A-Za-z]:", "/".join(parts)):
        raise refusal(label, raw, "has an absolute path")
    if ".." in parts:
        raise refusal(label, raw, "has .. in its path")
    return "/".join(parts)


def without_case(name: str) -> str:
    """A name as a disk that is blind to case compares it: two files whose names are equal so would become one there."""
    return unicodedata.normalize("NFC", name.casefold())


def refusal(label: str, name: str, why: str) -> UserError:
    """The error for an entry, by its name as it stands in the source: `why` goes on after it, "is a link"."""
    return UserError(f"{label}: entry {shorten(name)} {why}")


@contextmanager
def reading(label: str, entry: str = "") -> Iterator[None]:
    """Turn whatever a library raises over an archive's bytes into a message; what they raise for damage is not documented."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        where = f" at {shorten(entry)}" if entry else ""
        reason = str(error).partition("\n")[0].strip(" :.") or type(error).__name__
        is_of_disk = getattr(error, "errno", None) is not None
        advice = "" if is_of_disk else ". It is damaged or was cut off: download it again"
        raise UserError(f"{label} cannot be read{where}: {reason[:200]}{advice}") from error
