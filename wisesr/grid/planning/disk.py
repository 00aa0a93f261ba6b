"""Whether there is room for the files of a grid, and leave to write them. No torch."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from wisesr.grid.cell_dirs import Cell
from wisesr.grid.planning.kept import Kept, existing
from wisesr.results.cell_files import RESULT
from wisesr.results.redo import REDO
from wisesr.wording import size

Need = tuple[Cell, int, int]
"""A cell, the bytes that its directory takes at most, and how many of them a copy takes while a checkpoint is replaced."""


def disk_problems(needs: Sequence[Need], slots: int, kept: Sequence[Kept] = ()) -> list[str]:
    """What keeps the files of all these cells from being written, a sentence each.

    Args:
        needs: of the cells.
        slots: cells at a time.
        kept: what they make once for all of them, before most of their files are written.
    """
    problems = []
    devices: dict[int, list[Need]] = defaultdict(list)
    for root in dict.fromkeys(str(need[0].config["output_dir"]) for need in needs):
        place = existing(Path(root))
        below = [need for need in needs if need[0].config["output_dir"] == root]
        if not os.access(place, os.W_OK | os.X_OK):
            problems.append(_no_leave(root, f"no leave to write in {place}"))
        else:
            devices[place.stat().st_dev] += below
    return problems + [
        problem
        for device, group in devices.items()
        for problem in _too_full(group, slots, [store for store in kept if _device(store) == device])
    ]


def unwritable(cells: Sequence[Cell]) -> list[str]:
    """Where directories of cells cannot be made, a sentence for each `output_dir`; nothing of the try stays."""
    problems: dict[str, str] = {}
    for root, study in dict.fromkeys((str(cell.config["output_dir"]), str(cell.config["study"])) for cell in cells):
        place = existing(Path(root, study))
        try:
            with tempfile.TemporaryDirectory(dir=place, prefix=".writable-"):
                pass
        except OSError as error:
            problems.setdefault(root, _no_leave(root, f"{error.strerror} ({place})"))
    return list(problems.values())


def _no_leave(root: str, why: str) -> str:
    return f"output_dir: {Path(root).absolute()} cannot be written: {why}. Name another folder for the cells: output_dir=DIR"


def _device(store: Kept) -> int:
    return existing(Path(store.place)).stat().st_dev


def _too_full(needs: Sequence[Need], slots: int, kept: Sequence[Kept]) -> list[str]:
    """A sentence where the needs on one file system exceed what it has free, else nothing.

    Copies are there for a moment: the largest counts once a slot; what is written already does not.
    """
    place = existing(Path(needs[0][0].config["output_dir"]))
    stays = sum(max(0, most - partial - _taken(cell.directory)) for cell, most, partial in needs)
    copies = max(partial for *_, partial in needs) * min(slots, len(needs))
    wanted, free, beside = stays + copies, shutil.disk_usage(place).free, sum(store.bytes for store in kept)
    if wanted + beside <= free:
        return []
    if wanted <= free:
        return [
            f"output_dir: the cells' files will take {size(wanted)}, and what they keep for each other {size(beside)} beside "
            f"them ({' and '.join(dict.fromkeys(store.kind for store in kept if store.bytes))}); the disk of {place} has "
            f"{size(free)} left. dataset.cache_dir may be another folder, dataset.cache=off, dataset.features=off keep nothing"
        ]
    return [f"output_dir: the cells' files will take {size(wanted)}, and the disk of {place} has {size(free)} left"]


def _taken(directory: Path) -> int:
    """Bytes of the files in a cell's directory; of a finished one, which stays until it is done anew, those of its redo."""
    if (directory / RESULT).exists():
        directory = directory / REDO
    if not directory.is_dir():
        return 0
    return sum(path.stat().st_size for path in directory.iterdir() if path.is_file())
