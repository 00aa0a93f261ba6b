"""CPU cores of a cell, the same for all cells of a study: another number of threads gives other last bits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.slots import Slot
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.lock import locked
from wisesr.terminal import tell
from wisesr.types import usable_cores

_FILE = "study.json"


def study_of(cell: Cell) -> Path:
    """The folder of a cell's study."""
    return Path(cell.config["output_dir"], cell.config["study"])


def cores_by_study(cells: Sequence[Cell], slots: Sequence[Slot], console: Console) -> dict[Path, int]:
    """Cores of a cell of each study, by its folder, for those on the CPU whose threads are not said.

    Raises:
        UserError: all slots together would need more than there are.
    """
    studies = sorted({study_of(cell) for cell in cells if shares_cores(cell, slots[0])})
    shares = {study: study_cores(study, slots[0].cores) for study in studies}
    for study, share in shares.items():
        if share == slots[0].cores:
            continue
        if not slots[0].cluster and len(slots) > 1 and share * len(slots) > usable_cores():
            raise UserError(
                f"the cells of study {study.name} run with {share} cores each, as its first ones did (another number of "
                f"threads gives other last bits): grid.slots={len(slots)} needs {share * len(slots)}, and there are "
                f"{usable_cores()}. Take grid.slots={max(1, usable_cores() // share)}, or another study=NAME"
            )
        tell(console, f"The cells of study {study.name} run with {share} cores each, as its first ones did.")
    return shares


def shares_cores(cell: Cell, slot: Slot) -> bool:
    """Whether a cell's numbers depend on the cores of its slot."""
    trainer = cell.config["trainer"]
    return trainer["threads"] == "auto" and (trainer["accelerator"] == "cpu" or not slot.gpus)


def study_cores(study: Path, wanted: int) -> int:
    """Cores of each cell of a study on CPU: what its first command wanted, kept in `study.json` of its folder."""
    study.mkdir(parents=True, exist_ok=True)
    with locked(study, patience=10.0):
        known = read_json(study / _FILE)
        if isinstance(known, dict) and isinstance(known.get("cores_per_cell"), int):
            return int(known["cores_per_cell"])
        write_json(study / _FILE, {"cores_per_cell": wanted})
        return wanted
