"""Whether cells that are to run would divide their batches over other devices than the finished cells of their study did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wisesr.grid.cell_dirs import Cell
from wisesr.results.atomic_files import read_json
from wisesr.results.cell_files import STARTED
from wisesr.results.record_file import read_record
from wisesr.results.store import find_cells
from wisesr.wording import count_of, some_of

_Row = tuple[str, int, str]
"""Dataset, size and backbone."""
_SHOWN = 3


def other_devices(waiting: Sequence[Cell], gpus: int) -> list[str]:
    """A sentence for each study with rows whose finished cells all ran on another number of devices, if training depends on it.

    Records are read only where a finished cell was started on other devices. Of cells from before these were noted nothing is
    said.

    Args:
        waiting: cells that are to run.
        gpus: that a cell is given here; 0 for none.
    """
    studies: dict[Path, dict[_Row, int]] = defaultdict(dict)
    for cell in waiting:
        studies[Path(cell.config["output_dir"], cell.config["study"])][_row(cell.config)] = _devices(cell.config, gpus)
    return [sentence for study, rows in studies.items() if (sentence := _of_study(study, rows))]


def _of_study(study: Path, rows: Mapping[_Row, int]) -> str:
    """Args: rows: the devices that each is to run on."""
    started = {directory: read_json(directory / STARTED) for directory in find_cells(study)}
    known = {place: noted["devices"] for place, noted in started.items() if isinstance(noted, dict) and noted.get("devices")}
    if set(known.values()) <= set(rows.values()):
        return ""
    had: dict[_Row, set[int]] = defaultdict(set)
    for place, devices in known.items():
        record = read_record(place)
        if record is not None and (row := _row(record.config)) in rows:
            had[row].add(devices if record.provenance.by_part else rows[row])
    other = {row: counts for row, counts in had.items() if rows[row] not in counts}
    if not other:
        return ""
    counts = sorted({count for own in other.values() for count in own})
    backbones = some_of(sorted({f"{dataset}-{size} {backbone}" for dataset, size, backbone in other}), _SHOWN)
    now = " or ".join(map(str, sorted({rows[row] for row in other})))
    before = count_of(counts[0], "device") if len(counts) == 1 else f"{' or '.join(map(str, counts))} devices"
    return (
        f"the finished cells of {backbones} ran on {before}, and these are to run on {now}: BatchNorm and mixing see one "
        f"device's part of a batch, so a report will not compare them (trainer.devices; trainer.sync_batchnorm)"
    )


def _row(config: Mapping[str, Any]) -> _Row:
    return config["dataset"]["name"], config["resolution"]["size"], config["backbone"]["name"]


def _devices(config: Mapping[str, Any], gpus: int) -> int:
    """Of all nodes; auto is what a cell is given."""
    trainer = config["trainer"]
    given = 1 if trainer["accelerator"] == "cpu" else max(1, gpus)
    return int((given if trainer["devices"] == "auto" else trainer["devices"]) * trainer["num_nodes"])
