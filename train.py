"""Train one cell, or a grid of them: `python train.py --help` tells how. `wisesr train` is the same, without a checkout."""

from __future__ import annotations

import sys

try:
    import hydra  # noqa: F401
except ModuleNotFoundError:
    sys.exit("This Python has no hydra: make setup, once, then source .venv/bin/activate in each new shell.")
from wisesr.train import main

if __name__ == "__main__":
    main()
