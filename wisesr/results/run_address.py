"""Where a cell's run is seen on W&B's server: noted in `wandb.json` by its logger and by `wisesr sync`, kept in the record.

An address names the account: a publication has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.record import Record

NOTES = "wandb.json"
"""In a cell's directory: `id` and `url` of its online run, and `sweep` where that is of one; `sent`, what `wisesr sync` has
made of its offline one; `told`, ids of a sweep's runs that have got the figures of the finished cell."""


def web_address(value: object) -> str:
    """A value that is an address a reader may follow, of http or https; empty where it is none."""
    if not isinstance(value, str) or any(letter.isspace() for letter in value):
        return ""
    try:
        parts = urlparse(value)
    except ValueError:
        return ""
    return value if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc else ""


def online_address(directory: Path) -> str:
    """Of the run that a cell's logger has open on the server, or had at its end; empty where it went offline."""
    return web_address(_notes(directory).get("url"))


def online_place(directory: Path) -> tuple[str, str] | None:
    """Entity and project of that run, which a sweep may have chosen; None where it went offline."""
    parts = [unquote(part) for part in urlparse(online_address(directory)).path.strip("/").split("/")]
    return (parts[-4], parts[-3]) if len(parts) >= 4 and parts[-2] == "runs" else None


def has_run(directory: Path, identifier: str) -> bool:
    """Whether a run on the server has all of a finished cell: its own, or one that was told of it later."""
    notes = _notes(directory)
    told = notes.get("told")
    return (notes.get("id") == identifier and "url" in notes) or (isinstance(told, list) and identifier in told)


def note_told(directory: Path, identifier: str) -> None:
    """A run of a sweep has got the figures of this finished cell."""
    notes = _notes(directory)
    told = notes.get("told")
    write_json(directory / NOTES, notes | {"told": [*(told if isinstance(told, list) else []), identifier]})


def run_address(directory: Path, record: Record | None) -> str:
    """Where the run of a finished cell is seen; empty where it is on no server, or nobody noted where.

    What was sent counts as long as its file is the cell's: an offline run that is newer is not on the server.
    """
    if record is not None and (online := web_address(record.provenance.run)):
        return online
    sent = _notes(directory).get("sent")
    if not isinstance(sent, dict):
        return ""
    # Names begin with the time; those of earlier attempts lie beside the run that was sent.
    newer = any(path.name > str(sent.get("file")) for path in directory.glob("wandb/offline-run-*"))
    return "" if newer else web_address(sent.get("url"))


def _notes(directory: Path) -> dict[str, Any]:
    notes = read_json(directory / NOTES)
    return notes if isinstance(notes, dict) else {}
