"""Weights & Biases: one run a cell, one group a study; under a W&B agent the run that it has made for this command.

Offline unless a key is known or WANDB_MODE says otherwise, decided before the first `init`; a server that does not answer
within `init_timeout` makes the run an offline one, kept in the cell's directory for `wisesr sync`. wandb cannot resume an
offline run, so a cell that resumes offline replays its finished epochs into a new file and removes the partial one;
online it continues, under the one id of all its online attempts, after the rows that the server has. Offline files have
ids of their own: `wandb sync` appends to a run that the server knows, which would double the steps sent before. So have
cells that go on outside of the sweep that they began in.
"""

from __future__ import annotations

import logging
import os
import secrets
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import wandb

from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.installation import read_command
from wisesr.results.kernels import KernelSummary
from wisesr.results.metrics import Row
from wisesr.results.run_address import NOTES, web_address
from wisesr.training.loggers.base import Findings, Run, RunLogger, StepRow
from wisesr.training.loggers.content import chosen_figures, define_metrics, epoch_figures, final_row, other_settings
from wisesr.training.loggers.wandb_agent import agent_run, opening
from wisesr.training.loggers.wandb_mode import decide_mode

log = logging.getLogger(__name__)

_FINISH_TIMEOUT = 120.0
_FAILED, _KILLED = 1, 255
"""Exit codes for W&B, the second as wandb itself has it at Ctrl-C (`sdk/lib/exit_hooks.py`)."""


class WandbLogger(RunLogger):
    """A W&B run.

    Args:
        project: in W&B.
        entity: user or team; None for the account's own.
        init_timeout: seconds to wait for the server before going offline.
        media: whether test images are shown, and named; they go to the server with everything else.
    """

    def __init__(self, run: Run, *, project: str, entity: str | None, init_timeout: float, media: bool = True) -> None:
        super().__init__(run)
        self._project, self._entity, self._timeout, self._media = project, entity, init_timeout, media
        self._state = run.directory / NOTES
        self._agent = agent_run(os.environ)
        self._wandb: Any = None
        self._rows: list[Row] = []
        self._kernels: dict[int, KernelSummary] = {}
        self._lossy = False
        """Whether wandb raised at something that the open run should have."""

    def kernel(self, epoch: int, summary: KernelSummary) -> None:
        """It goes into the epoch's row."""
        self._kernels[epoch] = summary

    def start(self, history: Sequence[Row]) -> None:
        """Open the run, continue it, or open a new one that begins with the finished epochs."""
        self._rows = list(history)
        self._remove_offline()
        self._open(decide_mode(os.environ))

    def _remove_offline(self) -> None:
        for partial in self.run.directory.glob("wandb/offline-run-*"):  # all: a kill may have come before one was noted
            shutil.rmtree(partial, ignore_errors=True)

    def _open(self, mode: str) -> None:
        self._lossy = False
        self._wandb = self._init(mode)
        if self._wandb is None:
            return
        self._guard(lambda: define_metrics(self._wandb, plain=self._agent is not None))
        known = self._wandb.starting_step  # of the server's rows; 0 offline
        for row in self._rows:
            if row["step"] >= known:
                self._log(row)

    def _identifier(self, mode: str) -> str:
        """The run's id. Not left to wandb: an exported WANDB_RUN_ID would merge a grid's cells.

        That of online attempts is noted before the server hears of it: a kill between the two would leave a run there
        that nobody here knows.
        """
        noted, agent = self._noted(), self._agent
        if mode != "online":  # the agent's, where the server has no row of it: `wandb sync` would append to those
            return secrets.token_hex(4) if agent is None or "id" in noted else agent.id
        if agent is None and "id" in noted and "sweep" not in noted:
            return str(noted["id"])
        own = {"id": secrets.token_hex(4)} if agent is None else {"id": agent.id, "sweep": agent.sweep}
        if own != {key: noted[key] for key in ("id", "sweep") if key in noted}:
            write_json(self._state, {key: value for key, value in noted.items() if key not in ("id", "sweep", "url")} | own)
        return own["id"]

    def _noted(self) -> dict[str, Any]:
        noted = read_json(self._state)
        return noted if isinstance(noted, dict) else {}

    def _note_address(self, address: object) -> None:
        """For the record; an offline run has none until `wisesr sync` sends it, and notes its own."""
        noted = self._noted()
        now = {key: value for key, value in noted.items() if key != "url"}
        if found := web_address(address):
            now["url"] = found
        if now != noted:
            write_json(self._state, now)

    def _init(self, mode: Any) -> Any:
        waits = {"init_timeout": self._timeout, "finish_timeout": _FINISH_TIMEOUT, "finish_timeout_raises": True}
        # wandb's own answers to both are those of the process that imported it, which may have forked this one.
        process = {"x_stats_pid": os.getpid(), "program": "-m wisesr.cell"}
        arguments: dict[str, Any] = {
            "project": self._project,
            "entity": self._entity,
            "group": self.run.study,
            "job_type": "train",
            "name": self.run.name,
            "notes": shlex.join(read_command(self.run.directory)) or None,
            "tags": [tag[:64] for tag in self.run.tags],
            "config": dict(self.run.config),
            "dir": str(self.run.directory),
            "settings": wandb.Settings(silent=True, console="off", **waits, **process),
        }
        try:
            identifier = self._identifier(mode)
            with opening(os.environ, identifier, self._agent):
                run = wandb.init(mode=mode, id=identifier, resume="allow" if mode == "online" else None, **arguments)
            self._guard(lambda: self._note_address(run.url if mode == "online" else None))
            if self._agent is not None:
                self._guard(lambda: run.config.update(other_settings(run.config, self.run.config)))
            return run
        except Exception as error:  # wandb raises many kinds; none of them may end a training
            if mode != "online":
                log.warning("W&B could not open a run (%s); this cell trains without it", error)
                return None
            log.warning("W&B's server does not answer (%s); the run is kept offline, for `wisesr sync`", error)
            wandb.teardown()
            return self._init("offline")

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """One row of history, at its optimizer step."""
        self._rows.append(row)
        self._log(row)

    def _log(self, row: Row) -> None:
        if self._wandb is not None:
            figures = epoch_figures(row, self._kernels.get(int(row["epoch"])))
            self._guard(lambda: self._wandb.log(figures, step=int(row["step"])))

    def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
        """Final figures into the summary, pictures and tables into the last row, and the run is closed.

        A cell that is done is never resumed: where the server, or wandb's own process, was lost on the way, the whole run
        is kept offline. wandb's file of it would not do: it may end anywhere, and `wandb sync` appends all of it to what
        the server already has.
        """
        self._describe(summary, findings)
        if not self._close(0):
            log.warning("W&B did not take all of the run; it is kept offline, whole, for `wisesr sync`")
            self._remove_offline()
            self._open("offline")
            self._describe(summary, findings)
            self._close(0)

    def _describe(self, summary: Mapping[str, Any], findings: Findings) -> None:
        if self._wandb is None:
            return
        if row := final_row(self._wandb, findings, media=self._media):
            self._guard(lambda: self._wandb.log(row))
        figures = dict(summary) if self._agent is None else chosen_figures(summary) | dict(summary)
        self._guard(lambda: self._wandb.summary.update(figures))

    def fail(self) -> None:
        """Close the run, marked failed, or as killed where a signal ended the attempt."""
        self._close(_KILLED if isinstance(sys.exc_info()[1], (KeyboardInterrupt, SystemExit)) else _FAILED)

    def _close(self, exit_code: int) -> bool:
        """Finish the run, and wait for wandb's own process: it may still be writing the file when `finish` returns.

        Returns:
            False where not everything was taken, or not in time.
        """
        if self._wandb is None:
            return True
        try:
            self._guard(lambda: self._wandb.finish(exit_code=exit_code))
            return not self._lossy
        finally:
            self._guard(wandb.teardown)

    def _guard(self, call: Any) -> None:
        try:
            call()
        except Exception as error:
            self._lossy = True
            log.warning("W&B: %s: %s", type(error).__name__, error)
