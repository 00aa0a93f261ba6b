"""Who runs when and where, on an invented machine: jobs that end when they like, GPUs that are names."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.support.gpus import FOUR, GRID
from tests.support.gpus import on_any_device as on
from tests.support.records import finish, record_of
from wisesr.grid import schedule as module
from wisesr.grid.cell_dirs import Cell, check_cells, write_cell
from wisesr.grid.outcome import CellOutcome, Running, RunReason
from wisesr.grid.schedule import Schedule
from wisesr.grid.slots import Slot, make_slots
from wisesr.results.atomic_files import write_json
from wisesr.results.cell_files import RESULT
from wisesr.results.lock import acquire_lock, is_running
from wisesr.results.state import State
from wisesr.results.status_file import write_status


class FakeJob:
    """Runs for a number of looks, then ends with a code; holds the lock as a real cell does."""

    ended = ""

    def __init__(self, machine: Machine, cell: Cell, slot: Slot, lock: IO[Any], length: int, code: int) -> None:
        self._machine, self._cell, self._slot, self._left, self._code = machine, cell, slot, length, code
        self._lock = os.dup(lock.fileno())
        machine.busy.update(slot.gpus)

    def poll(self) -> int | None:
        self._left -= 1
        if self._left > 0:
            return None
        self._machine.busy.subtract(self._slot.gpus)
        if self._code == 0:
            self.record()
        os.close(self._lock)
        return self._code

    def record(self) -> None:
        finish(self._cell.directory, self._cell.config)

    def interrupt(self) -> None:
        self._left, self._code = min(self._left, 2), 130

    def kill(self) -> None:
        self._left = 0
        self.poll()


class Machine:
    """Starts fake jobs and watches."""

    def __init__(self, length: Iterator[int], codes: dict[Path, int] | None = None) -> None:
        self.busy: Counter[str] = Counter()
        self.started_: Counter[Path] = Counter()
        self.ended_: dict[int, CellOutcome] = {}
        self.most = 0
        self.idle = 0
        self.said: list[int] = []
        """How many cells ran as a failure stopped the grid."""
        self._length, self._codes = length, codes or {}

    def start(self, cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any]) -> FakeJob:
        assert is_running(cell.directory), "locked before it starts"
        self.started_[run_dir] += 1
        return FakeJob(self, cell, slot, lock, next(self._length), self._codes.get(cell.directory, 0))

    def started(self, running: Running, reason: RunReason | None) -> None:
        assert max(self.busy.values(), default=0) <= 1, "no GPU shared"
        self.most = max(self.most, sum(self.busy.values()))

    def ended(self, index: int, outcome: CellOutcome) -> None:
        assert index not in self.ended_
        self.ended_[index] = outcome

    def stopping(self) -> None:
        pass

    def stopping_on_failure(self, *, running: int) -> None:
        self.said.append(running)

    def elsewhere(self, index: int, cell: Cell) -> None:
        pass

    def update(self, outcomes: list[CellOutcome], running: list[Running], elsewhere: list[Cell]) -> None:
        waiting = sum(outcome.state is State.WAITING for outcome in outcomes) - len(elsewhere)
        self.idle = max(self.idle, 0 if waiting < 4 else 4 - sum(self.busy.values()))


BEGAN = time.time()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 0.002)


def waiting(config: dict[str, Any], count: int) -> list[CellOutcome]:
    cells = check_cells([config | {"seed": seed} for seed in range(count)])
    for cell in cells:
        write_cell(cell)
    return [CellOutcome(cell, State.WAITING, run_reason=RunReason.NEW) for cell in cells]


@pytest.mark.parametrize(("devices", "seed"), [(1, 0), (1, 1), (2, 2)])
def test_no_gpu_is_shared_and_none_idles(config: dict[str, Any], devices: int, seed: int) -> None:
    """Until the end, whatever the cells take, and however some of them end."""
    generator = random.Random(seed)
    cells_to_run = waiting(config, 23)
    codes = {outcome.cell.directory: generator.choice([0, 0, 1, -9]) for outcome in cells_to_run}
    machine = Machine(iter(lambda: generator.randint(1, 40), 0), codes)
    slots = make_slots([on(config, devices=devices)], GRID, gpus=FOUR, cores=8)
    ended = Schedule(cells_to_run, slots, machine.start, machine, force=False, began=BEGAN).run()
    assert set(machine.started_.values()) == {1}, "each cell once"
    assert len(machine.started_) == 23
    assert machine.most == 4
    assert machine.idle <= devices, "a GPU is free only for the moment in which its cell is replaced"
    assert [outcome.state for outcome in ended] == [
        State.DONE if codes[outcome.cell.directory] == 0 else State.FAILED for outcome in cells_to_run
    ]
    assert +machine.busy == Counter()


def test_cells_that_others_run_are_waited_for_and_taken_over(config: dict[str, Any]) -> None:
    cells_to_run = waiting(config, 3)
    done, gone, mine = (outcome.cell.directory for outcome in cells_to_run)
    locks = [acquire_lock(done), acquire_lock(gone)]
    assert all(locks)
    machine = Machine(iter(lambda: 3, 0))
    looks = 0
    update = machine.update

    def watch(outcomes: list[CellOutcome], running: list[Running], elsewhere: list[Cell]) -> None:
        nonlocal looks
        looks += 1
        update(outcomes, running, elsewhere)
        if looks == 20:
            assert set(machine.started_) == {mine}, "the free one was taken, the others left alone"
            write_status(done, state=State.FAILED, reason="said there", told=True)
            for lock in locks:
                assert lock is not None
                lock.close()

    machine.update = watch  # type: ignore[method-assign]
    ended = Schedule(cells_to_run, [Slot(0)], machine.start, machine, force=False, began=BEGAN).run()
    assert set(machine.started_) == {mine, gone}, "what failed there while this grid ran is not tried again"
    assert [(outcome.state, outcome.reason) for outcome in ended] == [
        (State.FAILED, "said there"),
        (State.DONE, ""),
        (State.DONE, ""),
    ]


def test_a_signal_ends_running_cells_and_starts_none(config: dict[str, Any]) -> None:
    cells_to_run = waiting(config, 6)
    machine = Machine(iter(lambda: 10_000, 0))
    schedule = Schedule(cells_to_run, [Slot(0), Slot(1)], machine.start, machine, force=False, began=BEGAN)
    before = signal.getsignal(signal.SIGINT)
    looks = 0

    def watch(outcomes: list[CellOutcome], running: list[Running], elsewhere: list[Cell]) -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            os.kill(os.getpid(), signal.SIGINT)

    machine.update = watch  # type: ignore[method-assign]
    ended = schedule.run()
    assert schedule.interrupted
    assert [outcome.state for outcome in ended] == [State.INTERRUPTED] * 2 + [State.WAITING] * 4
    assert signal.getsignal(signal.SIGINT) == before


def test_a_second_signal_ends_them_at_once(config: dict[str, Any]) -> None:
    cells_to_run = waiting(config, 2)
    machine = Machine(iter(lambda: 10_000, 0))

    schedule = Schedule(cells_to_run, [Slot(0)], machine.start, machine, force=False, began=BEGAN)
    began = time.monotonic()
    looks = 0

    def watch(outcomes: list[CellOutcome], running: list[Running], elsewhere: list[Cell]) -> None:
        nonlocal looks
        looks += 1
        for started in running:
            started.job.interrupt = lambda: None  # type: ignore[method-assign]
        if looks in (5, 10):
            os.kill(os.getpid(), signal.SIGINT)

    machine.update = watch  # type: ignore[method-assign]
    ended = schedule.run()
    assert [outcome.state for outcome in ended] == [State.INTERRUPTED, State.WAITING]
    assert time.monotonic() - began < 10


def test_a_cell_that_cannot_be_started_fails_alone(config: dict[str, Any]) -> None:
    cells_to_run = waiting(config, 3)
    machine = Machine(iter(lambda: 2, 0))

    def start(cell: Cell, run_dir: Path, slot: Slot, lock: IO[Any]) -> FakeJob:
        if cell.config["seed"] == 1:
            raise OSError(28, "No space left on device")
        return machine.start(cell, run_dir, slot, lock)

    ended = Schedule(cells_to_run, [Slot(0)], start, machine, force=False, began=BEGAN).run()
    assert [outcome.state for outcome in ended] == [State.DONE, State.FAILED, State.DONE]
    assert "No space left on device" in ended[1].reason
    assert not is_running(ended[1].cell.directory)


def test_done_is_what_has_a_record(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends well without one, and a record of another configuration, are no success."""
    cells_to_run = waiting(config, 2)
    other = record_of(config) | {"fingerprint": "another"}
    write_json(cells_to_run[1].cell.directory / RESULT, other)
    monkeypatch.setattr(FakeJob, "record", lambda _: None)
    machine = Machine(iter(lambda: 2, 0))
    ended = Schedule(cells_to_run, [Slot(0)], machine.start, machine, force=False, began=BEGAN).run()
    assert all(outcome.state is State.FAILED and "no record" in outcome.reason for outcome in ended)


@pytest.mark.parametrize(
    "content", ['{"state": ["a"], "time": "later"}', '{"state": "failed", "time": null, "reason": 3}', "[]", "{"]
)
def test_a_damaged_status_ends_no_grid(config: dict[str, Any], content: str) -> None:
    cells_to_run = waiting(config, 2)
    (cells_to_run[0].cell.directory / "status.json").write_text(content)
    machine = Machine(iter(lambda: 2, 0), {cells_to_run[0].cell.directory: 1})
    ended = Schedule(cells_to_run, [Slot(0)], machine.start, machine, force=False, began=BEGAN).run()
    assert [outcome.state for outcome in ended] == [State.FAILED, State.DONE]


def test_what_another_grid_did_anew_meanwhile_is_not_done_again(config: dict[str, Any]) -> None:
    """Two forced commands: a cell that the first finishes after the second began, though before the second comes to it."""
    cells_to_run = waiting(config, 2)
    began = time.time()
    old, new = (outcome.cell for outcome in cells_to_run)
    for cell in (old, new):
        finish(cell.directory, cell.config)
    os.utime(old.directory / RESULT, (began - 60, began - 60))
    machine = Machine(iter(lambda: 2, 0))
    ended = Schedule(cells_to_run, [Slot(0)], machine.start, machine, force=True, began=began - 1).run()
    assert [outcome.state for outcome in ended] == [State.DONE, State.DONE]
    assert list(machine.started_) == [old.directory / "redo"]
