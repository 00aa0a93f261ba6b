"""Cores of a slot's own: all are dealt out, none twice, and two slots share a core only where there is no other way."""

from __future__ import annotations

import os
import random
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.gpus import FOUR, GRID
from tests.support.gpus import on_any_device as cell
from wisesr.cell.own_cores import bind, cpu_numbers
from wisesr.errors import UserError
from wisesr.grid.core_shares import by_core, claim_cores, deal, usable_cpus
from wisesr.grid.slots import make_slots


def machine(root: Path, places: dict[int, tuple[int, int]]) -> Path:
    """A made-up /sys/devices/system/cpu: socket and core of each CPU."""
    for cpu, (socket, core) in places.items():
        folder = root / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "physical_package_id").write_text(f"{socket}\n")
        (folder / "core_id").write_text(f"{core}\n")
    return root


def test_any_number_of_slots() -> None:
    draw = random.Random(0)
    for _ in range(200):
        cpus = draw.sample(range(512), draw.randint(1, 128))
        slots = draw.randint(1, 16)
        shares = deal(cpus, slots)
        assert len(shares) == slots
        if slots == 1 or len(cpus) // slots < 2:
            assert shares == [()] * slots
            continue
        assert sorted(cpu for share in shares for cpu in share) == sorted(cpus), "each once"
        assert all(len(cpus) // slots <= len(share) <= -(-len(cpus) // slots) for share in shares)


def test_slots_share_no_core_and_no_socket(tmp_path: Path) -> None:
    """Two sockets of four cores of two threads, numbered as Linux does on most: all first threads, then all second ones."""
    places = {cpu: (cpu // 4 % 2, cpu % 4) for cpu in range(16)}
    order = by_core(range(16), machine(tmp_path, places))
    assert sorted(order) == list(range(16))
    assert deal(order, 16) == [()] * 16, "a slot of one core has one thread, which may go anywhere"
    for slots in (2, 4, 8):
        taken = [{places[cpu] for cpu in share} for share in deal(order, slots)]
        assert all(not one & other for index, one in enumerate(taken) for other in taken[index + 1 :]), "no core twice"
        assert all(len({socket for socket, _ in cores}) == 1 for cores in taken), "one socket each"
    assert by_core([9, 1, 4], tmp_path) == [1, 9, 4], "only those that may be used"
    assert by_core([17, 3], tmp_path) == [3, 17], "by number where one is not described"


def test_only_slots_without_gpus_have_cores_of_their_own(config: dict[str, Any]) -> None:
    cpu, cpus = cell(config, accelerator="cpu"), list(range(8))
    slots = make_slots([cpu], GRID | {"slots": 3}, gpus=FOUR, cores=8, cpus=cpus)
    assert [slot.cores for slot in slots] == [2, 2, 2]
    assert all(len(slot.cpus) >= slot.cores for slot in slots)
    assert all(not set(one.cpus) & set(other.cpus) for one, other in pairwise(slots))
    assert make_slots([cpu], GRID, gpus=[], cores=8, cpus=cpus)[0].cpus == (), "one cell at a time may use any"
    assert not any(slot.cpus for slot in make_slots([cell(config)], GRID, gpus=FOUR, cores=8, cpus=cpus))


@pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets")
def test_one_grid_of_a_machine_binds_its_cells() -> None:
    name = f"\0wisesr test {os.getpid()}"
    with claim_cores(name) as mine:
        assert claim_cores(name) is mine, "asked again, the same answer"
        assert claim_cores.__wrapped__(name) is None, "as another process finds it"
        assert not mine.get_inheritable(), "cells do not hold it for longer"
    with claim_cores.__wrapped__(name) as later:
        assert later is not None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process")
def test_binding() -> None:
    before = os.sched_getaffinity(0)
    assert set(usable_cpus()) == before
    try:
        bind(cpu_numbers(str(min(before))))
        assert os.sched_getaffinity(0) == {min(before)}
        with pytest.raises(UserError, match=r"--cpus=100000 cannot be had .*: this process may use \d+$"):
            bind((100000,))
    finally:
        os.sched_setaffinity(0, before)
