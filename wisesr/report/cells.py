"""From directories to a study: every cell read once, what cannot be read named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config import fingerprint, load_cell
from wisesr.errors import UserError
from wisesr.report.check import check_config, check_record, why_unread
from wisesr.report.compare import compare
from wisesr.report.places import places
from wisesr.report.published import PUBLISHED, read_published
from wisesr.report.study import LeftOut, ReportCell, Study
from wisesr.results.lock import is_running
from wisesr.results.record import read_record
from wisesr.results.store import find_cells, state_of

_Tracked = Callable[[Sequence[Path]], Iterable[Path]]


class _Found(NamedTuple):
    """A cell as it was read, before the others are known."""

    directory: Path
    name: str
    state: str
    reason: str
    config: Mapping[str, Any]
    record: Mapping[str, Any] | None
    fingerprint: str

    @property
    def rank(self) -> tuple[bool, str, str]:
        """Of two of the same computation the greater one is reported: finished, then newest, then by name."""
        finished = self.record["provenance"]["finished"] if self.record else ""
        return self.record is not None, finished, self.name


def read_study(
    roots: Sequence[Path], *, baseline: str = "gap", published: Path | None = None, tracked: _Tracked = iter
) -> Study:
    """All cells below directories, and the tables that compare them.

    Args:
        roots: outputs, studies or cells; they may overlap.
        baseline: the head that others are held against, by its name, or with its settings where several have this name.
        published: a CSV file of published figures; by default the package's own.
        tracked: goes through the directories, and may show how far that is.

    Raises:
        UserError: there are no cells, no head of that name, or something is wrong with the file of published figures.
    """
    figures = read_published(published or PUBLISHED)
    names = _name_cells(roots)
    found, damaged = [], []
    for directory in tracked(list(names)):
        one = _read(directory, names[directory])
        (damaged if isinstance(one, LeftOut) else found).append(one)  # type: ignore[attr-defined]
    if not names:
        where = ", ".join(map(str, roots))
        raise UserError(f"there are no cells below {where}: a cell is a directory with a config.yaml, made by train.py")
    unique, again = _unique(found)
    cells = _placed(unique)
    return Study(tuple(roots), cells, (*damaged, *again), compare(cells, baseline=baseline, published=figures))


def _name_cells(roots: Sequence[Path]) -> dict[Path, str]:
    """Directories of cells, each once, and what each is called: its path below its root, whose name is told if there are several."""
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


def _read(directory: Path, name: str) -> _Found | LeftOut:
    """A cell, or what is wrong with it."""
    try:
        config = load_cell(directory)
        record = read_record(directory)
        problem = check_config(config)
        problem = problem or (check_record(record, config) if record is not None else why_unread(directory))
        if problem:
            return LeftOut(name, "damaged", problem)
        state, reason = ("done", "") if record else state_of(directory, running=is_running(directory))
    except (UserError, OSError, RecursionError) as error:
        text = " ".join(str(error).split()).replace(f"{directory}/", "")
        return LeftOut(name, "damaged", text)
    return _Found(directory, name, state, reason, config, record, fingerprint(config))


def _unique(found: Sequence[_Found]) -> tuple[list[_Found], list[LeftOut]]:
    """One cell a computation; the others by name."""
    best: dict[str, _Found] = {}
    for one in found:
        if one.fingerprint not in best or one.rank > best[one.fingerprint].rank:
            best[one.fingerprint] = one
    kept = {one.directory for one in best.values()}
    again = [one for one in found if one.directory not in kept]
    left = [LeftOut(one.name, one.state, f"the same computation as {best[one.fingerprint].name}") for one in again]
    return [one for one in found if one.directory in kept], left


def _placed(found: Sequence[_Found]) -> tuple[ReportCell, ...]:
    """Cells with their places, in the order of these."""
    where = places([one.config for one in found])
    cells = [ReportCell(*one[:6], place) for one, place in zip(found, where, strict=True)]
    return tuple(sorted(cells, key=lambda cell: cell.place))
