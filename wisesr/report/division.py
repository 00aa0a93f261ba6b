"""Into how many parts cells divided their batches, wherever training sees several images of a part at once.

BatchNorm takes its statistics over one device's part of a batch, and mixing pairs images within it, so the number of parts is
an axis. It is 1 on one device, and where the record says that nothing saw a device's part alone (no BatchNorm or a synchronised
one, and no mixing): such cells equal those of one device up to last bits and the draws of dropout. Where nobody knows, as of
records before 2026-11-28, there are as many parts as devices.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from wisesr.config.axes import Leaves
from wisesr.report.study import ReportCell
from wisesr.results.record import Record

DEVICE_PARTS, SYNCHRONISED, ACCUMULATE = "device_parts", "sync_batchnorm", "trainer.accumulate"
"""Settings that say how batches are divided: the first two are made here, the third is the configuration's."""


class Division(NamedTuple):
    """Of a cell's batches, as far as its training depends on it."""

    devices: int | str
    """Parts that are seen apart because they lie on several devices, in all nodes; `auto` where only the machine knows."""
    synchronised: bool
    """Whether BatchNorm sees the parts of all devices, and something else does not; False where there is one."""
    accumulate: int

    @property
    def text(self) -> str:
        """`8 by device x 1 accumulated`."""
        together = " (BatchNorm synchronised)" if self.synchronised else ""
        return f"{self.devices} by device{together} x {self.accumulate} accumulated"


def devices_of(config: Mapping[str, Any], record: Record | None) -> int | str:
    """The number of devices that a cell ran on, in all nodes; of one that has no such record, what its configuration says."""
    if record is not None and record.provenance.devices is not None:
        return record.provenance.devices
    devices, nodes = config["trainer"]["devices"], config["trainer"]["num_nodes"]
    if isinstance(devices, int):
        return int(devices * nodes)
    return str(devices) if nodes == 1 else f"{devices}x{nodes}"


def division_of(config: Mapping[str, Any], record: Record | None) -> Division:
    """How a cell divided its batches, as far as its training depends on it."""
    trainer = config["trainer"]
    noted = None if record is None else record.provenance.device_parts
    devices = devices_of(config, record) if noted is None else noted
    return Division(devices, trainer["sync_batchnorm"] and devices != 1, trainer["accumulate"])


def division_of_cell(cell: ReportCell) -> Division:
    """As of `division_of`."""
    return division_of(cell.config, cell.record)


def with_division(cells: Sequence[tuple[Leaves, Mapping[str, Any], Record | None]]) -> list[Leaves]:
    """The settings of cells, with those that say how their batches were divided.

    An unfinished cell will be divided as the finished ones that differ from it in their seed only, if these agree.

    Args:
        cells: settings, as of `settings.settings_of`, configuration and record of each.
    """
    known: dict[str, set[Division]] = defaultdict(set)
    for values, config, record in cells:
        if record is not None:
            known[_without_seed(values)].add(division_of(config, record))
    found = []
    for values, config, record in cells:
        alike = known.get(_without_seed(values), set()) if record is None else set()
        division = next(iter(alike)) if len(alike) == 1 else division_of(config, record)
        found.append(values | {DEVICE_PARTS: division.devices} | ({SYNCHRONISED: True} if division.synchronised else {}))
    return found


def _without_seed(values: Leaves) -> str:
    return json.dumps({key: value for key, value in values.items() if key != "seed"}, sort_keys=True)
