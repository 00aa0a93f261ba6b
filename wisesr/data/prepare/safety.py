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
MAX_LIST = 64_000_000
"""Bytes of a list (train.csv, ...), which is read into memory; the largest real one has 2 MB."""

_MAX_NAME = 4096  # PATH_MAX and NAME_MAX of Linux, in bytes
_MAX_PART = 255


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
    if "\0" in name:
        raise UserError("has a NUL in its name")
    for form in dict.fromkeys(
        (name, unicodedata.normalize("NFKC", name))
    ):  # as NFKC, two-dot and full-width characters are .. and / too
        _check_form(form.replace("\\", "/"))
    parts = _parts(unicodedata.normalize("NFC", name.replace("\\", "/")))
    lengths = [len(part.encode(errors="surrogatepass")) for part in parts]
    if sum(lengths) + len(lengths) > _MAX_NAME or max(lengths, default=0) > _MAX_PART:
        raise UserError(f"has a name of more than {_MAX_NAME} bytes, or {_MAX_PART} between two slashes")
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
        self._count = 0

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
        if self._count > MAX_ENTRIES:
            raise UserError(f"{self._label} has more than {MAX_ENTRIES:,} entries")
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
            folder = folder.rpartition("/")[0]


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
