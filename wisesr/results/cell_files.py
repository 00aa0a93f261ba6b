"""The names of the files in a cell's directory, and in that of a study, that more than one module knows."""

from __future__ import annotations

CONFIG = "config.yaml"
RESULT = "result.json"
PREDICTIONS = "predictions.npz"
BEST, LAST = "best.ckpt", "last.ckpt"
LOG = "log.txt"
STATUS = "status.json"
STARTED = "started.json"
CLEANED = "cleaned.json"
CODE = "code.json"
FROZEN = ".code"
"""In the folder of a study: the code that it was frozen with."""
