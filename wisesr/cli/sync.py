"""`wisesr sync`: a study's offline W&B runs to the server, and its workspace there."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wisesr.cli.studies import find_study
from wisesr.errors import UserError
from wisesr.wording import count_of

if TYPE_CHECKING:
    from rich.console import Console

    from wisesr.sync.uploads import SyncCell

_SYNC = """\
Send the offline W&B runs of finished cells to the server (`wandb login` first,
or WANDB_API_KEY), and write the study's workspace: heads side by side, grouped
by whatever varies but the seed, with mean and deviation.

STUDY is a directory with cells, or the name of one below outputs/. Each run is
sent under an id of its own, noted in the cell's wandb.json. What is there is not
sent twice, unless with --again (after runs were deleted there) or to another
project. Cells that were logged online stay where they are. The workspace shows
the latest upload of each cell and nothing else of the project; it is written
anew each time, so keep changes of your own in a copy of it.

exit code: 1 if a run could not be sent (the others are sent all the same), or a
workspace not be written

examples:
  wisesr sync digits_heads --dry-run            what would be sent, and where
  wisesr sync outputs/digits_heads --project heads --entity myteam
  wisesr sync digits_heads --again              all of it once more
  wisesr sync digits_heads --workspace-only     of what is there
"""


def add_sync(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _SYNC
    parser.set_defaults(run=sync)
    parser.add_argument("study", metavar="STUDY", help="a directory with cells, or the name of one below outputs/")
    parser.add_argument("--project", metavar="P", help="default: that of each cell's configuration, logger.wandb.project")
    parser.add_argument("--entity", metavar="E", help="user or team; default: of the configuration, else the account's own")
    parser.add_argument("--again", action="store_true", help="send what was sent before too, under new ids")
    parser.add_argument("--timeout", type=_seconds, default=600.0, metavar="S", help="seconds for one run (600)")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--no-workspace", action="store_true", help="send runs, leave the workspace alone")
    either.add_argument("--workspace-only", action="store_true", help="write the workspace of what is there, send nothing")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be sent where, and talk to no server")


def _seconds(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 86400:
        raise argparse.ArgumentTypeError(f"must be from 1 to 86400 seconds, not {text}")
    return value


def sync(chosen: argparse.Namespace) -> int:
    """Send, write the workspace, print what came of it.

    Returns:
        1 if a run could not be sent, or the workspace not be written.

    Raises:
        UserError: there is no such study, no cell, no key, no server.
    """
    from wisesr.grid.console import make_console
    from wisesr.results.store import find_cells
    from wisesr.sync.connection import account
    from wisesr.sync.uploads import UploadState, read_sync_cell

    root, console = find_study(chosen.study), make_console()
    where = {"project": chosen.project, "entity": chosen.entity}
    cells = [read_sync_cell(cell, str(cell.relative_to(root)), **where) for cell in find_cells(root)]
    if not cells:
        raise UserError(f"there are no cells below {root}: a cell is a directory with a config.yaml, made by train.py")
    wanted = (UploadState.OFFLINE, UploadState.SENT) if chosen.again else (UploadState.OFFLINE,)
    sending = [] if chosen.workspace_only else [cell for cell in cells if cell.state in wanted]
    _print_counts(console, cells, sending)
    if chosen.dry_run:
        _print_plan(console, cells, sending, workspace=not chosen.no_workspace)
        return 0
    if not sending and (chosen.no_workspace or not any(cell.state.is_there for cell in cells)):
        return 0
    entity = account(os.environ)
    failed = _send(console, sending, timeout=chosen.timeout, again=chosen.again) if sending else 0
    written = chosen.no_workspace or _write_workspaces(console, cells, where, entity)
    return 1 if failed or not written else 0


def _print_counts(console: Console, cells: Sequence[SyncCell], sending: Sequence[SyncCell]) -> None:
    """How many cells there are in each state, and the names of those that cannot be sent."""
    from wisesr.sync.uploads import UploadState

    names = {
        UploadState.OFFLINE: "to be sent",
        UploadState.SENT: "there already",
        UploadState.ONLINE: "logged online",
        UploadState.NO_FILES: "without W&B files",
        UploadState.UNFINISHED: "not finished",
    }
    counts = Counter(cell.state for cell in cells)
    parts = [f"{counts[state]} {name}" for state, name in names.items() if counts[state]]
    again = sum(cell.state is UploadState.SENT for cell in sending)
    console.print(f"{len(cells)} cells: {', '.join(parts)}" + (f"; {again} to be sent again" if again else ""), markup=False)
    for cell in cells:
        if cell.state in (UploadState.UNFINISHED, UploadState.NO_FILES):
            detail = f" ({cell.detail})" if cell.detail else ""
            console.print(f"  {names[cell.state]}: {cell.name}{detail}", soft_wrap=True, markup=False)


def _print_plan(console: Console, cells: Sequence[SyncCell], sending: Sequence[SyncCell], *, workspace: bool) -> None:
    """What would be sent and written, where, and whether there is a key for it. No server is asked."""
    from wisesr.sync.connection import obstacle
    from wisesr.training.loggers.wandb_mode import server

    lines = [f"  would send {cell.name}" for cell in sending]
    for (entity, project), count in Counter(cell.destination for cell in sending).items():
        owner = f"entity {entity}" if entity else "the account's own entity"
        lines.append(f"{count_of(count, 'run')} would go to project {project} of {owner}.")
    there = [*sending, *(cell for cell in cells if cell.state.is_there)] if workspace else []
    for study, project in dict.fromkeys((cell.study, cell.destination.project) for cell in there):
        lines.append(f"The workspace of {study} in project {project} would be written.")
    if lines:
        lines.append(f"But {why}" if (why := obstacle(os.environ)) else f"A key for {server(os.environ)} is known.")
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)


def _send(console: Console, sending: Sequence[SyncCell], *, timeout: float, again: bool) -> int:
    """Send runs, a line each; how many could not be."""
    from wisesr.grid.console import tracked
    from wisesr.sync.study_sync import send_all

    failed = 0
    results = send_all(sending, timeout=timeout, again=again, environment=os.environ)
    for cell, sent, reason in tracked(results, len(sending), "sending", console):
        failed += sent is None
        line = f"sent {cell.name} as {sent.entity}/{sent.project}/{sent.id}" if sent else f"FAILED {cell.name}: {reason}"
        console.print(f"  {line}", soft_wrap=True, markup=False)
    console.print(f"{len(sending) - failed} of {len(sending)} runs were sent.", markup=False)
    return failed


def _write_workspaces(console: Console, cells: Sequence[SyncCell], where: dict[str, str | None], account: str) -> bool:
    """Write the workspace of each study and place; False where one could not be written."""
    from wisesr.sync.study_sync import by_workspace, write_workspace
    from wisesr.sync.uploads import read_sync_cell

    now = [read_sync_cell(cell.directory, cell.name, project=where["project"], entity=where["entity"]) for cell in cells]
    all_written = True
    for (entity, project, study), group in by_workspace(now, account).items():
        try:
            url = write_workspace(group, entity=entity, project=project, study=study)
        except Exception as error:  # wandb raises many kinds, and the runs are there all the same
            all_written = False
            console.print(f"FAILED to write the workspace of {study}: {error}", soft_wrap=True, markup=False)
        else:
            console.print(f"Workspace of {study}, {len(group)} runs: {url}", soft_wrap=True, markup=False)
    return all_written
