"""`.wisesr.json` in a prepared dataset's folder: where its files come from, so that a number can be traced. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wisesr.results.atomic_files import read_json

NOTE = ".wisesr.json"
_KEYS = ("name", "kind", "bytes", "sha256")


def archive_of(root: Path) -> dict[str, Any]:
    """The archive that `wisesr data prepare` has made a folder from: its name, kind, bytes, and SHA-256.

    Empty of any other folder, and where it was made from a folder, of which there is no hash.
    """
    try:
        note = read_json(root / NOTE)
    except OSError:
        return {}
    source = note.get("source") if isinstance(note, dict) else None
    if not isinstance(source, dict) or not isinstance(source.get("sha256"), str):
        return {}
    return {key: source[key] for key in _KEYS if isinstance(source.get(key), (str, int))}
