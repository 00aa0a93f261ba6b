"""What a head costs: parameters, operations, and the time of a step where that can be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from wisesr.report.study import Entry, ReportCell, ReportTable
from wisesr.results.reading import reading
from wisesr.wording import count_of

TIMES = ("step_ms", "train_ms", "inference_ms")
MEASURES = ("parameters", "head_parameters", "flops", *TIMES)
"""Figures of a `Cost`, by their names."""


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
    """Of one optimizer step, its batch's loading included: mean over the cells that ran on `Costs.machine` and began their
    steps as most of their backbone's and settings' did. None where none did, or none has a pace (an attempt that had nothing
    left to train has none)."""
    train_ms: float | None = None
    """Compute alone, a training step's share of one image, the backbone's included whatever was read: mean over the cells that
    ran on `Costs.machine`; None where it was not measured."""
    inference_ms: float | None = None
    """Likewise, of a forward pass."""
    read: tuple[str, ...] = ()
    """What steps began with: files, decoded, maps (`results.reading`). Of the cells on `Costs.machine`."""
    over: Mapping[str, float] = MappingProxyType({})
    """By how many percent of the baseline's of the same backbone and settings a figure is larger, by its name.

    Empty of the baseline itself and where there is none; a figure that one of them does not have is not in it, nor is a time
    where `read` is another."""


class Costs(NamedTuple):
    """The costs of a table's entries, and the machine that their times are of."""

    costs: tuple[Cost, ...]
    """In the order of its entries."""
    machine: str
    """The machine that the times are of: the one that most cells ran on."""
    others: tuple[str, ...]
    """Machines whose times are left out: they cannot be compared with these."""
    baseline: str = ""
    """The head that `Cost.over` holds others against."""

    @property
    def known_times(self) -> tuple[str, ...]:
        """Names of the times that one entry at least has."""
        return tuple(name for name in TIMES if any(getattr(cost, name) is not None for cost in self.costs))

    @property
    def reads(self) -> tuple[str, ...]:
        """All that steps began with, each once."""
        return tuple(sorted({read for cost in self.costs for read in cost.read}))


def table_costs(table: ReportTable) -> Costs:
    """Costs of all entries of a table."""
    common, *others = machines(table.entries) or [""]
    costs = []
    for entries in table.groups().values():
        here = [cell for entry in entries for cell in entry.cells if machine(cell) == common]
        read = next(iter(_most(map(read_by, here))), "")
        costs += [_cost(entry, common, read) for entry in entries]
    baselines = {cost.entry.group: cost for cost in costs if cost.entry.head == table.baseline}
    held = (cost._replace(over=_over(cost, baselines.get(cost.entry.group))) for cost in costs)
    return Costs(tuple(held), common, tuple(others), table.baseline)


def _over(cost: Cost, baseline: Cost | None) -> dict[str, float]:
    """As of `Cost.over`."""
    if baseline is None or baseline is cost:
        return {}
    # The pass of a backbone whose maps are kept is measured once, and a busy moment is then in all cells that read them.
    measures = [name for name in MEASURES if name not in TIMES or cost.read == baseline.read]
    both = {name: (getattr(cost, name), getattr(baseline, name)) for name in measures}
    return {name: 100.0 * (own - base) / base for name, (own, base) in both.items() if own is not None and base}


def _cost(entry: Entry, common: str, read: str) -> Cost:
    cost = entry.cells[0].finished_record.cost
    parameters, flops = cost.parameters, cost.flops
    alike = [cell for cell in entry.cells if machine(cell) == common]
    compute = [cell.finished_record.cost.compute for cell in alike]
    steps = [step_ms(cell) for cell in alike if read_by(cell) == read]
    times = (steps, [own.train_ms for own in compute], [own.inference_ms for own in compute])
    step, train, inference = map(_mean, times)
    reads = tuple(sorted(set(map(read_by, alike))))
    return Cost(entry, parameters.model, parameters.head, flops.model, step, train, inference, reads)


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
    return _most(machine(cell) for entry in entries for cell in entry.cells)


def read_by(cell: ReportCell) -> str:
    """What a step of a finished cell began with: `maps`."""
    return reading(cell.finished_record.provenance.reads)


def alike_in_time(entries: Sequence[Entry]) -> bool:
    """Whether the seconds of all cells of entries may be compared: of one kind of machine, and begun with the same."""
    return len({circumstances(cell) for entry in entries for cell in entry.cells}) == 1


def circumstances(cell: ReportCell) -> tuple[str, str]:
    """What two finished cells must share for their times to be compared: machine, and what steps began with."""
    return machine(cell), read_by(cell)


def _most(names: Iterable[str]) -> list[str]:
    """Each name once: that of the most cells first, of equals the first by name."""
    counts = Counter(names)
    return sorted(counts, key=lambda name: (-counts[name], name))
