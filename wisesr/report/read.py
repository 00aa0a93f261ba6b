"""From directories to a study: every cell read once, what cannot be read named."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.axes import Leaves
from wisesr.config.files import load_cell
from wisesr.errors import UserError
from wisesr.report.check import check_config, check_record, why_unread
from wisesr.report.compare import compare
from wisesr.report.places import TableKey, places, shared, table_of
from wisesr.report.published import PUBLISHED, read_published, unmatched
from wisesr.report.study import LeftOut, ReportCell, Study
from wisesr.results.atomic_files import read_json
from wisesr.results.lock import is_running
from wisesr.results.record import read_record
from wisesr.results.store import find_cells, state_of

_STARTED = "started.json"
_Tracked = Callable[[Sequence[Path]], Iterable[Path]]


class _Found(NamedTuple):
    """A cell as it was read, before the others are known."""

    directory: Path
    name: str
    state: str
    reason: str
    config: Mapping[str, Any]
    record: Mapping[str, Any] | None
    values: Leaves
    """Of `check.check_config`."""
    data: str
    """Fingerprint of its images; empty where no attempt has written it down yet."""

    @property
    def computation(self) -> str:
        """Equal for two cells that must give equal numbers from equal images."""
        return hashlib.sha256(json.dumps(self.values, sort_keys=True).encode()).hexdigest()


def read_study(
    roots: Sequence[Path], *, baseline: str = "gap", published: Path | None = None, tracked: _Tracked = iter
) -> Study:
    """All cells below directories, and the tables that compare them.

    Studies that lie below one directory have tables of their own; what several directories hold belongs together.

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
    if not names:
        where = ", ".join(map(str, roots))
        raise UserError(f"there are no cells below {where}: a cell is a directory with a config.yaml, made by train.py")
    found: list[_Found] = []
    damaged: list[LeftOut] = []
    for directory in tracked(list(names)):
        one = _read(directory, names[directory])
        if isinstance(one, LeftOut):
            damaged.append(one)
        else:
            found.append(one)
    apart = len(roots) == 1 and len({one.config["study"] for one in found}) > 1
    studies = {one.directory: one.config["study"] if apart else "" for one in found}
    unique, again = _unique(found, studies)
    cells, common = _placed(unique, studies)
    tables = compare(cells, baseline=baseline, published=figures, common=common)
    notes = unmatched(published, figures, cells) if published else []
    return Study(tuple(roots), cells, (*damaged, *again), tables, tuple(notes))


def _name_cells(roots: Sequence[Path]) -> dict[Path, str]:
    """Directories of cells, each once, and what each is called: its path below its root.

    Where there are several roots their names are told, too.
    """
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
        values = check_config(config)
        if isinstance(values, str):
            return LeftOut(name, "damaged", values)
        if problem := check_record(record, values) if record is not None else why_unread(directory):
            return LeftOut(name, "damaged", problem)
        state, reason = ("done", "") if record else state_of(directory, running=is_running(directory))
        data = record["provenance"]["data"]["fingerprint"] if record else _started_with(directory)
    except RecursionError:
        return LeftOut(name, "damaged", "its files are nested too deeply to be read")
    except (UserError, OSError) as error:
        return LeftOut(name, "damaged", " ".join(str(error).split()).replace(f"{directory}/", ""))
    return _Found(directory, name, state, reason, config, record, values, data)


def _started_with(directory: Path) -> str:
    """Fingerprint of the images that an unfinished cell was started with, where it says so."""
    started = read_json(directory / _STARTED)
    data = started.get("data") if isinstance(started, dict) else None
    return data if isinstance(data, str) else ""


def _unique(found: Sequence[_Found], studies: Mapping[Path, str]) -> tuple[list[_Found], list[LeftOut]]:
    """One cell of each computation on the same images; the others, named.

    Of several the finished one is kept, then that of the study with the most cells, then the newest. A cell of which nobody
    knows the images is the same as any other.
    """
    size = Counter(one.config["study"] for one in found)

    def rank(one: _Found) -> tuple[bool, bool, int, str, str]:
        finished = one.record["provenance"]["finished"] if one.record else ""
        return one.record is not None, bool(one.data), size[one.config["study"]], finished, one.name

    alike: dict[tuple[str, str], list[_Found]] = defaultdict(list)
    for one in found:
        alike[(studies[one.directory], one.computation)].append(one)
    kept: list[_Found] = []
    left: list[LeftOut] = []
    for group in alike.values():
        chosen: dict[str, _Found] = {}
        for one in sorted(group, key=rank, reverse=True):
            same = chosen.get(one.data) if one.data else next(iter(chosen.values()), None)
            if same is None:
                chosen[one.data] = one
            else:
                left.append(LeftOut(one.name, one.state, f"the same computation as {same.name}"))
        kept += chosen.values()
    return kept, left


def _placed(found: Sequence[_Found], studies: Mapping[Path, str]) -> tuple[tuple[ReportCell, ...], dict[TableKey, str]]:
    """Cells with their places, in the order of these, and what all cells of a table share."""
    values = [one.values for one in found]
    where = places(values, [studies[one.directory] for one in found])
    cells = [ReportCell(*one[:6], place) for one, place in zip(found, where, strict=True)]
    ordered = sorted(cells, key=lambda cell: (cell.place.study, cell.place, cell.name))
    return tuple(ordered), shared(values, [table_of(place) for place in where])
