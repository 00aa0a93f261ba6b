"""Arrays in an `.npz` file that are mapped into memory, so that all processes that look at them share their pages. No torch.

The file is one of numpy's own, which `np.load` reads. Only where each array begins is ours: at a multiple of 64 bytes, by
padding in the zip's extra field, as Android's zipalign does it (https://developer.android.com/tools/zipalign).
"""

from __future__ import annotations

import io
import mmap
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_ALIGNMENT = 64
_LOCAL_HEADER = 30
"""Bytes before name and extra field: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7."""
_PADDING = 0xD935
"""The kind of extra field that zipalign writes."""
_OWN_DISKS = frozenset({"btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"})


def write_arrays(file: IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an `.npz` whose arrays can be mapped.

    Args:
        file: open for writing, at its beginning.
        arrays: of numbers.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            member.file_size = array.nbytes + 1024  # so that zipfile knows beforehand whether it needs 64 bits
            wide = 20 if member.file_size * 1.05 > zipfile.ZIP64_LIMIT else 0
            begins = file.tell() + _LOCAL_HEADER + len(member.filename) + wide + 4
            member.extra = struct.pack("<HH", _PADDING, padding := -begins % _ALIGNMENT) + bytes(padding)
            with archive.open(member, "w", force_zip64=wide > 0) as target:
                npy.write_array(target, np.ascontiguousarray(array), allow_pickle=False)


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a file of `write_arrays`, read-only; mapped where `is_on_own_disk`, and read elsewhere.

    A mapping outlives the file's replacement and removal on a disk of this machine. On a network's, where another machine
    removes the file, a look at it would end the process (SIGBUS).

    Raises:
        OSError, ValueError, struct.error, zipfile.BadZipFile, zlib.error: there is no such file, or a damaged one.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        whole: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if is_on_own_disk(path) else path.read_bytes()
        return {member.filename.removesuffix(".npy"): _array(whole, member) for member in archive.infolist()}


def _array(whole: Any, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One array, its content held against the checksum that the zip keeps."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    at = member.header_offset
    name, extra = struct.unpack("<HH", whole[at + 26 : at + _LOCAL_HEADER])
    start = at + _LOCAL_HEADER + name + extra
    content = memoryview(whole)[start : start + member.file_size]
    if zlib.crc32(content) != member.CRC:
        raise zipfile.BadZipFile(f"{member.filename} is damaged")
    header = io.BytesIO(bytes(content[:1024]))
    npy.read_magic(header)
    shape, fortran, dtype = npy.read_array_header_1_0(header)
    if fortran and len(shape) > 1:
        raise ValueError(f"{member.filename} is in Fortran's order")
    count = int(np.prod(shape))
    return np.frombuffer(content, dtype, count, header.tell()).reshape(shape) if count else np.zeros(shape, dtype)


def is_on_own_disk(path: Path) -> bool:
    """Whether a file lies on a disk of this machine, as far as Linux tells; False where nobody does."""
    if not sys.platform.startswith("linux"):
        return False
    device = path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    # 36 35 98:0 /root /mount options - ext4 source options: https://www.kernel.org/doc/Documentation/filesystems/proc.rst, 3.5
    return any(line.split()[2] == number and line.partition(" - ")[2].split()[0] in _OWN_DISKS for line in mounts)
