"""A search: somebody else, as Optuna, chooses the settings of the next cells by the figures of those before.

A trial is one choice of settings; a batch is the trials that are chosen together, which run as one grid. The value of a trial
is the figure by which the epoch of its cell was chosen: top-1 on the validation images, from 0 to 1 (of protocol=paper, on the
test images).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from wisesr.config.check import check, split_grid
from wisesr.config.identity import cell_dir
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.grid.batch import Batch, KeptWarm
from wisesr.grid.cluster import Cluster
from wisesr.grid.console import make_console
from wisesr.grid.outcome import CellOutcome
from wisesr.grid.run_grid import INTERRUPTED, run_cells
from wisesr.grid.search_words import (
    PAPER,
    Trial,
    end_sentences,
    idle_note,
    label,
    protocol_figure,
    seedless_note,
    seeds_note,
    trial_sentence,
)
from wisesr.grid.slots import visible_gpus
from wisesr.results.record import Record
from wisesr.results.state import State
from wisesr.terminal import tell

Choice = tuple[str, Config | UserError]
"""The settings of a trial, as `Trial` has them, and its configuration as composed, or why there is none."""

_HOPELESS = 3
"""Trials, from the first on, of which none could be started: then it is the command that is wrong, and not their values."""
_NFS = 60
"""Seconds that a record may take to be seen here which another machine has written."""


class Search:
    """Runs the batches of a search, and tells what came of each trial.

    Args:
        cluster: whose jobs the cells are to be; None for this machine.
        total: trials that there will be; None where nobody knows.
        at_a_time: the setting that says how many are chosen together; empty where it is not known.
        no_seed: the setting that lacks a seed; empty where none is lacking.
    """

    def __init__(
        self, cluster: Cluster | None = None, total: int | None = None, at_a_time: str = "", no_seed: str = ""
    ) -> None:
        self._cluster, self._total, self._at_a_time, self._no_seed = cluster, total, at_a_time, no_seed
        self._told: set[str] = set()
        self._warm = KeptWarm()
        self._trials: list[Trial] = []
        self._cells: dict[Path, Trial] = {}
        self._seeds: set[object] = set()
        self._figure = "val top-1"

    def run(self, batch: Sequence[Choice]) -> list[Trial]:
        """Run trials together, and tell what came of each.

        Returns:
            In the order of `batch`. Two of the same configuration are one cell, whenever they are asked for.

        Raises:
            KeyboardInterrupt: a signal ended it.
            SystemExit: with grid.plan=true, after the plan of these trials.
            UserError: nothing can be run, whatever is chosen.
        """
        self._tell_notes([config for _, config in batch if not isinstance(config, UserError)])
        directories = [_place(config) for _, config in batch]
        new = {
            place: choice
            for place, choice in zip(directories, batch, strict=True)
            if isinstance(place, Path) and place not in self._cells
        }
        self._cells |= self._together(new)
        trials = []
        for place, (settings, _) in zip(directories, batch, strict=True):
            found = Trial("", reason=str(place)) if isinstance(place, UserError) else self._cells[place]
            trials.append(found._replace(settings=settings))
            self._trials.append(trials[-1])
            tell(make_console(), trial_sentence(self._trials, self._total, self._figure))
        self._refuse_hopeless()
        return trials

    def end(self) -> None:
        """Tell the best of all trials, and end what was kept warm for more."""
        self._warm.close()
        for sentence in end_sentences(self._trials, self._figure):
            tell(make_console(), sentence)

    def _together(self, choices: dict[Path, Choice]) -> dict[Path, Trial]:
        """Run cells as one grid, or each by itself where that cannot start for one of them."""
        if not choices:
            return {}
        batch = Batch({place: label(settings) for place, (settings, _) in choices.items()}, self._told, self._warm)
        configs = [config for _, config in choices.values() if not isinstance(config, UserError)]
        try:
            end = run_cells(configs, self._cluster, batch=batch)
        except UserError as error:
            if len(choices) == 1:
                return {place: Trial("", reason=str(error)) for place in choices}
            alone = [self._together({place: choice}) for place, choice in choices.items()]
            return {place: trial for part in alone for place, trial in part.items()}
        if end.planned:
            tell(make_console(), "These are the trials of the first batch: which ones follow depends on their results.")
            raise SystemExit(0)
        if end.code == INTERRUPTED:
            raise KeyboardInterrupt
        return {outcome.cell.directory: _trial(outcome) for outcome in end.outcomes}

    def _tell_notes(self, configs: Sequence[Config]) -> None:
        """What a user must know of a choice made this way, once."""
        self._seeds |= {config.get("seed") for config in configs}
        self._figure = protocol_figure(configs[0]) if configs else self._figure
        console = make_console(told=self._told)
        if self._figure != "val top-1":
            tell(console, PAPER, "red")
        slots = max((_room(config) for config in configs), default=0) if self._cluster is None else 0
        idle = idle_note(len(configs), slots, self._at_a_time)
        for note in filter(None, (seedless_note(self._no_seed), seeds_note(self._seeds), idle)):
            tell(console, note)

    def _refuse_hopeless(self) -> None:
        """Raises UserError where nothing works, whatever is chosen."""
        if all(trial.directory is None for trial in self._trials) and len(self._trials) >= min(
            self._total or _HOPELESS, _HOPELESS
        ):
            raise UserError(f"None of {len(self._trials)} trials could be started: {_why(self._trials)}")
        if len(self._trials) == self._total and all(trial.value is None for trial in self._trials):
            raise UserError(f"None of the {self._total} trials has a result: {_why(self._trials)}")


def _why(trials: Sequence[Trial]) -> str:
    """Where a user finds why trials have failed: each line tells."""
    return "the reason stands above" if len({trial.reason for trial in trials}) == 1 else "the reasons stand above"


def _place(config: Config | UserError) -> Path | UserError:
    """The directory of a trial's cell, or what is wrong with its configuration."""
    if isinstance(config, UserError):
        return config
    ((cell,), _) = split_grid([config])
    problems = check(cell)
    return UserError("; ".join(problems)) if problems else cell_dir(cell)


def _trial(outcome: CellOutcome) -> Trial:
    """What came of a cell; its settings are those of whoever asked for it."""
    cell = outcome.cell
    record = _record(outcome) if outcome.state.is_done else None
    if record is not None:
        return Trial("", record.best.val_top1, directory=cell.directory, skipped=outcome.state is State.SKIPPED)
    return Trial("", reason=outcome.reason or f"its cell is {outcome.state}", directory=cell.directory)


def _record(outcome: CellOutcome) -> Record | None:
    """The record of a cell that is done; what another machine has written may take a moment to be seen here."""
    until = time.monotonic() + _NFS
    while (record := outcome.cell.read_record()) is None and time.monotonic() < until:
        time.sleep(1)
    return record


def _room(config: Config) -> int:
    """Cells that a user has room for at a time: what `grid.slots` says, or one on each GPU."""
    slots = config["grid"]["slots"]
    if isinstance(slots, int):
        return slots
    return 1 if config["trainer"].get("accelerator") == "cpu" else max(1, len(visible_gpus(os.environ)))
