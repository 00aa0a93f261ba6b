"""What more cells would cost: how many they are, and about how long they take, as far as finished cells or the plan tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from wisesr.config.schema import Config
from wisesr.grid.eta import CellTime, cell_time, seconds_left
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Estimate, total_hours
from wisesr.grid.planning.hours_text import gpu_hours
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.wording import count_of, duration

More = Sequence[tuple[Config, int]]
"""Cells that are not there yet: one like it, and how many."""


class Costs:
    """What more cells cost, beside a grid of so many cells.

    Args:
        cells: of the command.
        costs: from the plan, of the cells that are to run, by id of their configuration.
        times: of finished cells.
        slots: cells at a time.
        estimates: from the plan, how long the cells that are to run will take, by id of their configuration.
    """

    def __init__(
        self,
        cells: Sequence[Config],
        costs: Mapping[int, Cost | None],
        times: Sequence[CellTime] = (),
        slots: int = 1,
        estimates: Mapping[int, Estimate | None] | None = None,
    ) -> None:
        self._cells, self._costs, self._times, self._slots = cells, costs, times, slots
        self._estimates = estimates or {}

    def text(self, more: More) -> str:
        """`8 more cells, about 12 minutes`; where nobody knows how long a cell takes, `4 times the work of these 2`."""
        count = sum(number for _, number in more)
        new = [cell_time(config, State.WAITING, {}, None) for config, number in more for _ in range(number)]
        seconds = seconds_left([*self._times, *new])
        time = f"about {duration(seconds / self._slots)}" if seconds is not None and self._times else self._planned(more)
        return f"{count_of(count, 'more cell')}, {time}"

    def _planned(self, more: More) -> str:
        """As the plan has it, on a GPU by FLOPs; where it does not tell, by the work of the grid."""
        estimates = [self._estimates.get(id(config)) for config, number in more for _ in range(number)]
        hours = total_hours(estimates, slots=self._slots)
        if hours is None or not all(estimates):
            return self._work(more)
        if any(each.by == "flops" for each in estimates if each):
            return f"{self._work(more)} (about {gpu_hours(hours.work)})"
        return f"about {duration(hours.wall)}"

    def _work(self, more: More) -> str:
        """By FLOPs where all are known, else by the number of cells."""
        known = all(self._costs.get(id(config)) for config in [*self._cells, *(config for config, _ in more)])
        weights = [self._weight(config) if known else 1 for config in self._cells]
        new = sum(number * (self._weight(config) if known else 1) for config, number in more)
        return f"{times(new / sum(weights))} the work of {'these' if len(weights) > 1 else 'this'} {len(weights)}"

    def _weight(self, config: Config) -> int:
        cost = self._costs[id(config)]
        assert cost is not None
        return cost.flops * cost.train_images * int(config["recipe"]["epochs"])


def measured_times(finished: Iterable[tuple[Path, Config]]) -> list[CellTime]:
    """How long finished cells took."""
    records = ((config, read_record(directory)) for directory, config in finished)
    return [cell_time(config, State.DONE, {}, record) for config, record in records if record is not None]


def times(factor: float) -> str:
    """`once`, `twice`, `2.5 times`, `9 times`."""
    text = f"{factor:,.0f}" if factor >= 2.95 else f"{factor:.2g}"
    return {"1": "once", "2": "twice"}.get(text, f"{text} times")
