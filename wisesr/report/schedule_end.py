"""Whether a cell's learning rate ends at zero: its curve then flattens when the schedule says so, whatever the head."""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.report.study import ReportCell

AT_ZERO = frozenset({"wisesr.training.schedules.cosine"})
"""Schedules that reach zero with the last step. Of schedules that are not wisesr's nothing is known, and nothing is said."""


def schedule_sentences(cells: Sequence[ReportCell]) -> tuple[str, ...]:
    """What is to be said of the curves of these cells, once; nothing where no known schedule of theirs ends at zero."""
    epochs = {epochs for cell in cells if (epochs := _zero_after(cell)) is not None}
    if not epochs:
        return ()
    after = " or ".join(map(str, sorted(epochs)))
    decides = "when a curve reaches its plateau is decided by the schedule as much as by the head"
    return (f"The learning rate ends at zero after {after} epochs: {decides}.",)


def _zero_after(cell: ReportCell) -> int | None:
    """The planned epochs after which the rate is zero; None where it is not, or nothing is known of the schedule."""
    schedule = cell.config.get("recipe", {}).get("schedule") or {}
    return cell.finished_record.budget.epochs if schedule.get("_target_") in AT_ZERO else None
