"""The code that the finished epochs of an interrupted cell were computed by, which its next attempt is held against.

An attempt notes its code when it begins. Where it ends before it has finished an epoch, nothing of the cell is of that code:
who puts an edited file back then has a cell of one code. So `code.json` also keeps what it held before, which counts for as
long as the checkpoints are those of then.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wisesr.results.atomic_files import read_json
from wisesr.results.cell_files import BEST, CODE, LAST
from wisesr.results.code import Code, changed_files, named, read_code_of, write_code
from wisesr.results.provenance import package_hash

_EARLIER = "earlier"


def code_of_epochs(directory: Path) -> Code | None:
    """The code of the attempt that has finished the latest epoch; None where there is no epoch, or nobody noted it."""
    noted = read_code_of(directory) if (directory / LAST).exists() else None
    if noted is None:
        return None
    earlier = (read_json(directory / CODE) or {}).get(_EARLIER)
    if not isinstance(earlier, dict) or earlier.get("checkpoints") != _checkpoints(directory):
        return noted
    changed = earlier["files"]
    files = {label: digest for label, digest in {**noted.files, **changed}.items() if digest is not None}
    return Code(files, tuple(earlier["unfollowed"]), tuple(earlier["edited"]))


def write_attempt(directory: Path, code: Code, before: Code | None) -> None:
    """Write `code.json` for an attempt that begins.

    Args:
        directory: of the cell.
        code: of this attempt.
        before: of the finished epochs, where there are any and it is known.
    """
    if before is None or before == code:
        write_code(directory, code)
        return
    earlier: dict[str, Any] = {
        "checkpoints": _checkpoints(directory),
        "files": {label: before.files.get(label) for label in changed_files(before, code)},
        "unfollowed": list(before.unfollowed),
        "edited": list(before.edited),
    }
    write_code(directory, code, {_EARLIER: earlier})


def other_code(directory: Path, sources: Iterable[str], code: Code) -> str:
    """The files that a cell with finished epochs goes on with, and that are or were others; empty where there are none.

    Args:
        directory: of the cell.
        sources: hashes of the code of its attempts, which is all that cells of before 2026-11-30 know of it.
        code: that it goes on with.
    """
    before = code_of_epochs(directory)
    if before is None:
        return "" if {code.source, package_hash()} & set(sources) else "wisesr (nobody noted which files)"
    return named({*before.edited, *changed_files(before, code)})


def _checkpoints(directory: Path) -> list[int]:
    """When each was written: an epoch that is finished writes one or both."""
    paths = (directory / BEST, directory / LAST)
    return [path.stat().st_mtime_ns if path.exists() else 0 for path in paths]
