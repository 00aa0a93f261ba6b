"""The `wisesr` command: what there is to do with cells besides training them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from wisesr import __version__
from wisesr.errors import UserError

_STATUS = """\
Where the cells below a directory stand, also while they run: how many are done
and how long the others take; a matrix of backbones and heads with the test
top-1 of what is done and the state of what is not; what runs; what failed, why,
and how to go on. Several seeds of a place are counted.

  done         it has its record
  training     shown as epoch 1/3: one of three is finished
  interrupted  stopped or killed; the same command continues it
  failed       it ended with an error; grid.retry=failed tries it again
  waiting      it was never started

examples:
  wisesr status                            all of outputs/
  wisesr status outputs/mystudy --table    a row a cell, with all figures
  wisesr status --diff 5a3c09fe resnet50-wise/seed-1
      what differs between two cells in configuration, environment and result
"""


def status(chosen: argparse.Namespace) -> int:
    """Print where cells stand, or how two of them differ.

    Raises:
        UserError: there are none, or not those two.
    """
    if chosen.diff:
        from wisesr.grid.status.diff import print_diff

        print_diff(*chosen.diff, root=chosen.directory)
    else:
        from wisesr.grid.status.overview import print_status

        print_status(chosen.directory, table=chosen.table)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        An exit code.
    """
    parser = argparse.ArgumentParser(prog="wisesr", description="Look at what train.py has left. Training: train.py --help")
    parser.add_argument("--version", action="version", version=f"wisesr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    layout = argparse.RawDescriptionHelpFormatter
    _add_status(commands.add_parser("status", help="where the cells below a directory stand", formatter_class=layout))
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except UserError as error:
        print(error, file=sys.stderr)
        return 1


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.description = _STATUS
    parser.set_defaults(run=status)
    parser.add_argument("directory", type=Path, nargs="?", default=Path("outputs"), help="outputs (default), a study, a cell")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--table", action="store_true", help="a row a cell, in place of the matrix")
    help_diff = "two cells: their directories, or a part of the path below DIRECTORY that no other has"
    either.add_argument("--diff", nargs=2, metavar="CELL", help=help_diff)


if __name__ == "__main__":
    sys.exit(main())
