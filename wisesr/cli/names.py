"""Names of files that are made of names of users."""

from __future__ import annotations

import re


def file_name(name: str) -> str:
    """A name as one that every file system takes, and that is not hidden."""
    return re.sub(r"^\.|[^\w.-]", "_", name)
