"""Cells as they lie on disk: each read once, what cannot be read named, before any is compared with another."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.axes import Leaves
from wisesr.damage import examine
from wisesr.errors import UserError
from wisesr.report.settings import settings_of
from wisesr.report.study import LeftOut
from wisesr.results.atomic_files import read_json
from wisesr.results.cell_files import STARTED
from wisesr.results.lock import is_running
from wisesr.results.record import Record
from wisesr.results.state import State
from wisesr.results.store import find_cells, state_of


class CellFiles(NamedTuple):
    """A cell as it was read, before the others are known."""

    directory: Path
    name: str
    state: State
    reason: str
    config: Mapping[str, Any]
    record: Record | None
    settings: Leaves
    """As of `settings.settings_of`; then with its division, as of `division.with_division`."""
    data: str
    """Fingerprint of its images; empty where no attempt has written it down yet."""
    study: str = ""
    """As of `Place.study`."""


def name_cells(roots: Sequence[Path]) -> dict[Path, str]:
    """Directories of cells, each once, and the name of each: its path below its root (named, too, if several)."""
    names: dict[Path, str] = {}
    seen: set[Path] = set()
    for root in roots:
        if not root.is_dir():
            raise UserError(f"there is no directory {root}")
        for directory in find_cells(root):
            if (place := directory.resolve()) in seen:
                continue
            seen.add(place)
            below = directory.relative_to(root).as_posix()
            top = root.resolve().name
            names[directory] = top if below == "." else f"{top}/{below}" if len(roots) > 1 else below
    taken = list(names.values())
    return {path: name if taken.count(name) == 1 else str(path) for path, name in names.items()}


def read_cell(directory: Path, name: str) -> CellFiles | LeftOut:
    """A cell, or what is wrong with it."""
    try:
        held = is_running(directory)
        found = examine(directory, running=held)
        config, record = found.config, found.record
        if config is None or (found.state is not None and record is None):
            return LeftOut(name, found.state or State.DAMAGED, found.reason)
        settings = settings_of(config)
        if record is not None:
            state, data = found.state or State.DONE, record.provenance.data.fingerprint
            return CellFiles(directory, name, state, found.reason, config, record, settings, data)
        state, reason = state_of(directory, running=held)
        return CellFiles(directory, name, state, reason, config, None, settings, _started_with(directory))
    except RecursionError:
        return LeftOut(name, State.DAMAGED, "its files are nested too deeply to be read")
    except (UserError, OSError) as error:
        return LeftOut(name, State.DAMAGED, " ".join(str(error).split()).replace(f"{directory}/", ""))


def _started_with(directory: Path) -> str:
    """Fingerprint of the images that an unfinished cell was started with, where it says so."""
    started = read_json(directory / STARTED)
    data = started.get("data") if isinstance(started, dict) else None
    return data if isinstance(data, str) else ""


def unique_cells(cells: Sequence[CellFiles]) -> tuple[list[CellFiles], list[LeftOut]]:
    """One cell of each computation on the same images; the others, named.

    Of several the finished one is kept, then that of the study with the most cells, then the newest. A cell of which nobody
    knows the images is the same as any other.
    """
    size = Counter(cell.config["study"] for cell in cells)

    def rank(cell: CellFiles) -> tuple[bool, bool, int, str, str]:
        finished = cell.record.provenance.finished if cell.record else ""
        return cell.record is not None, bool(cell.data), size[cell.config["study"]], finished, cell.name

    same_computation: dict[tuple[str, str], list[CellFiles]] = defaultdict(list)
    for cell in cells:
        same_computation[(cell.study, json.dumps(cell.settings, sort_keys=True))].append(cell)
    kept: list[CellFiles] = []
    repeated: list[LeftOut] = []
    for group in same_computation.values():
        by_data: dict[str, CellFiles] = {}
        for cell in sorted(group, key=rank, reverse=True):
            first = by_data.get(cell.data) if cell.data else next(iter(by_data.values()), None)
            if first is None:
                by_data[cell.data] = cell
            else:
                repeated.append(LeftOut(cell.name, cell.state, f"the same computation as {first.name}"))
        kept += by_data.values()
    return kept, repeated
