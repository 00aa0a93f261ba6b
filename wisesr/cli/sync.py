"""`wisesr sync`: a study's offline W&B runs to the server, its workspace and its report there."""

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
or WANDB_API_KEY), and write the study's workspace and report there. The
workspace has heads side by side, grouped by whatever varies but the seed, with
mean and deviation, in the colours of `wisesr report`; the W&B report has what
`wisesr report` says: the answer, the figures of its overview, claims, tables,
and the curves by head.

STUDY is a directory with cells, or the name of one below outputs/. Each run is
sent under an id of its own, noted in the cell's wandb.json with its address.
What is there is not sent twice, unless with --again (after runs were deleted
there) or to another project. Cells that were logged online stay where they are.
Workspace and report show the latest upload of each cell and nothing else of the
project; both are written anew each time, so keep changes of your own in a copy.
The figures are in a run of their own, of job type `report`.

exit code: 1 if a run could not be sent (the others are sent all the same), or a
workspace not be written; a report that could not be written is told, and is no
failure

examples:
  wisesr sync digits_heads --dry-run            what would be sent, and where
  wisesr sync outputs/digits_heads --project heads --entity myteam
  wisesr sync digits_heads --again              all of it once more
  wisesr sync digits_heads --workspace-only     of what is there, no run is sent
  wisesr sync digits_heads --no-report          runs and workspace
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
    either.add_argument("--no-workspace", action="store_true", help="leave the workspace alone")
    either.add_argument("--workspace-only", action="store_true", help="workspace and report of what is there; send no run")
    parser.add_argument("--no-report", action="store_true", help="write no W&B report")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be sent where, and talk to no server")


def _seconds(text: str) -> float:
    value = float(text)
    if not 1 <= value <= 86400:
        raise argparse.ArgumentTypeError(f"must be from 1 to 86400 seconds, not {text}")
    return value


def sync(chosen: argparse.Namespace) -> int:
    """Send, write workspace and report, print what came of it.

    Returns:
        1 if a run could not be sent, or the workspace not be written.

    Raises:
        UserError: there is no such study, no cell, no key, no server.
    """
    from wisesr.cli.sync_views import write_views
    from wisesr.grid.console import make_console
    from wisesr.results.store import find_cells
    from wisesr.sync.connection import account
    from wisesr.sync.uploads import UploadState, read_sync_cell

    root, console = find_study(chosen.study), make_console()
    where = {"project": chosen.project, "entity": chosen.entity}
    cells = [read_sync_cell(cell, str(cell.relative_to(root)), **where) for cell in find_cells(root)]
    if not cells:
        raise UserError(f"there are no cells below {root}: a cell is a directory with a config.yaml, made by training")
    wanted = (UploadState.OFFLINE, UploadState.SENT) if chosen.again else (UploadState.OFFLINE,)
    sending = [] if chosen.workspace_only else [cell for cell in cells if cell.state in wanted]
    _print_counts(console, cells, sending)
    if chosen.dry_run:
        _print_plan(console, cells, sending, written=_written(chosen))
        return 0
    if not sending and not (_written(chosen) and any(cell.state.is_there for cell in cells)):
        return 0
    entity = account(os.environ)
    failed = _send(console, sending, timeout=chosen.timeout, again=chosen.again) if sending else 0
    done = write_views(console, cells, where, entity, written=_written(chosen))
    return 1 if failed or not done else 0


def _written(chosen: argparse.Namespace) -> list[str]:
    """What is written of each study."""
    return ["workspace"] * (not chosen.no_workspace) + ["report"] * (not chosen.no_report)


def _print_counts(console: Console, cells: Sequence[SyncCell], sending: Sequence[SyncCell]) -> None:
    """How many cells there are in each state, and the names of those that cannot be sent."""
    from wisesr.results.left_alone import LeftAlone, left_alone_lines
    from wisesr.sync.uploads import UploadState
    from wisesr.terminal import tell

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
        if cell.state in (UploadState.UNFINISHED, UploadState.NO_FILES) and cell.left is None:
            detail = f" ({cell.detail})" if cell.detail else ""
            tell(console, f"  {names[cell.state]}: {cell.name}{detail}")
    for line in left_alone_lines([LeftAlone(cell.name, cell.directory, cell.left, cell.detail) for cell in cells if cell.left]):
        tell(console, f"  {line}")


def _print_plan(console: Console, cells: Sequence[SyncCell], sending: Sequence[SyncCell], *, written: list[str]) -> None:
    """What would be sent and written, where, and whether there is a key for it. No server is asked."""
    from wisesr.sync.connection import obstacle
    from wisesr.terminal import tell
    from wisesr.training.loggers.wandb_mode import server

    lines = [f"  would send {cell.name}" for cell in sending]
    for (entity, project), count in Counter(cell.destination for cell in sending).items():
        owner = f"entity {entity}" if entity else "the account's own entity"
        lines.append(f"{count_of(count, 'run')} would go to project {project} of {owner}.")
    there = [*sending, *(cell for cell in cells if cell.state.is_there)] if written else []
    for study, project in dict.fromkeys((cell.study, cell.destination.project) for cell in there):
        lines.append(f"The {' and the '.join(written)} of {study} in project {project} would be written.")
    if lines:
        lines.append(f"But {why}" if (why := obstacle(os.environ)) else f"A key for {server(os.environ)} is known.")
    for line in lines:
        tell(console, line)


def _send(console: Console, sending: Sequence[SyncCell], *, timeout: float, again: bool) -> int:
    """Send runs, a line each; how many could not be."""
    from wisesr.grid.console import tracked
    from wisesr.sync.study_sync import send_all
    from wisesr.terminal import tell

    failed = 0
    results = send_all(sending, timeout=timeout, again=again, environment=os.environ)
    for cell, sent, reason in tracked(results, len(sending), "sending", console):
        failed += sent is None
        line = f"sent {cell.name} as {sent.entity}/{sent.project}/{sent.id}" if sent else f"FAILED {cell.name}: {reason}"
        tell(console, f"  {line}")
    console.print(f"{len(sending) - failed} of {len(sending)} runs were sent.", markup=False)
    return failed
