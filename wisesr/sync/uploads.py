"""What of a cell is on W&B's server, by what the cell itself knows: its files, and the notes in its `wandb.json`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.lock import is_running
from wisesr.results.record import read_record
from wisesr.results.store import state_of

NOTES = "wandb.json"
_DEFAULT_PROJECT = "wisesr"
"""Of cells whose configuration has no W&B logger any more."""

OFFLINE, SENT, ONLINE, WITHOUT, UNFINISHED = "offline", "sent", "online", "without", "unfinished"


class Destination(NamedTuple):
    """Where on the server."""

    entity: str | None
    """A user or team; None for the account's own."""
    project: str


class Sent(NamedTuple):
    """An upload that came to its end."""

    id: str
    entity: str
    project: str
    file: str
    """Name of the offline run's folder."""


class SyncCell(NamedTuple):
    """A cell as `wisesr sync` sees it."""

    directory: Path
    name: str
    """Its path below the study."""
    state: str
    """offline: to be sent. sent: that was done. online: it was there from the start. without: no W&B files. unfinished."""
    destination: Destination
    """Where it goes, or is; of online runs always that of their configuration."""
    config: Mapping[str, Any]
    """Empty for unfinished cells."""
    offline: Path | None = None
    """Folder of the offline run."""
    identifier: str | None = None
    """Of its run on the server."""
    detail: str = ""
    """Why it is unfinished."""

    @property
    def study(self) -> str:
        """Its group on the server."""
        return str(self.config["study"])


def read_sync_cell(directory: Path, name: str, *, project: str | None = None, entity: str | None = None) -> SyncCell:
    """Where a cell stands.

    Args:
        directory: of the cell.
        name: what to call it.
        project: to send to; None for the one in its configuration.
        entity: the same.
    """
    record = read_record(directory)
    config = record.get("config") if record else None
    if not isinstance(config, dict) or not {"study", "head", "backbone", "dataset", "seed"} <= set(config):
        state = "damaged" if record else " ".join(filter(None, state_of(directory, running=is_running(directory))))
        return SyncCell(directory, name, UNFINISHED, Destination(entity, project or ""), {}, detail=state)
    logger = (config.get("logger") or {}).get("wandb") or {}
    own = Destination(logger.get("entity"), logger.get("project") or _DEFAULT_PROJECT)
    destination = Destination(entity or own.entity, project or own.project)
    state, offline, identifier = _runs(directory, destination, own)
    return SyncCell(directory, name, state, own if state == ONLINE else destination, config, offline, identifier)


def _runs(directory: Path, destination: Destination, own: Destination) -> tuple[str, Path | None, str | None]:
    """State, folder of the offline run, id on the server. An offline run counts more than an online one: it is whole.

    What went there without this command, went to the cell's own destination.
    """
    notes = read_notes(directory)
    offline = sorted(path for path in directory.glob("wandb/offline-run-*") if any(path.glob("*.wandb")))
    if offline:
        its = offline[-1]
        sent = sent_of(notes)
        if sent and sent.file == its.name and sent.project == destination.project:
            if destination.entity in (None, sent.entity):
                return SENT, its, sent.id
        by_hand = not notes.get("tried") and not sent and any(its.glob("*.wandb.synced"))  # with `wandb sync`
        if by_hand and destination == own:
            return SENT, its, _identifier(its)
        return OFFLINE, its, None
    online = sorted(directory.glob("wandb/run-*"))
    if online:
        return ONLINE, None, str(notes.get("id") or _identifier(online[-1]))
    return WITHOUT, None, None


def _identifier(folder: Path) -> str:
    return folder.name.rpartition("-")[2]


def read_notes(directory: Path) -> dict[str, Any]:
    """`wandb.json` of a cell: `id` of its online run, `sent`, ids that were `tried` or `replaced`; empty without."""
    notes = read_json(directory / NOTES)
    return notes if isinstance(notes, dict) else {}


def sent_of(notes: Mapping[str, Any]) -> Sent | None:
    """The last upload; None where there was none."""
    sent = notes.get("sent")
    if not isinstance(sent, dict) or not all(isinstance(sent.get(key), str) for key in Sent._fields):
        return None
    return Sent(**{key: sent[key] for key in Sent._fields})


def note_attempt(directory: Path, identifier: str) -> None:
    """Before the server hears of it: whatever becomes of this upload, no other will use its id."""
    notes = read_notes(directory)
    write_json(directory / NOTES, notes | {"tried": [*notes.get("tried", []), identifier]})


def note_success(directory: Path, sent: Sent) -> None:
    """The upload is whole; those of before are not what the cell is any more."""
    notes = read_notes(directory)
    tried = [name for name in notes.get("tried", []) if name != sent.id]
    before = sent_of(notes)
    replaced = [*notes.get("replaced", []), *([before.id] if before else []), *tried]
    kept = {key: value for key, value in notes.items() if key not in ("tried", "replaced")}
    write_json(directory / NOTES, kept | {"sent": sent._asdict()} | ({"replaced": replaced} if replaced else {}))
