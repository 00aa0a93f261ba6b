"""The `wisesr` command: what there is to do with cells besides training them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wisesr import __version__
from wisesr.errors import UserError


def status(root: Path) -> int:
    """Print the table of all cells below a directory, finished or not.

    Raises:
        UserError: there are none.
    """
    from wisesr.config import load_cell
    from wisesr.grid.cells import make_cells
    from wisesr.grid.display import make_console
    from wisesr.grid.table import Ended, summary
    from wisesr.results.lock import is_running
    from wisesr.results.store import find_cells, state_of

    directories = find_cells(root)
    cells = make_cells([load_cell(directory) for directory in directories], directories)
    ended = [Ended(cell, *state_of(cell.directory, running=is_running(cell.directory))) for cell in cells]
    if not ended:
        raise UserError(f"there are no cells below {root}: a cell is a directory with a config.yaml, made by train.py")
    make_console().print(summary(ended))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        An exit code.
    """
    parser = argparse.ArgumentParser(prog="wisesr", description="Look at what train.py has left. Training: train.py --help")
    parser.add_argument("--version", action="version", version=f"wisesr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser("status", help="the table of all cells below a directory, while they run too")
    command.add_argument("directory", type=Path, nargs="?", default=Path("outputs"), help="default: outputs")
    chosen = parser.parse_args(arguments)
    try:
        return status(chosen.directory)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
