"""The bytes of a tar, however it is packed: read once from front to back, hashed, and watched for a bomb. No torch."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from wisesr.data.prepare.safety import MAX_RATIO, SMALL, shorten
from wisesr.data.prepare.sources import CHUNK
from wisesr.errors import UserError

AHEAD = 1 << 16
"""Bytes of the file that a decompressor may have read, and not used yet."""


class PackedFile(io.RawIOBase):
    """The archive's file: counts and hashes what is read.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._digest = hashlib.sha256()
        self.count = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """At most AHEAD bytes, so that it is known how many belong to an entry."""
        view = memoryview(buffer)[:AHEAD]
        count = self._file.readinto(view) or 0
        self._digest.update(view[:count])
        self.count += count
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def sha256(self) -> str:
        """Of all that was read."""
        return self._digest.hexdigest()


class Unpacked:
    """What `tarfile` reads from: goes forward only, and looks at how much comes out of how little.

    Args:
        path: of the archive.
        packing: `gz`, `bz2`, `xz` or nothing.
        tell: called with the bytes of the file so far.
        see: called with what each `read` returns, before it does.
    """

    def __init__(self, path: Path, packing: str, tell: Callable[[int], None], see: Callable[[bytes], None]) -> None:
        self.packed = PackedFile(path)
        self._stream = cast(IO[bytes], _OPENERS[packing](self.packed))
        self._label, self._tell, self._see = path.name, tell, see
        self._position = 0
        self.at = ""
        """Name of the entry that was looked at last, for errors."""
        self.last = b""
        """What was read last; `tarfile` reads headers on their own."""

    def read(self, size: int) -> bytes:
        """Like a file's; negative sizes are none."""
        pieces = []
        while size > 0 and (piece := self._stream.read(min(size, CHUNK))):
            pieces.append(piece)
            size -= len(piece)
            self._position += len(piece)
            self._check()
        self.last = b"".join(pieces)
        self._see(self.last)
        return self.last

    def tell(self) -> int:
        """Bytes so far, unpacked."""
        return self._position

    def seek(self, position: int) -> int:
        """Read up to there.

        Raises:
            ValueError: that is behind.
        """
        if position < self._position:
            raise ValueError("it leads back to a place before")
        while self._position < position and self.read(min(CHUNK, position - self._position)):
            pass
        self.last = b""
        return self._position

    def drain(self) -> None:
        """Read to the end of the file: the packing's own check of its content, and the hash, come last."""
        while self.read(CHUNK):
            pass
        while self.packed.read(AHEAD):
            pass

    def close(self) -> None:
        """Close the files."""
        self._stream.close()
        self.packed.close()

    def _check(self) -> None:
        self._tell(self.packed.count)
        if self._position > max(SMALL, MAX_RATIO * self.packed.count):
            where = f"at entry {shorten(self.at)} or behind it" if self.at else "at its first entry"
            raise UserError(
                f"{self._label} unpacks to more than {MAX_RATIO} times its bytes, {self._position:,} from the first "
                f"{self.packed.count:,}: a bomb, {where}"
            )


_OPENERS: dict[str, Callable[[Any], object]] = {
    "": lambda file: io.BufferedReader(file, AHEAD),
    "gz": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
