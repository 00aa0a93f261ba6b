"""How long cells take, by finished cells of their study that are like them. No torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from wisesr.config.defaults import with_defaults
from wisesr.config.schema import Config
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.eta import OVERHEAD
from wisesr.results.cell_files import RESULT
from wisesr.results.record_file import read_record

_READ = 6
"""Records of a backbone in a folder that are read at most."""
_LIKE = ("backbone", "resolution", "dataset", "augment", "trainer")
"""Groups on which the time of an epoch depends; the head makes little difference."""
_REPEATED = ("split_seed", "fold")


def finished_seconds(cells: Sequence[Cell]) -> list[float | None]:
    """Of each cell, its epochs at the pace of the latest finished ones with its backbone, images and batch; or None."""
    paces: dict[Path, dict[str, float]] = {}
    found: list[float | None] = []
    for cell in cells:
        folder, backbone = cell.directory.parent.parent, cell.config["backbone"]["name"]
        place = folder / backbone
        if place not in paces:
            paces[place] = _paces(folder, backbone)
        pace = paces[place].get(_key(cell.config))
        found.append(None if pace is None else OVERHEAD + pace * int(cell.config["recipe"]["epochs"]))
    return found


def _paces(folder: Path, backbone: str) -> dict[str, float]:
    """Seconds of an epoch, by what it depends on."""
    latest = sorted(folder.glob(f"{backbone}-*/seed-*/{RESULT}"), key=lambda path: path.stat().st_mtime, reverse=True)
    paces: dict[str, float] = {}
    for path in islice(latest, _READ):
        record = read_record(path.parent)
        if record is not None and record.budget.trained_epochs:
            with suppress(KeyError, TypeError, AttributeError):  # somebody has edited it into no configuration
                key = _key(with_defaults(record.config))
                paces.setdefault(key, record.cost.train_seconds / record.budget.trained_epochs)
    return paces


def _key(config: Config) -> str:
    node = {group: {key: value for key, value in config[group].items() if key not in _REPEATED} for group in _LIKE}
    return json.dumps([node, config["recipe"]["batch_size"], config["protocol"]], sort_keys=True)
