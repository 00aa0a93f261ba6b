"""`train.py` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

TOY = (
    "backbone=timm",
    "backbone.model=test_efficientnet",
    "resolution.size=32",
    "recipe.epochs=1",
    "logger=none",
    "trainer=cpu",
    "trainer.threads=1",
)


def train(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "160", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
