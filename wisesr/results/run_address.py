"""Where a cell's run is seen on W&B's server: noted in `wandb.json` by its logger and by `wisesr sync`, kept in the record.

An address names the account: a publication has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from wisesr.results.atomic_files import read_json
from wisesr.results.record import Record

NOTES = "wandb.json"
"""In a cell's directory: `id` and `url` of its online run; `sent`, what `wisesr sync` has made of its offline one."""


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
