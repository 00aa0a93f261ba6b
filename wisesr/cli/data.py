"""`wisesr data`: what there is to do with datasets before training."""

from __future__ import annotations

import argparse

from wisesr.cli.data_prepare import add_prepare

_DATA = """\
The datasets that live in files: intel, mit_indoor and sub_imagenet as the paper
has them, and your own.
"""


def add_data(parser: argparse.ArgumentParser) -> None:
    """Describe the command and those below it to its parser."""
    parser.description = _DATA
    commands = parser.add_subparsers(dest="data_command", required=True, metavar="COMMAND")
    layout = argparse.RawDescriptionHelpFormatter
    add_prepare(commands.add_parser("prepare", help="a dataset's folder from its download", formatter_class=layout))
