"""`uncommitted.diff`: how the tracked files of the checkout differed from its commit when a cell was computed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from wisesr.results.atomic_files import replacing
from wisesr.results.provenance import diff

DIFF = "uncommitted.diff"
LARGEST = 200_000
"""Bytes of a diff that are kept."""


def write_uncommitted(directory: Path) -> None:
    """Write the file for the code of this process; where nothing differs, or there is no checkout, there is none."""
    content = diff()
    if not content:
        (directory / DIFF).unlink(missing_ok=True)
        return
    kept = content
    if len(content) > LARGEST:
        kept = content[:LARGEST].rpartition(b"\n")[0] + b"\n"
        kept += f"[wisesr: {len(content):,} bytes in all; the rest is not kept]\n".encode()
    with replacing(directory / DIFF) as partial:
        partial.write_bytes(kept)


def describe_uncommitted(directory: Path) -> dict[str, Any]:
    """For the record: the hash of the file and its size; empty where there is none."""
    try:
        content = (directory / DIFF).read_bytes()
    except FileNotFoundError:
        return {}
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
