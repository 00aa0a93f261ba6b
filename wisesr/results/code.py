"""The code that a cell was computed by, in its `code.json`: each file's hash, so that two cells' code can be compared by name.

Two heads import different files. Code is the same where no file that both have differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.cell_files import CODE
from wisesr.results.code_files import FoundCode
from wisesr.wording import some_of

_SHOWN = 4
"""Files that a sentence names."""


class Code(NamedTuple):
    """The files of a cell's code."""

    files: Mapping[str, str]
    """Hash by label: `myheads/pool.py`."""
    unfollowed: tuple[str, ...] = ()
    """Where code is taken in that no file names."""
    edited: tuple[str, ...] = ()
    """Files that were edited between the attempts at the cell, or while it was importing them."""

    @property
    def source(self) -> str:
        """64 hexadecimal digits over all files."""
        lines = (f"{label}\0{digest}\n" for label, digest in sorted(self.files.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def as_found(found: FoundCode) -> Code:
    """The files without their places, which are this machine's."""
    return Code({label: file.sha256 for label, file in found.files.items()}, found.unfollowed)


def changed_files(then: Code, now: Code) -> list[str]:
    """Of one configuration, the files that are not what they were, or that are not there both times."""
    return sorted(label for label in {*then.files, *now.files} if then.files.get(label) != now.files.get(label))


def unlike_files(codes: Iterable[Code]) -> list[str]:
    """Of several configurations, the files that differ among those that have them."""
    seen: dict[str, str] = {}
    return sorted({label for code in codes for label, digest in code.files.items() if seen.setdefault(label, digest) != digest})


def named(files: Iterable[str]) -> str:
    """`myheads/pool.py, wisesr/training/fit.py`: the first few, those of others before wisesr's, and how many more."""
    return some_of(sorted(files, key=lambda label: (label.startswith("wisesr/"), label)), _SHOWN)


def write_code(directory: Path, code: Code, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Write `code.json` in a cell's directory; `more` is what stands beside the code."""
    content = {"schema": 1, "files": dict(code.files), "unfollowed": list(code.unfollowed), "edited": list(code.edited)}
    write_json(directory / CODE, {**content, **more})


def read_code_of(directory: Path) -> Code | None:
    """What `write_code` has written; None where there is none, or half of one, as of cells of before 2026-11-30."""
    kept = read_json(directory / CODE)
    if not isinstance(kept, dict) or not isinstance(files := kept.get("files"), dict):
        return None
    lists = (kept.get("unfollowed", []), kept.get("edited", []))
    if not all(isinstance(text, str) for text in (*files.values(), *(each for own in lists for each in own))):
        return None
    return Code(files, *map(tuple, lists))
