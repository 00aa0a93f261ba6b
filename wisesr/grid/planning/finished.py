"""How long cells take, by finished cells of their study that are like them. No torch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from wisesr.config.defaults import with_defaults
from wisesr.config.schema import Config
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.eta import OVERHEAD
from wisesr.results.cell_files import RESULT
from wisesr.results.record_file import read_record

_READ = 3
"""Records of a backbone with one head in a folder that are read at most."""
_LIKE = ("backbone", "resolution", "dataset", "augment", "trainer")
"""Groups on which the time of an epoch depends; the head makes little difference, but where it is all that is computed."""
_REPEATED = ("split_seed", "fold")


def finished_seconds(cells: Sequence[Cell], reads: Sequence[str]) -> list[float | None]:
    """Of each cell, its epochs at the pace of the latest finished ones with its backbone, images and batch; or None.

    Args:
        cells: that are to run.
        reads: what an epoch of each begins with (`Cost.reads`): one of another kind tells nothing.
    """
    paces: dict[Path, dict[str, float]] = {}
    found: list[float | None] = []
    for cell, own in zip(cells, reads, strict=True):
        folder, backbone = cell.directory.parent.parent, cell.config["backbone"]["name"]
        place = folder / backbone
        if place not in paces:
            paces[place] = _paces(folder, backbone)
        pace = paces[place].get(_key(cell.config, own))
        found.append(None if pace is None else OVERHEAD + pace * int(cell.config["recipe"]["epochs"]))
    return found


def _paces(folder: Path, backbone: str) -> dict[str, float]:
    """Seconds of an epoch, by what it depends on."""
    latest = sorted(folder.glob(f"{backbone}-*/seed-*/{RESULT}"), key=lambda path: path.stat().st_mtime, reverse=True)
    paces: dict[str, float] = {}
    read: Counter[Path] = Counter()
    for path in latest:
        read[path.parent.parent] += 1
        record = read_record(path.parent) if read[path.parent.parent] <= _READ else None
        if record is not None and record.budget.trained_epochs:
            with suppress(KeyError, TypeError, AttributeError):  # somebody has edited it into no configuration
                reads = record.provenance.reads.get("training", "files")  # of an earlier version's
                key = _key(with_defaults(record.config), reads)
                paces.setdefault(key, record.cost.train_seconds / record.budget.trained_epochs)
    return paces


def _key(config: Config, reads: str) -> str:
    groups = (*_LIKE, "head") if reads == "maps" else _LIKE
    node = {group: {key: value for key, value in config[group].items() if key not in _REPEATED} for group in groups}
    return json.dumps([node, config["recipe"]["batch_size"], config["protocol"], reads], sort_keys=True)
