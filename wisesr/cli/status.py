"""`wisesr status`: where cells stand."""

from __future__ import annotations

import argparse
from pathlib import Path

from wisesr.cli.studies import OUTPUTS, find_study

_STATUS = """\
Without DIR: the studies of outputs/ as one table, the newest first: what ran,
when, how many cells are done, and how much disk they take: checkpoints (.ckpt),
the rest, and how much of the checkpoints `wisesr clean STUDY` would free.

With DIR: where the cells below it stand, also while they run: how many are done
and how long the others take; a matrix of backbones and heads with the test
top-1 of what is done, in percent, and the state of what is not; what runs; what
failed, why, and how to go on. Of several seeds a place has mean ± standard
deviation (number of seeds), and what the others are at.

  done         it has its record
  training     shown as epoch 1/3: one of three is finished
  interrupted  stopped or killed; the same command continues it
  failed       it ended with an error; grid.retry=failed tries it again
  waiting      it was never started
  damaged      a file cannot be read, or contradicts another; the way out stands below

examples:
  wisesr status                            the studies of outputs/
  wisesr status mystudy                    the cells of outputs/mystudy
  wisesr status outputs                    all cells of all studies
  wisesr status outputs/mystudy --table    a row a cell, with all figures
  wisesr status --diff 5a3c09fe resnet50-wise/seed-1
      what differs between two cells in configuration, environment and result
"""


def add_status(parser: argparse.ArgumentParser) -> None:
    """Describe the command to its parser."""
    parser.description = _STATUS
    parser.set_defaults(run=status)
    help_directory = "a study or its name below outputs/, a cell, outputs; without it the studies of outputs/"
    parser.add_argument("directory", metavar="DIR", nargs="?", help=help_directory)
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--table", action="store_true", help="a row a cell, in place of the matrix")
    help_diff = "two cells: their directories, or a part of the path below DIR that no other has"
    either.add_argument("--diff", nargs=2, metavar="CELL", help=help_diff)


def status(chosen: argparse.Namespace) -> int:
    """Print where studies or cells stand, or how two cells differ.

    Raises:
        UserError: there is no such directory, no cell, or not those two.
    """
    if chosen.diff:
        from wisesr.status.diff import print_diff

        alone = chosen.directory in (None, OUTPUTS)  # two directories can be compared where there is no such folder
        print_diff(*chosen.diff, root=Path(OUTPUTS) if alone else find_study(chosen.directory))
    elif chosen.directory is None and not chosen.table:
        from wisesr.status.studies_table import print_studies

        print_studies(find_study(OUTPUTS))
    else:
        from wisesr.status.overview import print_status

        print_status(find_study(chosen.directory or OUTPUTS), table=chosen.table)
    return 0
