"""What a head costs: parameters, operations, and the time of a step where that can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from wisesr.report.study import Entry, ReportCell, ReportTable
from wisesr.wording import count_of


class Cost(NamedTuple):
    """What the models of one entry cost."""

    entry: Entry
    parameters: int
    """Of the whole model."""
    head_parameters: int
    flops: float | None
    """Of one image's forward pass, a multiply-add counted as two; convolutions and matrix products only, so that an
    average counts as nothing. None where they could not be counted."""
    step_ms: float | None
    """Of one optimizer step, its batch's loading included: mean over the cells that ran on `Costs.machine`. None where none
    did, or none has a pace (an attempt that had nothing left to train has none)."""
    train_ms: float | None = None
    """Compute alone, a training step's share of one image: mean over the same cells; None where it was not measured."""
    inference_ms: float | None = None
    """Likewise, of a forward pass."""


class Costs(NamedTuple):
    """The costs of a table's entries, and the machine that their times are of."""

    costs: tuple[Cost, ...]
    """In the order of its entries."""
    machine: str
    """The machine that the times are of: the one that most cells ran on."""
    others: tuple[str, ...]
    """Machines whose times are left out: they cannot be compared with these."""


def table_costs(table: ReportTable) -> Costs:
    """Costs of all entries of a table."""
    common, *others = machines(table.entries) or [""]
    return Costs(tuple(_cost(entry, common) for entry in table.entries), common, tuple(others))


def _cost(entry: Entry, common: str) -> Cost:
    cost = entry.cells[0].finished_record.cost
    parameters, flops = cost.parameters, cost.flops
    alike = [cell for cell in entry.cells if machine(cell) == common]
    compute = [cell.finished_record.cost.compute for cell in alike]
    times = ([step_ms(cell) for cell in alike], [own.train_ms for own in compute], [own.inference_ms for own in compute])
    return Cost(entry, parameters.model, parameters.head, flops.model, *map(_mean, times))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def step_ms(cell: ReportCell) -> float | None:
    """Milliseconds of an optimizer step of a finished cell; None where its last attempt trained nothing."""
    pace, batch = cell.finished_record.cost.images_per_second, cell.config["recipe"].get("batch_size")
    if not pace or not isinstance(batch, (int, float)) or isinstance(batch, bool):
        return None
    return 1000.0 * batch / float(pace)


def machine(cell: ReportCell) -> str:
    """`NVIDIA A100, 4 threads`; `Intel Xeon, 1 thread` of a cell on CPU."""
    provenance = cell.finished_record.provenance
    device = str(provenance.hardware.get("device", "unknown device"))
    name = str(provenance.hardware.get("cpu", "CPU")) if device == "cpu" else device
    return f"{name}, {count_of(provenance.threads, 'thread')}"


def machines(entries: Sequence[Entry]) -> list[str]:
    """Kinds of machines that the cells of entries ran on: that of the most cells first, of equals the first by name."""
    counts = Counter(machine(cell) for entry in entries for cell in entry.cells)
    return sorted(counts, key=lambda name: (-counts[name], name))
