"""Forked cells as the grid sees them, with a warm parent that imports nothing."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import processes_of
from tests.support.warm_toy import ToyParent
from wisesr.cell.run import INTERRUPTED
from wisesr.errors import UserError
from wisesr.grid.cell_process import ProcessJob, environment
from wisesr.grid.slots import Slot
from wisesr.grid.warm.job import ForkedJob
from wisesr.grid.warm.parent import WarmSlot
from wisesr.grid.warm.slots import _forks
from wisesr.results.lock import acquire_lock, is_running


class Spawned:
    """A cell in a Python of its own that ends well."""

    def poll(self) -> int:
        return 0


class Place:
    """A slot with toy parents, and jobs in it."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.said, self.started = folder, list[str](), list[ToyParent]()
        self._variables = variables
        self.slot = WarmSlot(self._start, self.said.append, lambda: self.said.append("edited"))

    def _start(self, _code: Path | None) -> ToyParent:
        self.started.append(ToyParent(environment() | self._variables))
        return self.started[-1]

    def job(self, *arguments: str, spawn: Callable[[], Any] = lambda: pytest.fail("a Python of its own")) -> ForkedJob:
        lock = acquire_lock(self.folder, patience=5.0)
        assert lock is not None
        files = [(self.folder / "log.txt").open("ab"), lock]
        return ForkedJob(self.slot, {"run": "cell", "arguments": list(arguments)}, files, spawn)

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def wait_for(self, text: str) -> None:
        wait(lambda: text in self.log)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    own = Place(tmp_path)
    yield own
    own.slot.drop()


def wait(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return answer


def code_of(job: ForkedJob | ProcessJob) -> int:
    wait(lambda: job.poll() is not None)
    code = job.poll()
    assert code is not None
    return code


def test_codes_one_after_another_from_one_parent(place: Place) -> None:
    assert code_of(place.job("print")) == 0
    assert code_of(place.job("exit", "75")) == 75
    assert code_of(place.job("die")) == -signal.SIGSEGV
    assert code_of(place.job("raise")) == 1
    assert len(place.started) == 1
    assert place.log.count("session True") == 4
    assert "ValueError: from the cell" in place.log
    assert not place.said


def test_the_lock_goes_with_the_cell(place: Place) -> None:
    job = place.job("sleep")
    place.wait_for("sleep")
    wait(lambda: job.poll() is None and job._pid)
    assert is_running(place.folder)
    os.kill(job._pid, signal.SIGKILL)
    assert code_of(job) == -signal.SIGKILL
    assert not is_running(place.folder), "while the parent lives on"
    assert code_of(place.job("print")) == 0


def test_what_a_cell_leaves_running_ends_with_it(place: Place) -> None:
    assert code_of(place.job("leave")) == 0
    wait(lambda: not is_running(place.folder))


def test_interrupted_and_killed(place: Place) -> None:
    job = place.job("sleep")
    job.interrupt()  # before it was forked, or after: it ends, and is not failed
    assert code_of(job) == INTERRUPTED
    job = place.job("sleep")
    wait(lambda: job.poll() is None and job._pid)
    place.wait_for("sleep")
    job.interrupt()
    assert code_of(job) == INTERRUPTED
    job = place.job("sleep")
    job.kill()
    assert code_of(job) in (INTERRUPTED, -signal.SIGKILL)
    wait(lambda: not is_running(place.folder))


def test_a_parent_that_dies_takes_its_cell_with_it_and_is_replaced(place: Place) -> None:
    job = place.job("sleep")
    place.wait_for("sleep")
    place.started[0]._process.kill()
    assert code_of(job) == -signal.SIGKILL
    wait(lambda: not is_running(place.folder))
    assert code_of(place.job("print")) == 0
    place.started[1]._process.kill()  # idle
    place.started[1]._process.wait()
    assert code_of(place.job("print")) == 0
    assert len(place.started) == 3


def test_a_parent_that_is_stopped_keeps_nobody_from_the_end(place: Place) -> None:
    job = place.job("sleep")
    place.wait_for("sleep")
    wait(lambda: job.poll() is None and job._pid)
    os.kill(place.started[0]._process.pid, signal.SIGSTOP)
    job.kill()
    assert job.poll() is not None
    wait(lambda: not is_running(place.folder))


def test_one_that_dies_while_it_imports_is_not_tried_again(place: Place) -> None:
    parent = place.slot.parent()
    assert parent is not None
    parent._process.kill()
    for _ in range(2):
        assert code_of(place.job("print", spawn=Spawned)) == 0
    assert len(place.started) == 1
    (said,) = place.said
    assert said.endswith("killed by SIGKILL.")


def test_a_parent_that_cannot_be_started_is_done_without(place: Place) -> None:
    def refuse(*_: Any) -> Any:
        raise BlockingIOError("no more processes")

    place.slot = WarmSlot(refuse, place.said.append)
    with pytest.raises(BlockingIOError):  # which the schedule takes for the cell's own end
        place.job("print", spawn=refuse)
    assert place.said[0].endswith("none could be started: no more processes.")
    assert not is_running(place.folder)


def test_one_that_is_refused_a_fork_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path, TOY_FORKS="no")
    for _ in range(2):
        assert code_of(place.job("print", spawn=Spawned)) == 0
    assert len(place.started) == 1
    (said,) = place.said
    assert said.endswith("cannot fork: no more processes.")
    assert not is_running(tmp_path)


def test_a_file_of_tomorrow_is_no_edit(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    tomorrow = time.time() + 86_400.0
    os.utime(installed, (tomorrow, tomorrow))
    monkeypatch.setenv("PYTHONPATH", str(installed))
    assert code_of(place.job("print")) == 0
    assert len(place.started) == 1
    assert not place.said


def test_code_that_was_edited_is_loaded_anew(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    installed.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(installed))
    assert code_of(place.job("print")) == 0
    (installed / "new.py").touch()
    assert code_of(place.job("print")) == 0
    assert len(place.started) == 2
    (said,) = place.said
    assert "edited" in said


def test_one_that_cannot_fork_says_why_and_cells_are_spawned(tmp_path: Path) -> None:
    place = Place(tmp_path, TOY_UNFIT="something has started 3 threads")
    spawned = []

    def spawn() -> Any:
        assert is_running(tmp_path), "the lock is still held"
        spawned.append(Spawned())
        return spawned[-1]

    assert code_of(place.job("print", spawn=spawn)) == 0
    assert code_of(place.job("print", spawn=spawn)) == 0
    assert len(spawned) == 2
    assert len(place.started) == 1
    (said,) = place.said
    assert said.endswith("something has started 3 threads.")
    assert not is_running(tmp_path)


def test_cells_of_several_devices_are_not_forked() -> None:
    assert not _forks("auto", [Slot(0)], 0)
    with pytest.raises(UserError, match=r"grid\.start=fork forks cells of one device"):
        _forks("fork", [Slot(0)], 0)
    with pytest.raises(UserError, match="jobs of a cluster"):
        _forks("fork", [Slot(0, cluster="local")], 2)


def test_parents_that_end_as_they_import_are_done_without(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once; and where no Python of its own can be started either, the cell has failed and the grid goes on."""
    asked = place.folder / "asked"
    waits = f"import os, time\nwhile not os.path.exists({str(asked)!r}): time.sleep(0.01)"
    monkeypatch.setattr("wisesr.grid.warm.parent.module_command", lambda *_: [sys.executable, "-c", waits])

    def spawn() -> Any:
        raise OSError("no more processes")

    job = place.job("print", spawn=spawn)
    asked.touch()
    assert code_of(job) == 1
    assert job.ended == "it could not be started: no more processes"
    (said,) = place.said
    assert said.endswith("ended while it imported: exit code 0.")
    with pytest.raises(OSError, match="no more processes"):
        place.job("print", spawn=spawn)
    assert len(place.started) == 1


def test_nothing_outlives_the_slot(place: Place) -> None:
    job = place.job("sleep")
    place.wait_for("sleep")
    wait(lambda: job.poll() is None and job._pid)
    place.slot.drop()
    wait(lambda: not processes_of(place.folder))
