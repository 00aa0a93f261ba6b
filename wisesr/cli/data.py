"""`wisesr data`: the images that cells are trained on."""

from __future__ import annotations

import argparse

from wisesr.cli.data_check import add_check
from wisesr.cli.data_prepare import add_prepare
from wisesr.cli.data_show import add_show
from wisesr.cli.help import HelpFormatter


def add_data(parser: argparse.ArgumentParser) -> None:
    """Describe the command and those below it to its parser."""
    parser.description = "The images that cells are trained on: the paper's three datasets, and your own."
    layout = HelpFormatter
    commands = parser.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    add_prepare(commands.add_parser("prepare", help="make a dataset's folder from its download", formatter_class=layout))
    add_check(commands.add_parser("check", help="look for what would stop or falsify a training", formatter_class=layout))
    add_show(commands.add_parser("show", help="see the images as a cell is fed them", formatter_class=layout))
