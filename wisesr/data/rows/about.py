"""`about.json` of a store: what lies there, in words, for the list of what is kept and for whoever made it. No torch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.data.rows.segment import paths_of_rows
from wisesr.results.atomic_files import read_json, write_json

ABOUT = "about.json"
_PARTS = "parts"


def read_about(folder: Path) -> dict[str, Any]:
    """Its content; empty where there is none that can be read."""
    try:
        found = read_json(folder / ABOUT)
    except OSError:
        return {}
    return found if isinstance(found, dict) else {}


def note_about(folder: Path, facts: Mapping[str, Any]) -> None:
    """Add facts to it, in place of those of the same name; what else is known stays.

    Raises:
        OSError: the folder cannot be written.
    """
    write_json(folder / ABOUT, {"created": time.time(), **read_about(folder), **facts})


def note_part(folder: Path, name: str, words: Mapping[str, Any]) -> None:
    """Tell what a segment holds: the dataset. Words about those that are gone go.

    Raises:
        OSError: the folder cannot be written.
    """
    there = {path.stem for path in paths_of_rows(folder)}
    known = {own: text for own, text in _parts(folder).items() if own in there}
    note_about(folder, {_PARTS: {**known, name: dict(words)}})


def words_of(folder: Path, name: str) -> dict[str, Any]:
    """What `note_part` told of a segment, by its name; by an empty one of what is being written, or was begun."""
    parts = _parts(folder)
    begun = [own for own in parts if not (folder / f"{own}.rows").exists()]
    words = parts.get(name or (begun[-1] if begun else ""), {})
    return words if isinstance(words, dict) else {}


def _parts(folder: Path) -> dict[str, Any]:
    parts = read_about(folder).get(_PARTS)
    return parts if isinstance(parts, dict) else {}
