"""A lock is the file at its path: one that its holder has just removed keeps nobody out."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wisesr.results.lock import acquire_lock, is_running


def end_between(monkeypatch: pytest.MonkeyPatch, remove: Callable[[], object]) -> None:
    """Let a holder end, and `remove` what it leaves, when the lock has been opened here and not yet taken."""
    real, ended = fcntl.flock, False

    def flock(file: Any, operation: int) -> None:
        nonlocal ended
        if not ended:
            ended = True
            remove()
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)


def test_a_lock_that_was_just_removed_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end_between(monkeypatch, (tmp_path / ".lock").unlink)
    assert acquire_lock(tmp_path) is None and not is_running(tmp_path)
    lock = acquire_lock(tmp_path)
    assert lock is not None and is_running(tmp_path) and acquire_lock(tmp_path) is None
    lock.close()
    assert not is_running(tmp_path)


def test_patience_finds_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end_between(monkeypatch, (tmp_path / ".lock").unlink)
    lock = acquire_lock(tmp_path, patience=5)
    assert lock is not None and is_running(tmp_path)
    lock.close()


def test_a_lock_whose_place_another_has_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = []

    def replace() -> None:
        (tmp_path / ".lock").unlink()
        others.append(acquire_lock(tmp_path))

    end_between(monkeypatch, replace)
    assert acquire_lock(tmp_path) is None and is_running(tmp_path)
    others[0].close()
