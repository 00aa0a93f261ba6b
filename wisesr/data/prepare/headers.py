"""The headers of a tar, looked at before `tarfile` takes them at their word: their sizes, records and number. No torch.

POSIX.1-2008 (pax): records `<length> <key>=<value>` and a newline, in a header of their own before an entry's, or before all.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator

from wisesr.data.prepare.safety import refusal

MAX_HEADER = 8_192
"""Bytes of a long name or of records; `tarfile` would read any number of them into memory."""
MAX_GLOBAL = 65_536
"""Bytes of all headers that hold for all entries."""
_MAX_GLOBALS = 100
"""Records in them: each is copied for each entry."""
_MAX_CHAIN = 32
"""Headers before an entry; each nests `tarfile` deeper. Three are all that programs write."""
_PAX = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
_LONG = {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, *_PAX}
_DIGITS = re.compile(rb"\d{101}")
"""`tarfile` may look for a keyword behind numbers in a time that grows with the square of their digits."""


class Headers:
    """Sees each header and what stands in it, in the order in which a tar has them.

    Args:
        label: of the source, for errors.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._chain = self._global_bytes = self._globals = 0
        self._sparse: str | None = None
        self._records_of: tarfile.TarInfo | None = None

    def see(self, header: tarfile.TarInfo) -> None:
        """A header; `content` must be called with what is read next.

        Raises:
            UserError: no archive may have it.
        """
        if header.type == tarfile.GNUTYPE_SPARSE or (self._sparse is not None and header.type not in _LONG):
            raise refusal(self._label, self._sparse or header.name, "is sparse, smaller on the disk than it says")
        if header.type not in _LONG:
            self._chain = 0
            return
        if not 0 <= header.size <= MAX_HEADER:
            raise refusal(self._label, header.name, f"has a header of {header.size:,} bytes, more than {MAX_HEADER:,}")
        self._chain += 1
        if self._chain > _MAX_CHAIN:
            raise refusal(self._label, header.name, f"is one of more than {_MAX_CHAIN} headers before a single entry")
        if header.type == tarfile.XGLTYPE:
            self._global_bytes += header.size
            self._check_globals(header)
        self._records_of = header if header.type in _PAX else None

    def content(self, block: bytes) -> None:
        """What follows the header that was seen last.

        Raises:
            UserError: it should be records, and is not; there are too many.
        """
        header, self._records_of = self._records_of, None
        if header is None:
            return
        if block[header.size :].strip(b"\0") or _DIGITS.search(block):
            raise refusal(self._label, header.name, "has a malformed header")
        if len(block) < header.size:
            return  # cut off: `tarfile` says so
        for key, value in self._records(header, block[: header.size]):
            self._globals += header.type == tarfile.XGLTYPE
            if key.startswith(b"GNU.sparse"):
                self._sparse = self._sparse or ""
            if key in (b"GNU.sparse.name", b"path") and self._sparse is not None:
                self._sparse = value.decode(errors="replace")
        self._check_globals(header)

    def _records(self, header: tarfile.TarInfo, content: bytes) -> Iterator[tuple[bytes, bytes]]:
        at = 0
        while at < len(content):
            length, space, _ = content[at : at + 6].partition(b" ")
            end = at + int(length) if space and length.isdigit() else 0
            record = content[at + len(length) + 1 : end]
            key, sign, value = record[:-1].partition(b"=")
            if not at < end <= len(content) or not record.endswith(b"\n") or not key or not sign:
                raise refusal(self._label, header.name, "has a malformed header")
            yield key, value
            at = end

    def _check_globals(self, header: tarfile.TarInfo) -> None:
        if self._global_bytes > MAX_GLOBAL or self._globals > _MAX_GLOBALS:
            raise refusal(
                self._label,
                header.name,
                f"brings the headers for all entries to more than {MAX_GLOBAL:,} bytes or {_MAX_GLOBALS} records",
            )


def member_of(headers: Headers) -> type[tarfile.TarInfo]:
    """The class of a tar's headers, which lets `headers` see them before any of their content is read."""

    class Member(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Member:
            header = super().frombuf(buf, encoding, errors)
            headers.see(header)
            return header

    return Member
