"""Which of this machine's cores each slot has for itself. No torch.

Every grid deals out all cores that its process may use, evenly, the same ones each time. So two grids at once have a cell each
on every core, as the system would place them, and there is no list of who has which core that could be out of date. Whoever
wants two grids apart gives each its part: `taskset -c 0-7 python train.py ...`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

_SYSTEM = Path("/sys/devices/system/cpu")


def usable_cpus() -> list[int]:
    """The CPUs that this process may use, in the order of `by_core`; none where the system binds no process (macOS)."""
    return by_core(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


def deal(cpus: Sequence[int], slots: int) -> list[tuple[int, ...]]:
    """For each slot neighbours in the list, as many as for any other or one more. None where one slot has them all, or
    where there are fewer than slots.
    """
    if slots == 1 or len(cpus) < slots:
        return [()] * slots
    ends = [len(cpus) * number // slots for number in range(slots + 1)]
    return [tuple(sorted(cpus[start:end])) for start, end in zip(ends, ends[1:], strict=False)]


def by_core(cpus: Collection[int], system: Path = _SYSTEM) -> list[int]:
    """CPUs in such an order that the hardware threads of one core are neighbours, and so are the cores of one socket.

    So that two slots share no core where that can be had: on two threads of one core each is much slower. By number where the
    system does not tell.

    Args:
        cpus: as `os.sched_getaffinity` numbers them.
        system: where Linux describes them: https://docs.kernel.org/admin-guide/cputopology.html
    """
    try:
        places = {cpu: [_read(system, cpu, name) for name in ("physical_package_id", "die_id", "core_id")] for cpu in cpus}
    except (OSError, ValueError):
        return sorted(cpus)
    return sorted(cpus, key=lambda cpu: (*places[cpu], cpu))


def _read(system: Path, cpu: int, name: str) -> int:
    file = system / f"cpu{cpu}" / "topology" / name
    if name == "die_id" and not file.exists():  # before Linux 5.2
        return 0
    return int(file.read_text(encoding="ascii"))
