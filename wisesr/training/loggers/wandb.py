"""Weights & Biases: one run a cell, one group a study.

Offline unless a key is known or WANDB_MODE says otherwise, decided before the first `init`; a server that does not answer
within `init_timeout` makes the run an offline one, kept in the cell's directory for `wandb sync`. wandb cannot resume an
offline run (it would write a second file from step 0 under the same id), so a cell that resumes offline replays its
finished epochs into a new file and removes the partial one; online it continues under its id.
"""

from __future__ import annotations

import logging
import netrc
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlparse

import wandb
from PIL import Image

from wisesr.results.files import read_json, write_json
from wisesr.results.record import Row
from wisesr.training.loggers.base import Run, RunLogger, StepRow

log = logging.getLogger(__name__)

_FINISH_TIMEOUT = 120.0


def decide_mode(environment: Mapping[str, str]) -> str:
    """online, offline or disabled: WANDB_MODE, else online where a key is known, else offline.

    A key is known through WANDB_API_KEY or `wandb login` (netrc).
    """
    if mode := environment.get("WANDB_MODE"):
        return mode
    host = urlparse(environment.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    if environment.get("WANDB_API_KEY") or environment.get("WANDB_IDENTITY_TOKEN_FILE"):
        return "online"
    try:
        known = netrc.netrc(environment.get("NETRC") or None).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        known = None
    return "online" if known else "offline"


class WandbLogger(RunLogger):
    """A W&B run.

    Args:
        run: the cell.
        project: in W&B.
        entity: user or team; None for the account's own.
        init_timeout: seconds to wait for the server before going offline.
    """

    def __init__(self, run: Run, *, project: str, entity: str | None, init_timeout: float) -> None:
        super().__init__(run)
        self._project, self._entity, self._timeout = project, entity, init_timeout
        self._state = run.directory / "wandb.json"
        self._wandb: Any = None

    def start(self, history: Sequence[Row]) -> None:
        """Open the run, continue it, or open a new one that begins with the finished epochs."""
        before = read_json(self._state) or {}
        mode = decide_mode(os.environ)
        resumed = before.get("id") if mode == "online" and before.get("mode") == "online" else None
        for partial in self.run.directory.glob("wandb/offline-run-*"):  # all: a kill may have come before one was noted
            shutil.rmtree(partial, ignore_errors=True)
        self._wandb = self._init(mode, resumed)
        if self._wandb is None:
            return
        offline = bool(getattr(self._wandb.settings, "_offline", mode != "online"))
        write_json(self._state, {"id": self._wandb.id, "mode": "offline" if offline else mode})
        self._define_metrics()
        known = self._wandb.starting_step if resumed else 0
        for row in history:
            if row["step"] >= known:
                self.epoch(row, ())

    def _init(self, mode: Any, identifier: str | None) -> Any:
        settings: dict[str, Any] = {"silent": True, "init_timeout": self._timeout, "console": "off"}
        if "finish_timeout" in wandb.Settings.model_fields:
            settings["finish_timeout"] = _FINISH_TIMEOUT  # the data stays on disk for `wandb sync`
        arguments: dict[str, Any] = {
            "project": self._project,
            "entity": self._entity,
            "group": self.run.study,
            "name": self.run.name,
            "tags": [tag[:64] for tag in self.run.tags],
            "config": dict(self.run.config),
            "dir": str(self.run.directory),
            "settings": wandb.Settings(**settings),
        }
        try:
            return wandb.init(
                mode=mode,
                id=identifier or secrets.token_hex(4),  # said, so that an exported WANDB_RUN_ID does not merge a grid's cells
                resume="allow" if identifier else None,
                **arguments,
            )
        except Exception as error:  # wandb raises many kinds; none of them may end a training
            if mode != "online":
                log.warning("W&B could not open a run (%s); this cell trains without it", error)
                return None
            log.warning("W&B's server does not answer (%s); the run is kept offline, for `wandb sync`", error)
            wandb.teardown()
            return self._init("offline", None)

    def _define_metrics(self) -> None:
        self._wandb.define_metric("epoch", hidden=True)
        for split in ("train", "val", "test"):
            self._wandb.define_metric(f"{split}/*", step_metric="epoch", summary="last")

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        """One row of history, at its optimizer step."""
        if self._wandb is not None:
            figures = {name: value for name, value in row.items() if name != "step"}
            self._guard(lambda: self._wandb.log(figures, step=int(row["step"])))

    def finish(self, summary: Mapping[str, Any], kernels: Image.Image | None) -> None:
        """Best figures into the summary, kernels as an image, and the run is closed."""
        if self._wandb is None:
            return
        if kernels is not None:
            self._guard(lambda: self._wandb.log({"kernels": wandb.Image(kernels)}))
        self._guard(lambda: self._wandb.summary.update(dict(summary)))
        self._close(0)

    def fail(self) -> None:
        """Close the run, marked failed."""
        if self._wandb is not None:
            self._close(1)

    def _close(self, exit_code: int) -> None:
        """Finish the run, and wait for wandb's own process: it may still be writing the file when `finish` returns."""
        self._guard(lambda: self._wandb.finish(exit_code=exit_code))
        self._guard(wandb.teardown)

    def _guard(self, call: Any) -> None:
        try:
            call()
        except Exception as error:
            log.warning("W&B: %s", error)
