"""A study put together by hand from cells on disk, for tests of what is made of it: no choosing, no leaving out."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import yaml

from wisesr.report.study import Entry, Place, ReportCell, ReportTable, Study
from wisesr.results.record import CONFIG, read_record
from wisesr.results.store import find_cells


def read_cell(directory: Path, root: Path, settings: str = "") -> ReportCell:
    record = read_record(directory)
    config = record["config"] if record else yaml.safe_load((directory / CONFIG).read_text())
    names = (config[group]["name"] for group in ("dataset", "backbone", "head"))
    dataset, backbone, head = names
    size, seed = config["resolution"]["size"], config["seed"]
    place = Place(dataset, size, config["protocol"], backbone, settings, head, "", seed)
    state = "done" if record else "waiting"
    return ReportCell(directory, str(directory.relative_to(root)), state, "", config, record, place)


def entry_of(cells: Sequence[ReportCell]) -> Entry:
    cells = sorted(cells, key=lambda cell: cell.place.seed)
    values = tuple(cell.top1 for cell in cells)
    std = statistics.stdev(values) if len(values) > 1 else None
    place = cells[0].place
    names = (place.backbone, place.settings, place.head)
    return Entry(*names, tuple(cells), values, statistics.mean(values), std, False, None, None, "", ())


def study_of(root: Path, baseline: str = "gap") -> Study:
    """All finished cells below a root, a table for each dataset, size and protocol."""
    cells = tuple(read_cell(directory, root) for directory in find_cells(root))
    places: dict[tuple[str, int, str], dict[tuple[str, str, str], list[ReportCell]]] = {}
    for cell in cells:
        if cell.record is not None:
            its = cell.place
            table = places.setdefault((its.dataset, its.size, its.protocol), {})
            table.setdefault((its.backbone, its.settings, its.head), []).append(cell)
    tables = []
    for (dataset, size, protocol), groups in sorted(places.items()):
        order = sorted(groups, key=lambda key: (key[0], key[1], key[2] != baseline, key[2]))
        entries = tuple(entry_of(groups[key]) for key in order)
        key = f"{dataset}-{size}" + ("-paper" if protocol == "paper" else "")
        names = (key, f"{dataset}, {size} px", dataset, size, protocol, ("chosen somehow",), baseline)
        tables.append(ReportTable(*names, entries, (), (), ()))
    return Study((root,), cells, (), tuple(tables))
