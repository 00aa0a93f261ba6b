"""A grid: its cells one after another, whatever becomes of each, and a table of all at the end."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from wisesr.build import build_manifest, weights_hash
from wisesr.cell import BUSY, finished
from wisesr.config import Config
from wisesr.errors import UserError
from wisesr.grid.cells import Cell, check_cells, write_cell
from wisesr.grid.display import Live, make_console
from wisesr.grid.process import outcome, start
from wisesr.grid.table import Ended, summary
from wisesr.results.lock import is_running
from wisesr.results.status import Status, read_status

_POLL = 0.25
_PATIENCE = 30.0


def run_grid(configs: Sequence[Config]) -> int:
    """Run the cells of these configurations.

    Returns:
        0 if all are done, 1 if one is not, 130 after Ctrl-C.

    Raises:
        UserError: a configuration is wrong, or its data is not there; nothing was started.
    """
    cells = check_cells(configs)
    console = make_console()
    if (same := len(configs) - len(cells)) > 0:
        console.print(f"{same} of {len(configs)} configurations are the same computation as another, and run once.")
    ended = _skip_finished(cells, console)
    for item in ended:
        if item.state == "waiting":  # all at once, so that `wisesr status` knows of them
            write_cell(item.cell)
    interrupted = False
    with Live(console, len(cells)) as live:
        for number, cell in enumerate(cells, start=1):
            if ended[number - 1].state == "skipped" or interrupted:
                continue
            ended[number - 1] = _run_cell(cell, number, live)
            live.end(number, ended[number - 1])
            interrupted = ended[number - 1].state == "interrupted"
    console.print(summary(ended))
    if interrupted:
        console.print("Interrupted. The same command continues where this one stopped.")
        return 130
    return 0 if all(item.state in ("done", "skipped") for item in ended) else 1


def _skip_finished(cells: Sequence[Cell], console: Console) -> list[Ended]:
    """Each cell as skipped or waiting. The images of several cells are listed once.

    Raises:
        UserError: the data of a waiting cell is not in order, or its pretrained weights are not there.
    """
    fingerprints: dict[str, str] = {}
    ended = []
    for cell in cells:
        waiting = finished(cell.directory, cell.config, None) is None
        weights = _weights_hash(cell, strict=waiting)
        key = json.dumps([waiting, cell.config["dataset"], cell.config["protocol"]], sort_keys=True)
        if not fingerprints.get(key):
            fingerprints[key] = _data_fingerprint(cell, strict=waiting)
        if waiting:
            ended.append(Ended(cell, "waiting"))
            continue
        for warning in finished(cell.directory, cell.config, fingerprints[key], weights) or []:
            console.print(
                escape(f"warning: {cell.label} is skipped as done, but {warning} (anew: study=NAME): {cell.directory}")
            )
        ended.append(Ended(cell, "skipped"))
    if skipped := sum(item.state == "skipped" for item in ended):
        console.print(f"{skipped} of {len(cells)} cells are done already.")
    return ended


def _weights_hash(cell: Cell, *, strict: bool) -> str | None:
    """Hash of the file that a cell starts from, if it does; a finished cell may do without it."""
    try:
        return weights_hash(cell.config)
    except UserError as error:
        if strict:
            raise UserError(f"{cell.label}: {error}\nNothing was started.") from error
        return None


def _data_fingerprint(cell: Cell, *, strict: bool) -> str:
    if strict and cell.config["dataset"].get("on_bad_image") == "skip":
        return ""  # would decode everything; left to the cell
    try:
        return build_manifest(cell.config).fingerprint()
    except UserError as error:
        if strict:
            raise UserError(f"{cell.label}: {error}\nNothing was started.") from error
        return "unreadable"  # the finished cell stands; that its data is gone shows as a change


def _run_cell(cell: Cell, number: int, live: Live) -> Ended:
    """Start a cell's process and wait, showing its status. Ctrl-C stops it and waits for it to end."""
    if is_running(cell.directory):
        return Ended(cell, *outcome(cell.directory, BUSY))
    began = time.time()
    live.begin(number, cell)
    process = start(cell.directory)
    try:
        while process.poll() is None:
            status = read_status(cell.directory)
            live.update(status if status.get("time", 0) >= began else Status(state="starting"))
            time.sleep(_POLL)
    except KeyboardInterrupt:
        _stop(process)
        return Ended(cell, "interrupted", "the same command continues from the last finished epoch")
    return Ended(cell, *outcome(cell.directory, process.returncode, since=began))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """The terminal's Ctrl-C reaches the cell too; one that does not end by itself is ended."""
    try:
        process.wait(_PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.terminate()
        process.wait()
