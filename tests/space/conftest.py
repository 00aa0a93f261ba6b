"""A folder of studies below the working directory."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """outputs/ below the working directory."""
    monkeypatch.chdir(tmp_path)
    return Path("outputs")
