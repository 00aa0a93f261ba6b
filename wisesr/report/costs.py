"""What a head costs: parameters, operations, and the time of a step where that can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from wisesr.report.study import Entry, ReportCell, ReportTable


class Cost(NamedTuple):
    """Of one entry."""

    entry: Entry
    parameters: int
    """Of the whole model."""
    head_parameters: int
    flops: float | None
    """Of one image's forward pass, a multiply-add counted as two; convolutions and matrix products only, so that an
    average counts as nothing. None where the record has none."""
    step_ms: float | None
    """Of one optimizer step, its batch's loading included: mean over the cells that ran on `Costs.machine`. None where none
    did, or none has a pace (an attempt that had nothing left to train has none)."""


class Costs(NamedTuple):
    """Of a table."""

    costs: tuple[Cost, ...]
    """In the order of its entries."""
    machine: str
    """That the times are of: the one that most cells ran on."""
    cells: int
    """That ran on it."""
    others: tuple[str, ...]
    """Machines whose times are not told: they cannot be compared with these."""


def table_costs(table: ReportTable) -> Costs:
    """Costs of all entries of a table."""
    cells = [cell for entry in table.entries for cell in entry.cells]
    common, number, others = common_machine(cells)
    return Costs(tuple(_cost(entry, common) for entry in table.entries), common, number, others)


def _cost(entry: Entry, common: str) -> Cost:
    cost = _record(entry.cells[0])["cost"]
    backbone, head = (cost["parameters"][f"{part}_parameters"] for part in ("backbone", "head"))
    operations = [(cost.get("flops") or {}).get(part) for part in ("backbone", "head")]
    flops = None if None in operations else float(sum(filter(None, operations)))
    steps = [step for cell in entry.cells if machine(cell) == common and (step := step_ms(cell)) is not None]
    return Cost(entry, backbone + head, head, flops, sum(steps) / len(steps) if steps else None)


def step_ms(cell: ReportCell) -> float | None:
    """Milliseconds of an optimizer step of a finished cell; None where its last attempt trained nothing."""
    pace, batch = _record(cell)["cost"].get("images_per_second"), cell.config["recipe"].get("batch_size")
    if not pace or not isinstance(batch, (int, float)) or isinstance(batch, bool):
        return None
    return 1000.0 * batch / float(pace)


def machine(cell: ReportCell) -> str:
    """`NVIDIA A100, 4 threads`; `Intel Xeon, 1 thread` of a cell on CPU."""
    provenance = _record(cell)["provenance"]
    hardware, threads = provenance["hardware"], provenance["threads"]
    device = str(hardware.get("device", "unknown device"))
    name = str(hardware.get("cpu", "CPU")) if device == "cpu" else device
    return f"{name}, {threads} {'thread' if threads == 1 else 'threads'}"


def common_machine(cells: Iterable[ReportCell]) -> tuple[str, int, tuple[str, ...]]:
    """The machine of most cells (of equals the first by name), how many these are, and the others' names."""
    counts = Counter(machine(cell) for cell in cells)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return (ranked[0], counts[ranked[0]], tuple(ranked[1:])) if ranked else ("", 0, ())


def same_machine(entries: Sequence[Entry]) -> bool:
    """Whether all of their cells ran on machines of one kind, so that their seconds can be compared."""
    return not common_machine(cell for entry in entries for cell in entry.cells)[2]


def _record(cell: ReportCell) -> Mapping[str, Any]:
    assert cell.record is not None, "entries hold finished cells"
    return cell.record
