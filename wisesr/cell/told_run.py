"""A finished cell that a W&B agent asks for: its run gets what the record and the files beside it hold; nothing is trained.

The cell is left as it is, its own W&B run and files included: what wandb writes goes to a temporary folder. Which runs were
told is noted in `wandb.json`.
"""

from __future__ import annotations

import io
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from wisesr.build.data import build_manifest
from wisesr.cell.summary import summary
from wisesr.config.schema import Config
from wisesr.data.manifest import Manifest
from wisesr.errors import UserError
from wisesr.results.cell_files import RESULT
from wisesr.results.installation import read_command, write_command
from wisesr.results.kernels import read_kernels
from wisesr.results.metrics import read_metrics
from wisesr.results.run_address import has_run, note_told, online_address
from wisesr.training.loggers.ahead import import_ahead, wants_wandb
from wisesr.training.loggers.wandb_agent import AgentRun
from wisesr.training.loggers.wandb_mode import decide_mode


def tell(directory: Path, config: Config, run: AgentRun, *, trained: bool) -> str:
    """Give a finished cell's figures to an agent's run, unless it has them.

    Args:
        directory: of the cell, which has its record.
        config: of the command: its logger says how.
        run: that this process was started for.
        trained: whether it was trained as that, so that what W&B has not taken is kept for `wisesr sync`.

    Returns:
        What a user should know of it; empty where that run has all of the cell, or the command does not log to W&B.

    Raises:
        UserError: W&B does not take them, and no run is kept for it.
    """
    if not wants_wandb(config["logger"]) or has_run(directory, run.id):
        return ""
    kept = trained and any(directory.glob("wandb/offline-run-*"))
    what = "of this cell once `wisesr sync` has sent it" if kept else "nothing of this cell"
    later = f"its sweep {run.sweep} hears {what}"
    if (mode := decide_mode(os.environ)) != "online":
        return f"note: W&B is {mode} here: {later}"
    with _quiet() as said:
        if _replay(directory, config):
            note_told(directory, run.id)
            return f"Its figures are in run {run.id} of W&B's sweep {run.sweep}, too."
    text = f"W&B does not take its figures, so that {later}: {said[0] if said else 'no reason is known'}"
    if kept:
        return f"note: {text}"
    raise UserError(text)


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """While the block runs, hold back what wandb prints and its logger says of the temporary folder; the reasons in that."""
    reasons: list[str] = []
    own = logging.getLogger("wisesr.training.loggers.wandb")

    def hold(record: logging.LogRecord) -> bool:
        reasons.append(str(record.args[0] if isinstance(record.args, tuple) and record.args else record.getMessage()))
        return False

    own.addFilter(hold)
    try:
        with redirect_stderr(io.StringIO()):
            yield reasons
    finally:
        own.removeFilter(hold)


def _replay(directory: Path, config: Config) -> bool:
    """Tell W&B's loggers, in another folder, what they were told while the cell was trained; whether W&B has taken it."""
    own = {name: node for name, node in config["logger"].items() if wants_wandb({name: node})}
    import_ahead(own)
    from wisesr.build.parts import build_loggers
    from wisesr.training.loggers.findings import gather_again

    content = json.loads((directory / RESULT).read_text(encoding="utf-8"))
    kernels, findings = read_kernels(directory), gather_again(directory, _manifest(config))
    with tempfile.TemporaryDirectory(prefix="wisesr-") as folder:
        place = Path(folder)
        write_command(place, read_command(directory))
        for logger in build_loggers({**config, "logger": own}, place):
            for epoch, kernel in zip(kernels.epochs, kernels.history, strict=True) if kernels is not None else ():
                logger.kernel(epoch, kernel)
            logger.start(read_metrics(directory))
            logger.finish(summary(content), findings)
        return bool(online_address(place))


def _manifest(config: Config) -> Manifest | None:
    try:
        return build_manifest(config)
    except UserError:  # the record stands without what it was made from
        return None
