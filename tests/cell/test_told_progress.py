"""What a cell tells of what it makes before it trains, while it makes it, and while another one does."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wisesr.cell import told_progress
from wisesr.cell.told_progress import watched
from wisesr.data.progress import show
from wisesr.data.rows import store
from wisesr.data.rows.store import Kind, Store
from wisesr.grid.display import describe_progress
from wisesr.results.lock import acquire_lock
from wisesr.results.state import State
from wisesr.results.status_file import read_status


def test_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Items that come four at a time, every two seconds: 12 seconds for 24. The first ones promise nothing wild."""
    clock = [100.0]
    monkeypatch.setattr(told_progress.time, "monotonic", lambda: clock[0])

    def items() -> Iterator[int]:
        for number in range(24):
            clock[0] += 2.0 * (number % 4 == 0)
            yield number

    seen: list[dict[str, Any]] = []
    with caplog.at_level(logging.INFO), watched(tmp_path):
        for _ in show(items(), 24, "computing maps"):
            seen.append(dict(read_status(tmp_path)))
    told = {status["step"]: status.get("seconds_left") for status in seen}
    assert all(status["state"] is State.STARTING and status["steps"] == 24 for status in seen)
    assert told[0] is None and told[1] is None
    for step, left in told.items():
        assert left is None or left == pytest.approx(0.5 * (24 - step)), "half a second each"
    assert describe_progress(seen[-1]).startswith("computing maps  21 of 24  0:0")  # type: ignore[arg-type]
    assert [line.split(": ", 1)[1] for line in caplog.messages] == ["24 to do", "done in 12.0 s"]
    after = read_status(tmp_path)
    assert after["phase"] == "first batch" and "steps" not in after


def test_a_cell_that_waits_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as another process holds the lock of the rows; then it makes, or finds, them."""
    monkeypatch.setattr(store, "_SOON", 0.05)
    rows = Store(tmp_path / "kept", Kind("maps", {}, dimensions=1, item=1, text="toy"))
    rows.folder.mkdir(parents=True)
    lock = acquire_lock(rows.folder)
    assert lock is not None
    keys = np.arange(32, dtype=np.uint8).reshape(2, 16)

    def extend() -> None:
        with watched(tmp_path):
            rows.extend(
                keys, lambda wanted: (np.zeros(3, np.uint8) for _ in wanted), what="computing maps", about={}, row_bytes=3
            )

    thread = threading.Thread(target=extend)
    thread.start()
    deadline = time.monotonic() + 20
    while read_status(tmp_path).get("phase") != "waits for maps":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert read_status(tmp_path)["waits"] is True and "steps" not in read_status(tmp_path)
    lock.close()
    thread.join(20)
    assert len(rows.missing(keys)) == 0
    assert read_status(tmp_path)["phase"] == "first batch"
