"""The end of a zip, read before `zipfile` takes all of its directory into memory. No torch."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import IO

from wisesr.data.prepare.safety import MAX_ENTRIES
from wisesr.data.prepare.sources import CHUNK
from wisesr.errors import UserError

_END = b"PK\x05\x06"
_END_SIZE = 22
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
_END64, _END64_SIZE = b"PK\x06\x06", 56
_ENTRY = b"PK\x01\x02"
_MAX_COMMENT = 0xFFFF
_BYTES = 200
"""Of an entry in the directory: 46 and its name, on average."""


def check_directory(path: Path, label: str) -> None:
    """Refuse a zip of too many entries, or one that says so. One without an end is left to `zipfile`, which says that.

    Raises:
        UserError: more than MAX_ENTRIES entries, or a directory of more than MAX_ENTRIES * 200 bytes.
    """
    with path.open("rb") as file:
        if (found := _end(file, label)) is None:
            return
        entries, size, place = found
        if entries <= MAX_ENTRIES and size <= MAX_ENTRIES * _BYTES:
            entries = _count(file, max(0, place - size), size)  # what it says need not be so
        if entries > MAX_ENTRIES or size > MAX_ENTRIES * _BYTES:
            raise UserError(
                f"{label} has more than {MAX_ENTRIES:,} entries or {MAX_ENTRIES * _BYTES:,} bytes of them in its directory: "
                "it is no dataset as downloaded"
            )


def _end(file: IO[bytes], label: str) -> tuple[int, int, int] | None:
    """Entries, bytes of the directory, where it ends."""
    length = file.seek(0, 2)
    start = max(0, length - _MAX_COMMENT - _END_SIZE - _LOCATOR_SIZE - _END64_SIZE)
    file.seek(start)
    tail = file.read()
    at = len(tail) - _END_SIZE
    if not (at >= 0 and tail.startswith(_END, at) and tail.endswith(b"\0\0")):
        at = tail.rfind(_END)
    if at < 0 or at + _END_SIZE > len(tail):
        return None
    entries, size = struct.unpack_from("<HL", tail, at + 10)
    if at < _LOCATOR_SIZE or not tail.startswith(_LOCATOR, at - _LOCATOR_SIZE):
        return entries, size, start + at
    at -= _LOCATOR_SIZE + _END64_SIZE
    if at < 0 or not tail.startswith(_END64, at):
        raise UserError(f"{label} has an end of a zip64 that does not lead to its directory: it is damaged. Download it again")
    large, long = struct.unpack_from("<QQ", tail, at + 32)
    return large, long, start + at


def _count(file: IO[bytes], start: int, size: int) -> int:
    """At least as many as the entries: each begins with a signature, which may also stand in a name."""
    file.seek(start)
    found, before = 0, b""
    while size > 0 and (chunk := file.read(min(CHUNK, size))):
        size -= len(chunk)
        piece = before + chunk
        found += piece.count(_ENTRY)
        before = piece[-len(_ENTRY) + 1 :]
    return found
