"""Where each cell of a grid stands before it starts: done, to be run, continued or tried again, or failed before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from wisesr.build.cell import weights_hash
from wisesr.build.code import CodeNow
from wisesr.build.data import build_manifest
from wisesr.cell.run import changes
from wisesr.config.schema import Config
from wisesr.data.manifest import SPLITS, TRAIN, Manifest
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell, examine_cell
from wisesr.grid.console import say
from wisesr.grid.frozen import FrozenNow
from wisesr.grid.left_alone import tell_left_alone
from wisesr.grid.other_code import other_code_sentences
from wisesr.grid.outcome import CellOutcome, RunReason
from wisesr.grid.stages import Stages
from wisesr.results.cell_files import BEST, CONFIG, LAST, RESULT
from wisesr.results.checkpoints import KEPT, drop_checkpoints
from wisesr.results.lock import acquire_lock, is_running
from wisesr.results.record import Record
from wisesr.results.redo import REDO, complete_redo
from wisesr.results.same_code import code_change
from wisesr.results.state import State
from wisesr.results.store import state_of
from wisesr.terminal import tell
from wisesr.wording import count_of, some_of

_RUN_REASONS = {State.FAILED: RunReason.TRIED_AGAIN, State.INTERRUPTED: RunReason.CONTINUED, State.WAITING: RunReason.NEW}
"""Of a cell on disk that has no record and is going to be run."""

Problems = list[tuple[str, str]]


class CellInspector:
    """Looks at cells, their data and their pretrained weights; the images of several cells are listed once."""

    def __init__(self, grid: Mapping[str, Any]) -> None:
        self.problems: Problems = []
        """(cell, problem): data or weights of cells to be run that are not in order."""
        self.has_single_images = False
        """Whether a cell to be run would train on a part of a batch with one image, by the numbers of its configuration."""
        self._grid, self._force, self._retry = grid, grid["force"], grid["retry"] == "failed"
        self._fingerprints: dict[str, str | UserError] = {}
        self._train_images: dict[str, int] = {}
        """By the same keys as fingerprints."""
        self._sentences: dict[str, list[str]] = {}
        """What is still to be said of the data, by the same keys."""
        self._told: set[str] = set()
        self._restored: list[str] = []
        """Cells that had lost their configuration, and got it back."""
        self._code = FrozenNow() if grid.get("frozen") else CodeNow()

    def inspect(self, cells: Sequence[Cell], console: Console, *, counted: bool = True) -> list[CellOutcome]:
        """Each cell as SKIPPED, WAITING with its reason to run, FAILED, or one that is left alone: DAMAGED, NEWER.

        What is damaged and what has changed are printed, their counts (`counted`: where a table comes at the end), and which go
        on with other code.
        """
        with Stages(console) as stages:
            outcomes = []
            for number, cell in enumerate(cells, 1):
                stages.say(f"looking at cell {number:,} of {len(cells):,}: {cell.label}", aloud=False)
                outcomes.append(self._inspect_cell(cell, console, stages))
        if self._restored:
            tell(console, f"{CONFIG} was missing, and is written again: {some_of(self._restored, 4)}")
        tell_left_alone(outcomes, console, force=self._force, tabled=counted and not self._grid.get("plan"))
        if counted:
            _print_counts(outcomes, console)
        for sentence in other_code_sentences(outcomes, self._code, self._grid):
            tell(console, sentence, "red")
        return outcomes

    def _inspect_cell(self, cell: Cell, console: Console, stages: Stages) -> CellOutcome:
        _complete_redo(cell.directory)
        held = is_running(cell.directory)
        found = examine_cell(cell, running=held)
        record = found.record
        if found.state is not None and not (self._force and record is not None):  # what it lacks is made anew then
            return CellOutcome(cell, found.state, found.reason)
        if found.reason and found.state is None:  # it got its configuration back
            self._restored.append(cell.label)
        if record is not None:
            _drop_left(cell.directory, record)
        waiting = record is None or self._force
        weights = self._weights(cell, strict=waiting)
        data = self._data(cell, console, stages, strict=waiting)
        if record is None:
            return self._unfinished(cell, held=held)
        if self._force:
            return CellOutcome(cell, State.WAITING, run_reason=RunReason.REDONE)
        code = code_change(record.provenance, cell.directory, self._code.of(cell.config))
        for warning in changes(record, data, weights, code):
            tell(console, f"warning: {cell.label} is skipped as done, but {warning} (anew: grid.force=true): {cell.directory}")
        return CellOutcome(cell, State.SKIPPED)

    def _unfinished(self, cell: Cell, *, held: bool) -> CellOutcome:
        """A cell without a record: to be run, unless it failed and is not to be tried again. `held`: by another process."""
        if held or not cell.directory.is_dir():
            return CellOutcome(cell, State.WAITING, run_reason=RunReason.NEW)
        state, reason = state_of(cell.directory, running=False)
        if state is State.FAILED and not self._retry:
            return CellOutcome(cell, State.FAILED, f"{reason}\n  It failed before; grid.retry=failed runs it again")
        return CellOutcome(cell, State.WAITING, run_reason=_RUN_REASONS.get(state, RunReason.NEW))

    def _weights(self, cell: Cell, *, strict: bool) -> str | None:
        """Hash of the file that a cell starts from, if it does; a finished cell may do without it."""
        try:
            return weights_hash(cell.config)
        except UserError as error:
            if strict:
                self.problems.append((cell.label, str(error)))
            return None

    def _data(self, cell: Cell, console: Console, stages: Stages, *, strict: bool) -> str:
        """Fingerprint of the manifest; what is to be said of the data is printed once, for cells that are to be run."""
        leaks = {} if strict else {"on_leak": "warn"}  # which are a finished cell's own
        config = {**cell.config, "dataset": cell.config["dataset"] | leaks}
        key = json.dumps([config["dataset"], config["protocol"]], sort_keys=True)
        if key not in self._fingerprints:
            try:
                stages.say(f"reading the data: {cell.config['dataset']['name']}", aloud=False)
                manifest = build_manifest(config, progress=stages.tracked)
                self._fingerprints[key] = manifest.fingerprint()
                self._train_images[key] = len(manifest.indices(TRAIN))
                self._sentences[key] = [_counts(manifest), *manifest.notes.sentences()]
            except UserError as error:
                self._fingerprints[key] = error
        answer = self._fingerprints[key]
        if isinstance(answer, str):
            if strict:
                self._say(cell, self._sentences.pop(key, []), console)
                self.has_single_images |= _has_single_images(cell.config, self._train_images[key])
            return answer
        if strict:
            self.problems.append((cell.label, str(answer)))
        return "unreadable"  # a finished cell stands; that its data is gone shows as a change

    def _say(self, cell: Cell, sentences: Sequence[str], console: Console) -> None:
        """What is to be known of the data before a number is made of it, a line each, once for all replicates."""
        for sentence in (f"data: {cell.config['dataset']['name']}: {text}" for text in sentences):
            if sentence not in self._told:
                self._told.add(sentence)
                say(console, sentence)


def _has_single_images(config: Config, images: int) -> bool:
    """Whether a device is given one image at once, as of `data.sampling.smallest_part`; of devices=auto one is certain."""
    trainer, size = config["trainer"], config["recipe"]["batch_size"]
    parts = trainer["accumulate"] * trainer["num_nodes"] * (1 if trainer["devices"] == "auto" else trainer["devices"])
    return bool(min(size, images, (images - 1) % size + 1) < 2 * parts)


def _counts(manifest: Manifest) -> str:
    """`1,797 images of 10 classes: 1,294 train, 143 val, 360 test`."""
    parts = ", ".join(f"{len(manifest.indices(split)):,} {split}" for split in SPLITS if len(manifest.indices(split)))
    classes = count_of(len(manifest.class_names), "class", "classes")
    return f"{count_of(len(manifest.ids), 'image')} of {classes}: {parts}"


def _complete_redo(directory: Path) -> None:
    """Finish what a kill interrupted: a complete redo that had not replaced all of the old cell yet."""
    if not (directory / REDO / RESULT).exists():
        return
    if lock := acquire_lock(directory):
        with lock:
            complete_redo(directory)


def _drop_left(directory: Path, record: Record) -> None:
    """Delete checkpoints that the cell's own settings do not keep, and that a kill between record and end has left."""
    keep = record.config["trainer"].get("keep_checkpoints", "all")
    if (directory / REDO).exists() or all(name in KEPT[keep] or not (directory / name).exists() for name in (BEST, LAST)):
        return
    if lock := acquire_lock(directory):
        with lock:
            drop_checkpoints(directory, keep)


def _print_counts(outcomes: Sequence[CellOutcome], console: Console) -> None:
    """`4 cells: 1 new, 3 done already`, unless all are new; and redos that nobody goes on with."""
    if any(outcome.run_reason is not RunReason.NEW for outcome in outcomes):
        counts = Counter(_count_name(outcome) for outcome in outcomes)
        listed = ", ".join(f"{count} {name}" for name, count in counts.items())
        tell(console, f"{count_of(len(outcomes), 'cell')}: {listed}")
    redos = [outcome.cell.directory / REDO for outcome in outcomes if outcome.state is State.SKIPPED]
    if unfinished := [redo for redo in redos if redo.is_dir()]:
        hint = f"grid.force=true goes on with it, rm -r {unfinished[0]} forgets it"
        tell(console, f"{len(unfinished)} of them have half a redo: {hint}")


def _count_name(outcome: CellOutcome) -> str:
    """What a cell is counted as."""
    if outcome.run_reason is not None:
        return outcome.run_reason.value
    if outcome.state.is_left_alone:
        return f"{outcome.state}"
    return "done already" if outcome.state is State.SKIPPED else "failed before (grid.retry=failed runs them again)"
