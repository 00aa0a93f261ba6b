"""Brings a cell, a directory with a `config.yaml`, to its record.

Whoever starts it (the grid, Slurm, a hand), what follows is the same: a lock against a second process, skip if it is done,
continue from `last.ckpt` if it was interrupted, train, test, record. torch is imported only when there is something to train.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.build.cell import weights_hash
from wisesr.build.data import build_manifest
from wisesr.cell.attempt import is_main
from wisesr.cell.code import imported_code
from wisesr.cell.experiment import train_and_record
from wisesr.config.check import check
from wisesr.config.files import load_cell
from wisesr.config.schema import Config
from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.results.atomic_files import remove_partial
from wisesr.results.cell_files import CONFIG
from wisesr.results.checkpoints import drop_checkpoints
from wisesr.results.lock import locked
from wisesr.results.provenance import same_data
from wisesr.results.record import Record
from wisesr.results.record_file import read_record
from wisesr.results.redo import begin_redo, complete_redo, work_dir
from wisesr.results.same_code import code_change
from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.results.store import is_cell
from wisesr.training.loggers.ahead import import_ahead

log = logging.getLogger("wisesr")

DONE, FAILED, DISK_FULL, BUSY, INTERRUPTED = 0, 1, 74, 75, 130
"""Exit codes. 74 is EX_IOERR: where no file can be written, it alone tells the reason. 75 is EX_TEMPFAIL: another process
runs this cell."""

_PATIENCE = 10.0
"""Seconds to wait for the lock."""


class RunOptions(NamedTuple):
    """How a cell is run; no part of what it computes."""

    force: bool = False
    """Whether a finished cell is done anew; its record stands until the new one is complete."""
    cores: int | None = None
    """CPU cores that it may use; None for all."""
    gpus: int = 0
    """GPUs that it was given; 0 where nobody says."""
    lock: int | None = None
    """Descriptor of its lock, where whoever started it has taken it."""
    forked: bool = False
    """Whether its process was forked from one that had imported everything, whose memory is not all counted as its own."""


def changes(record: Record, data: str, weights: str | None, code: str) -> list[str]:
    """What has changed since a record was made, a sentence each.

    Args:
        record: of a finished cell.
        data: fingerprint of the manifest as it is now.
        weights: hash of the file of pretrained weights as it is now; None to leave it unchecked.
        code: what has become of its code, as of `results.same_code.code_change`.
    """
    warnings = []
    same = same_data(record.provenance.data.fingerprint, data)
    if same is None:
        warnings.append("dataset.fingerprint is another, so that nobody can tell whether the data has changed since")
    elif not same:
        warnings.append("the images, labels or splits, or how files are read, have changed since")
    if weights is not None and record.provenance.weights.get("sha256") != weights:
        warnings.append("the file of pretrained weights has changed since")
    return [*warnings, *filter(None, [code])]


def run(directory: Path, options: RunOptions = RunOptions()) -> int:  # noqa: B008  # a tuple, which nobody can change
    """Bring a cell to its record.

    Returns:
        An exit code: DONE, FAILED, DISK_FULL, BUSY or INTERRUPTED.

    Raises:
        UserError: the directory is no cell, or a damaged one.
    """
    if not (directory / CONFIG).is_file():
        if is_cell(directory):
            raise UserError(f"{directory} {examine(directory).verdict}")
        load_cell(directory)  # which says so
    if not is_main():  # Lightning's DDP starts this same command for the other devices, torchrun and srun on other nodes
        _require_whole(directory, force=options.force, running=True)
        config, work = _load(directory), work_dir(directory, force=options.force)
        if read_record(work) is not None:
            return DONE
        _require(directory, check(config))
        return _note_end(work, lambda: _train(work, config, options))
    if not os.access(directory, os.W_OK):
        return _only_read(directory, force=options.force)
    with locked(directory, patience=_PATIENCE, inherited=options.lock) as mine:
        if not mine:
            log.warning("another process runs %s", directory)
            return BUSY
        complete_redo(directory)
        record = _require_whole(directory, force=options.force)
        return _run_locked(directory, _load(directory), record, options)


def _only_read(directory: Path, *, force: bool) -> int:
    """A cell where nothing can be written, as on a read-only mount: there is nothing to do if it is done."""
    if not force and _require_whole(directory, force=False, running=True) is not None:
        log.info("done before: %s", directory)
        return DONE
    raise UserError(
        f"{directory} cannot be written, and a cell's files go where its {CONFIG} lies: the command that made it, with another "
        f"output_dir=DIR, makes one elsewhere"
    )


def _require_whole(directory: Path, *, force: bool, running: bool = False) -> Record | None:
    """The record of a cell on which one may go on; None where there is none yet.

    Raises:
        UserError: it is damaged, and not only in what doing it anew makes again, or of a newer version.
    """
    found = examine(directory, running=running)
    if found.state is not None and not (force and found.record is not None):
        why = ". --force trains a finished cell again, and this one's record cannot be relied on: first the way out"
        raise UserError(f"{directory} {found.verdict}{why if force and found.state is State.DAMAGED else ''}")
    return found.record


def _load(directory: Path) -> Config:
    """A cell's configuration, in order as far as a finished one must be: a key that has gone since tells how it was trained."""
    config = load_cell(directory)
    _require(directory, check(config, trains=False))
    return config


def _require(directory: Path, problems: Sequence[str]) -> None:
    if problems:
        raise UserError(f"{directory / CONFIG} is wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))


def _run_locked(directory: Path, config: Config, record: Record | None, options: RunOptions) -> int:
    work = work_dir(directory, force=options.force)
    if work != directory or record is None:
        _require(directory, check(config))
    if work != directory:
        config = _load(begin_redo(directory))
    elif record is not None:
        drop_checkpoints(directory, config["trainer"]["keep_checkpoints"])  # a kill may have come before it
        return _note_end(directory, lambda: _log_skipped(directory, config, record))
    remove_partial(work)
    write_status(work, state=State.STARTING, phase="reading data")
    code = _note_end(work, lambda: _train(work, config, options))
    if code != DONE:
        return code
    _end(DONE, work, state=State.DONE)
    complete_redo(directory)
    drop_checkpoints(directory, config["trainer"]["keep_checkpoints"])
    return DONE


def _train(work: Path, config: Config, options: RunOptions) -> None:
    import_ahead(config["logger"])
    imported_code(config)  # looked at before any part is imported
    manifest = build_manifest(config)
    train_and_record(work, config, manifest, cores=options.cores, gpus=options.gpus, forked=options.forked)


def _note_end(directory: Path, task: Callable[[], None]) -> int:
    """Run a task; how it ended, as an exit code, and for a user to read in `status.json` of the directory."""
    try:
        task()
    except UserError as error:
        log.error("%s", error)
        return _end(FAILED, directory, state=State.FAILED, reason=str(error), told=True)
    except Exception as error:
        if full := _disk_full(error):
            log.error("%s", full)
            return _end(DISK_FULL, directory, state=State.FAILED, reason=full, told=True)
        log.exception("failed")
        return _end(FAILED, directory, state=State.FAILED, reason=f"{type(error).__name__}: {error}", told=False)
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the first into the second
        log.warning("interrupted; the same command continues from the last finished epoch")
        return _end(INTERRUPTED, directory, state=State.INTERRUPTED)
    return DONE


def _end(code: int, directory: Path, *, state: State, **fields: Any) -> int:
    """The exit code, the status written where that is possible; the record does not depend on it."""
    try:
        write_status(directory, state=state, **fields)
    except OSError as error:
        log.warning("status.json could not be written: %s", error)
    return code


def _disk_full(error: BaseException | None) -> str | None:
    """A sentence if the disk is what it failed for; libraries wrap what the system said."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"the disk is full: {error}. Make room, then run the same command with grid.retry=failed"
        error = error.__cause__ or error.__context__
    return None


def _log_skipped(directory: Path, config: Config, record: Record) -> None:
    """Say that the cell was done before, and what has changed since."""
    try:
        code = code_change(record.provenance, directory, imported_code(config))
        warnings = changes(record, build_manifest(config).fingerprint(), weights_hash(config), code)
    except UserError as error:  # the record stands without what it was made from
        warnings = [str(error)]
    log.info("done before: %s%s", directory, "".join(f"; {warning}" for warning in warnings))
