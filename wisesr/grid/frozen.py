"""`grid.frozen=true`: the first such command of a study keeps its code, and this and all later ones run the cells from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wisesr.build.code import CodeNow, targets_of
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cores import study_of
from wisesr.grid.snapshot import Snapshot, make_snapshot, read_snapshot
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.cell_files import FROZEN
from wisesr.results.code import Code, as_found, changed_files, named
from wisesr.results.code_files import OWN, CodeFile, FoundCode
from wisesr.results.code_search import cell_path
from wisesr.results.lock import locked

_CURRENT = "current.json"
_PATIENCE = 60.0
"""Seconds in which another command has copied its code."""


def frozen_snapshot(study: Path) -> Snapshot | None:
    """The code that a study is frozen with, if it is."""
    said = read_json(study / FROZEN / _CURRENT)
    name = said.get("snapshot") if isinstance(said, dict) else None
    return read_snapshot(study / FROZEN / name) if isinstance(name, str) and name == Path(name).name else None


class FrozenCode:
    """The frozen code of a grid's studies."""

    def __init__(self, snapshots: Mapping[Path, Snapshot]) -> None:
        self._snapshots = dict(snapshots)

    def folder(self, cell: Cell) -> Path | None:
        """Where a cell runs from; None for the code as it is."""
        snapshot = self._snapshots.get(study_of(cell))
        return None if snapshot is None else snapshot.folder


class FrozenNow:
    """The code that a frozen command runs cells by: of a study that has none yet, what it would be frozen with."""

    def __init__(self) -> None:
        self._live = CodeNow()
        self._by_study: dict[Path, CodeNow] = {}

    def of(self, config: Mapping[str, Any]) -> Code:
        """As of `CodeNow`."""
        study = Path(config["output_dir"], config["study"])
        if study not in self._by_study:
            snapshot = frozen_snapshot(study)
            self._by_study[study] = self._live if snapshot is None else CodeNow(snapshot.path(cell_path()))
        return self._by_study[study].of(config)


def freeze(cells: Sequence[Cell], grid: Mapping[str, Any], now: str, say: Callable[[str], None]) -> FrozenCode:
    """Keep the code of these cells' studies, or take what was kept; nothing where `grid.frozen` does not ask for it.

    A plan writes nothing: it takes what was kept, if anything was.

    Args:
        cells: that are to run.
        grid: settings of the command.
        now: time, UTC.
        say: tells the user a sentence.

    Raises:
        OSError: a study's folder cannot be written.
        UserError: another command is at it, and does not come to an end.
    """
    studies = dict.fromkeys(map(study_of, cells)) if grid.get("frozen") else {}
    if grid["plan"]:
        return FrozenCode({study: snapshot for study in studies if (snapshot := frozen_snapshot(study)) is not None})
    snapshots = {}
    for study in studies:
        own = [cell for cell in cells if study_of(cell) == study]
        study.mkdir(parents=True, exist_ok=True)
        with locked(study, patience=_PATIENCE) as free:
            if not free:
                raise UserError(f"another command is freezing the code of study {study.name}: give this one again once it has")
            snapshots[study] = _kept(study, own, say) or _keep(study, _files_of_others(own, CodeNow()), now, say)
    return FrozenCode(snapshots)


def _keep(study: Path, files: Mapping[str, CodeFile], now: str, say: Callable[[str], None]) -> Snapshot:
    snapshot = make_snapshot(study / FROZEN, files, now)
    write_json(study / FROZEN / _CURRENT, {"snapshot": snapshot.folder.name})
    others = f" with {named(files)}" if files else ""
    say(f"The code of study {study.name} is frozen{others}: its cells run from {snapshot.folder}")
    return snapshot


def _kept(study: Path, cells: Sequence[Cell], say: Callable[[str], None]) -> Snapshot | None:
    """What the study was frozen with, with modules that no cell of it had yet, as they are now."""
    snapshot = frozen_snapshot(study)
    if snapshot is None:
        return None
    live, frozen = CodeNow(), CodeNow(snapshot.path(cell_path()))
    edited: set[str] = set()
    new: dict[str, CodeFile] = {}
    for cell in cells:
        there, here = frozen.find(cell.config), live.find(cell.config)
        edited |= set(changed_files(as_found(there), as_found(here)))
        new |= _absent(snapshot, there, here, cell)
    if new:
        edited -= new.keys()
        say(f"{named(new)}, which study {study.name} was not frozen with, is added to its code as it is now.")
        snapshot = make_snapshot(study / FROZEN, new, snapshot.made, snapshot)
        write_json(study / FROZEN / _CURRENT, {"snapshot": snapshot.folder.name})
    made = snapshot.made.replace("T", " ").rstrip("Z")
    if edited:
        say(
            f"The cells of study {study.name} run the code that it was frozen with ({made} UTC), not as it is now in "
            f"{named(edited)}. For that: another study=NAME, or rm -r {study / FROZEN}"
        )
    else:
        say(f"The cells of study {study.name} run the code that it was frozen with ({made} UTC), which is as it is now.")
    return snapshot


def _absent(snapshot: Snapshot, there: FoundCode, here: FoundCode, cell: Cell) -> dict[str, CodeFile]:
    """Files that a cell needs and its study was not frozen with: those of a head that came later."""
    lacking = {label: file for label, file in there.files.items() if not file.path.is_relative_to(snapshot.folder)}
    homes = {target.rpartition(".")[0] for target in targets_of(cell.config)}
    if {file.module for file in here.files.values()} & homes <= {file.module for file in there.files.values()}:
        return lacking
    return lacking | {label: file for label, file in here.files.items() if not (snapshot.folder / label).exists()}


def _files_of_others(cells: Sequence[Cell], now: CodeNow) -> dict[str, CodeFile]:
    """The code of these cells that is not wisesr's, by label."""
    found = {label: file for cell in cells for label, file in now.find(cell.config).files.items()}
    return {label: file for label, file in sorted(found.items()) if file.module.partition(".")[0] != OWN}
