"""Short ways to a table and its entries, for tests of what is compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.studies import cell_config, write_cell
from wisesr.report.read import read_study
from wisesr.report.study import Entry, ReportTable

LR = "recipe.optimizer.lr"


def table_of_study(root: Path, **how: Any) -> ReportTable:
    (table,) = read_study([root], **how).tables
    return table


def entries_of(table: ReportTable) -> dict[str, Entry]:
    return {entry.label: entry for entry in table.entries}


def write(root: Path, head: str, seed: int, top1: float, **how: Any) -> Path:
    """Arguments of `write_cell` and of `cell_config`."""
    given = {name: how.pop(name) for name in ("provenance", "record", "images", "val_top1", "draw", "first") if name in how}
    return write_cell(cell_config(root, head=head, seed=seed, **how), top1=top1, **given)


def data(name: str, images: int = 50) -> dict[str, Any]:
    return {"data": {"fingerprint": name * 64, "images": {"train": 300, "test": images, "val": 30}, "left_out": []}}


def losses(loss: float) -> dict[str, Any]:
    """Validation loss of the chosen epoch, as `write_cell`'s `record` has it."""
    return {"metrics": {"best": {"val/loss": loss}}}
