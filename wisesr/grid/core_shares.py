"""Which of this machine's cores each slot has for itself. No torch.

The threads of a cell wait for one another many times a step, so those of two cells are kept apart: each slot of several cores
is bound to its own. A slot of one core is not, as its one thread waits for nobody. Measured on two cores with ResNet18 at 64
px: two cells of one thread bound to a core each are 1.02 times as fast as left to the system, those of two grids at once 0.97
times, and where the last cell of each happens to be on the same core, half as fast. So one grid of a machine binds its cells,
the first; those of any other go where the system finds room.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

_SYSTEM = Path("/sys/devices/system/cpu")
_CLAIM = "\0wisesr: this grid binds its cells to cores"
"""Of a socket in Linux's abstract namespace, which no file outlives: https://man7.org/linux/man-pages/man7/unix.7.html"""


def usable_cpus() -> list[int]:
    """The CPUs that this process may use, in the order of `by_core`; none where the system binds no process (macOS)."""
    return by_core(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []


@cache
def claim_cores(name: str = _CLAIM) -> socket.socket | None:
    """What tells other grids, until this process ends, that this one binds its cells; None where another one does."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        claim.bind(name)
    except OSError:
        claim.close()
        return None
    return claim


def deal(cpus: Sequence[int], slots: int) -> list[tuple[int, ...]]:
    """For each slot neighbours in the list, as many as for any other or one more; none where one slot has all, or each one."""
    if slots == 1 or len(cpus) < 2 * slots:
        return [()] * slots
    ends = [len(cpus) * number // slots for number in range(slots + 1)]
    return [tuple(sorted(cpus[start:end])) for start, end in zip(ends, ends[1:], strict=False)]


def by_core(cpus: Collection[int], system: Path = _SYSTEM) -> list[int]:
    """CPUs in such an order that the hardware threads of one core are neighbours, and so are the cores of one socket.

    So two slots share no core where that can be had: two threads of one core are much slower than two cores. By number where
    the system does not tell.

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
