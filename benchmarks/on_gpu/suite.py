"""The tests marked `gpu`, as part of the table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.on_gpu.options import Row
from tests.support.paths import ROOT

COMMAND = ("-m", "pytest", "-m", "gpu", "tests/gpu", "-p", "no:cacheprovider", "--color=no")


def measure() -> Iterator[Row]:
    """One row: exit code and counts. What failed is printed, and stands in no table."""
    done = subprocess.run([sys.executable, *COMMAND], cwd=ROOT, capture_output=True, text=True)
    lines = [line.strip("= ") for line in done.stdout.splitlines() if line.strip()]
    if done.returncode:
        print(done.stdout[-6000:] + done.stderr[-2000:], flush=True)
    yield ("tests marked gpu", " ".join(COMMAND[1:5]), f"exit code {done.returncode}: {lines[-1] if lines else 'no words'}")
