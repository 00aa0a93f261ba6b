"""What of a cell is on W&B's server, by what the cell itself knows: its files, and the notes in its `wandb.json`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.cleaned import removed_on
from wisesr.results.labels import parse_labels
from wisesr.results.lock import is_running
from wisesr.results.record import Record
from wisesr.results.run_address import NOTES, online_place
from wisesr.results.state import State
from wisesr.results.store import state_of

_DEFAULT_PROJECT = "wisesr"
"""Of cells whose configuration has no W&B logger any more."""


class UploadState(Enum):
    """What is to be done about a cell's run."""

    OFFLINE = "offline"
    """To be sent."""
    SENT = "sent"
    ONLINE = "online"
    """It was there from the start."""
    NO_FILES = "without"
    """There are no W&B files."""
    UNFINISHED = "unfinished"
    """There is no record yet."""

    @property
    def is_there(self) -> bool:
        """Whether the run is on the server."""
        return self in (UploadState.SENT, UploadState.ONLINE)


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
    url: str = ""
    """Where it is seen; empty of what was sent before 2026-11-29."""


class SyncCell(NamedTuple):
    """A cell as `wisesr sync` sees it."""

    directory: Path
    name: str
    """Its path below the study."""
    state: UploadState
    destination: Destination
    """Where it goes; of online runs where they are, or else what their configuration says."""
    config: Mapping[str, Any]
    """Empty for unfinished cells."""
    offline: Path | None = None
    """Folder of the offline run."""
    identifier: str | None = None
    """Of its run on the server."""
    detail: str = ""
    """Why it is unfinished; what is wrong with it, and the way out."""
    left: State | None = None
    """DAMAGED or NEWER, of a cell that is left alone for that."""

    @property
    def study(self) -> str:
        """Its group on the server."""
        return str(self.config["study"])


def read_sync_cell(directory: Path, name: str, *, project: str | None = None, entity: str | None = None) -> SyncCell:
    """A cell on disk, with the state of its run.

    Args:
        directory: of the cell.
        name: what to call it.
        project: to send to; None for the one in its configuration.
        entity: to send to; None likewise.
    """
    record, left, detail = _record_or_state(directory)
    if record is None:
        return SyncCell(
            directory, name, UploadState.UNFINISHED, Destination(entity, project or ""), {}, detail=detail, left=left
        )
    logger = (record.config.get("logger") or {}).get("wandb") or {}
    own = Destination(logger.get("entity"), logger.get("project") or _DEFAULT_PROJECT)
    destination = Destination(entity or own.entity, project or own.project)
    state, offline, identifier = _runs(directory, destination, own)
    if state is UploadState.ONLINE:
        online = online_place(directory)
        destination = own if online is None else Destination(*online)
    return SyncCell(directory, name, state, destination, record.config, offline, identifier)


def _record_or_state(directory: Path) -> tuple[Record | None, State | None, str]:
    """The record of a cell; or none, why it is left alone, where it is, and what the cell's state is in place of it."""
    held = is_running(directory)
    try:
        found = examine(directory, running=held)
        if found.record is not None:
            parse_labels(found.record.config)
            return found.record, None, ""
    except UserError as error:
        return None, State.DAMAGED, " ".join(str(error).split())
    if found.state is not None:
        return None, found.state, found.reason
    state, reason = state_of(directory, running=held)
    return None, None, f"{state} {reason}".rstrip()


def _runs(directory: Path, destination: Destination, own: Destination) -> tuple[UploadState, Path | None, str | None]:
    """State, folder of the offline run, id on the server. An offline run counts more than an online one: it is whole.

    What went there without this command, went to the cell's own destination.
    """
    notes = read_notes(directory)
    offline = sorted(path for path in directory.glob("wandb/offline-run-*") if any(path.glob("*.wandb")))
    if offline:
        latest = offline[-1]
        sent = sent_of(notes)
        if sent and sent.file == latest.name and sent.project == destination.project:
            if destination.entity in (None, sent.entity):
                return UploadState.SENT, latest, sent.id
        by_hand = not notes.get("tried") and not sent and any(latest.glob("*.wandb.synced"))  # with `wandb sync`
        if by_hand and destination == own:
            return UploadState.SENT, latest, _identifier(latest)
        return UploadState.OFFLINE, latest, None
    sent = sent_of(notes) if removed_on(directory, "wandb") else None  # by `wisesr clean`: the run is where it was sent
    if sent and sent.project == destination.project and destination.entity in (None, sent.entity):
        return UploadState.SENT, None, sent.id
    online = sorted(directory.glob("wandb/run-*"))
    if online:
        return UploadState.ONLINE, None, str(notes.get("id") or _identifier(online[-1]))
    return UploadState.NO_FILES, None, None


def _identifier(folder: Path) -> str:
    """The id of a run, with which its folder's name ends."""
    return folder.name.rpartition("-")[2]


def read_notes(directory: Path) -> dict[str, Any]:
    """`wandb.json` of a cell: `id`, `url` and `sweep` of its online run, `sent`, ids that were `tried` or `replaced`, ids of
    sweeps' runs that were `told`; empty without.
    """
    notes = read_json(directory / NOTES)
    return notes if isinstance(notes, dict) else {}


def sent_of(notes: Mapping[str, Any]) -> Sent | None:
    """The last upload; None where there was none."""
    sent = notes.get("sent")
    if not isinstance(sent, dict):
        return None
    values = {**Sent._field_defaults, **{key: sent[key] for key in Sent._fields if key in sent}}
    whole = set(values) == set(Sent._fields) and all(isinstance(value, str) for value in values.values())
    return Sent(**values) if whole else None


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
