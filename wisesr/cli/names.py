"""Names of files that are made of names of users."""

from __future__ import annotations

import re
from collections.abc import Iterable


def file_name(name: str) -> str:
    """A name as one that every file system takes, and that is not hidden."""
    return re.sub(r"^\.|[^\w.-]", "_", name)


def file_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """A file name for each name: no two the same, also where case makes no difference, and none that is taken."""
    files: list[str] = []
    used = {name.lower() for name in taken}
    for name in names:
        base = file = file_name(name)
        number = 1
        while file.lower() in used:
            number += 1
            file = f"{base}-{number}"
        used.add(file.lower())
        files.append(file)
    return files
