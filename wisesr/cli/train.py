"""`wisesr train`: `python train.py` without a checkout."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from wisesr.program import INSTALLED


def add_train(parser: ArgumentParser) -> None:
    """Make it a command of the list; Hydra reads its arguments, `--help` among them."""
    parser.set_defaults(run=None)


def train(arguments: Sequence[str]) -> int:
    """Train what the arguments compose, with the packaged `conf`; parts of one's own are found in the working folder.

    Returns:
        An exit code.
    """
    from wisesr.train import main

    sys.argv = [INSTALLED, *arguments]
    here = str(Path.cwd())
    if not {"", here} & set(sys.path):  # `python -m` has it, a script in a `bin` has not
        sys.path.insert(0, here)
    main()
    return 0
