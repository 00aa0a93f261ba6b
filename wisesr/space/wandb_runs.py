"""The W&B files of a finished cell: whether they may go, which they are, and what must be noted before they do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wisesr.results.atomic_files import write_json
from wisesr.results.run_address import NOTES
from wisesr.sync.uploads import Sent, UploadState, read_notes, read_sync_cell, sent_of

_FOLDER = "wandb"


def has_unsent(directory: Path) -> bool:
    """Whether the latest offline run of a cell was sent nowhere, neither by `wisesr sync` nor by hand with `wandb sync`."""
    runs = sorted(path for path in directory.glob(f"{_FOLDER}/offline-run-*") if any(path.glob("*.wandb")))
    if not runs:
        return False
    notes = read_notes(directory)
    if sent := sent_of(notes):
        return sent.file != runs[-1].name
    return bool(notes.get("tried")) or not any(runs[-1].glob("*.wandb.synced"))


def wandb_files(directory: Path) -> Iterator[Path]:
    """What lies in the folder of W&B; of online runs what lies in theirs, as the empty folder tells that there was one."""
    folder = directory / _FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("run-") and path.is_dir() and not path.is_symlink():
            yield from sorted(path.iterdir())
        else:
            yield path


def note_sent_by_hand(directory: Path) -> None:
    """Note a run that was sent with `wandb sync` as one of `wisesr sync`, before its files go, which alone tell of it."""
    cell, notes = read_sync_cell(directory, directory.name), read_notes(directory)
    if cell.state is UploadState.SENT and cell.offline is not None and sent_of(notes) is None:
        sent = Sent(str(cell.identifier), cell.destination.entity or "", cell.destination.project, cell.offline.name)
        write_json(directory / NOTES, notes | {"sent": sent._asdict()})
