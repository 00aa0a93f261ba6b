"""What tests of loggers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from wisesr.training.loggers.base import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, "toy-wise-seed-0", "study", ("toy", "wise", "32px"), {"head": {"dropout": 0.5}})
