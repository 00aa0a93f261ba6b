"""What no archive may hold, whether its entries are wanted or not. No torch.

Nothing that an archive says decides where bytes are written: its names are only compared, and the layouts build the paths. A
hostile archive is refused all the same, and the sooner it is, the less of it is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from wisesr.errors import UserError

MAX_ENTRIES = 1_000_000
MAX_RATIO = 100
"""Bytes that one packed byte may become: photographs hardly pack at all, text 10 to 20 times."""
SMALL = 1_000_000
"""Bytes unpacked below which nothing is called a bomb."""
MAX_LIST = 8_000_000
"""Bytes of a list (train.csv, ...), which is read into memory; the largest real one has 2 MB."""
MAX_LISTS = 32_000_000
"""Bytes of all lists."""
MAX_ROWS = 200_000
"""Lines of a list; the longest real one has 31,500."""

_MAX_NAME = 1024
"""Bytes; real ones have up to 100. Each folder of a name is kept as a name of its own."""
_MAX_PARTS = 32
_MAX_PART = 255  # NAME_MAX of Linux, in bytes
_MAX_NAMES = 100 * MAX_ENTRIES
"""Bytes of all names."""
_MAX_FOLDERS = 100_000


def refusal(label: str, name: str, why: str) -> UserError:
    """The error for an entry.

    Args:
        label: of the source.
        name: of the entry, as it stands there.
        why: "is a symbolic link", ...
    """
    return UserError(f"{label}: entry {shorten(name)} {why}")


def shorten(name: str) -> str:
    """An entry's name for a message."""
    return ascii(name) if len(name) < 200 else ascii(name[:150]) + "..."


def normal(name: str) -> str:
    """An entry's name as a path below the archive: forward slashes, no empty parts, Unicode NFC; empty for its top.

    Raises:
        UserError: it is none. The text is what `refusal` puts after the name.
    """
    if len(name) > 16 * _MAX_NAME:  # before any work on it
        raise UserError(f"has a name of more than {_MAX_NAME:,} bytes")
    if "\0" in name:
        raise UserError("has a NUL in its name")
    for form in dict.fromkeys(
        (name, unicodedata.normalize("NFKC", name))
    ):  # as NFKC, two-dot and full-width characters are .. and / too
        _check_form(form.replace("\\", "/"))
    parts = _parts(unicodedata.normalize("NFC", name.replace("\\", "/")))
    lengths = [len(part.encode(errors="surrogatepass")) for part in parts]
    if sum(lengths) + len(lengths) > _MAX_NAME + 1 or len(parts) > _MAX_PARTS or max(lengths, default=0) > _MAX_PART:
        raise UserError(f"has a name of more than {_MAX_PARTS} parts, {_MAX_NAME:,} bytes, or {_MAX_PART} bytes in a part")
    return "/".join(parts)


def _check_form(name: str) -> None:
    if name.startswith("/"):
        raise UserError("has an absolute path")
    if any(len(part) > 1 and not part.strip(" .") and "." in part for part in name.split("/")):  # "..", ".. " and "..." too
        raise UserError("has .. in its path")
    if re.match(r"[A-Za-z]:", "/".join(_parts(name))):
        raise UserError("has a drive letter")


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]


def key(name: str) -> str:
    """What two names have in common that some file system cannot tell apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class Names:
    """The names of an archive, one after the other: each is safe, none comes twice, no file is also a folder.

    Args:
        label: of the source, for errors.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._files: dict[str, str] = {}
        self._folders: set[str] = set()
        self._count = self._bytes = 0

    def file(self, raw: str) -> str:
        """A file's name as a path below the archive.

        Raises:
            UserError: it may not be there.
        """
        name = self._normal(raw)
        if not name:
            raise refusal(self._label, raw, "has no name")
        its = key(name)
        if its in self._files:
            raise refusal(self._label, raw, f"is there twice, the other time as {self._files[its]!a}")
        if its in self._folders:
            raise refusal(self._label, raw, "is a file and also a folder")
        self._enter(raw, its.rpartition("/")[0])
        self._files[its] = raw
        return name

    def folder(self, raw: str) -> None:
        """A folder's name; the same one may come again.

        Raises:
            UserError: it may not be there.
        """
        self._enter(raw, key(self._normal(raw)))

    def _normal(self, raw: str) -> str:
        self._count += 1
        self._bytes += len(raw)
        if self._count > MAX_ENTRIES or self._bytes > _MAX_NAMES:
            raise UserError(f"{self._label} has more than {MAX_ENTRIES:,} entries, or {_MAX_NAMES:,} bytes of names")
        try:
            return normal(raw)
        except UserError as error:
            raise refusal(self._label, raw, str(error)) from None

    def _enter(self, raw: str, folder: str) -> None:
        """Note a folder and those above it."""
        while folder and folder not in self._folders:
            if folder in self._files:
                raise refusal(self._label, raw, f"makes a folder of the file {self._files[folder]!a}")
            self._folders.add(folder)
            if len(self._folders) > _MAX_FOLDERS:
                raise refusal(self._label, raw, f"is in one of more than {_MAX_FOLDERS:,} folders")
            folder = folder.rpartition("/")[0]


class Lists:
    """The lists of a source, which are read into memory.

    Args:
        label: of the source, for errors.
    """

    def __init__(self, label: str) -> None:
        self._label, self._size = label, 0

    def check(self, name: str, size: int) -> None:
        """Refuse one that is too large, alone or with those before."""
        self._size += size
        if size > MAX_LIST or self._size > MAX_LISTS:
            its = f"is larger than a list can be, {MAX_LIST:,} bytes"
            raise refusal(self._label, name, its if size > MAX_LIST else f"makes more than {MAX_LISTS:,} bytes of lists")


def check_rows(label: str, name: str, content: bytes) -> None:
    """Refuse a list of more lines than any dataset has images; a first line in which no one could look for columns."""
    if content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n") > MAX_ROWS:
        raise refusal(label, name, f"has more than {MAX_ROWS:,} lines")
    if len(content.split(b"\n", 1)[0]) > _MAX_PART * _MAX_PARTS:
        raise refusal(label, name, f"has a first line of more than {_MAX_PART * _MAX_PARTS:,} bytes")


def check_ratio(label: str, name: str, unpacked: int, packed: int) -> None:
    """Refuse an entry that unpacks to far more bytes than it has."""
    if unpacked > SMALL and unpacked > MAX_RATIO * packed:
        raise refusal(label, name, f"unpacks to {unpacked:,} bytes from {packed:,}, more than {MAX_RATIO} times: a bomb")


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
