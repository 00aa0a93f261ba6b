"""Attempts at a cell: how it began, and what must still hold when it continues. Kept in `started.json`."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.config.identity import fingerprint
from wisesr.config.schema import Config
from wisesr.errors import UserError
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.cell_files import LAST, STARTED
from wisesr.results.code import Code
from wisesr.results.continued_code import other_code
from wisesr.results.provenance import same_data
from wisesr.types import usable_cores
from wisesr.wording import count_of

log = logging.getLogger("wisesr")

RANKS = ("LOCAL_RANK", "NODE_RANK", "RANK", "GROUP_RANK", "SLURM_PROCID")
"""Variables that number the processes of one cell: set by Lightning for those that it starts, by torchrun, by srun."""
ELSEWHERE = "Settings are changed on the command line or in conf/, which makes another cell; put the file back as it was"


class Started(NamedTuple):
    """How a cell began; kept in `started.json` from its first attempt to its record."""

    fingerprint: str
    data: str
    """Fingerprint of the manifest."""
    weights: str | None
    """Hash of the file of pretrained weights, where there is one."""
    threads: int
    attempts: int
    sources: list[str]
    """Hashes of the code of each attempt, without repetition; of attempts of before 2026-11-30 those of the whole package."""
    devices: int | None = None
    """Of all nodes; None where it was started before 2026-11-28."""
    begun: str = ""
    """Time of the first attempt, UTC, ISO 8601; empty where an earlier version made that."""


def utc_now() -> str:
    """`2026-11-29T08:30:00Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def is_main() -> bool:
    """Whether this process speaks for the cell: under DDP, the first of its processes on the first of its nodes."""
    return all(os.environ.get(name) in (None, "", "0") for name in RANKS)


def start_attempt(
    directory: Path,
    config: Config,
    *,
    data: str,
    weights: str | None,
    code: Code,
    gpu: bool,
    devices: int | None = None,
    cores: int | None = None,
) -> Started:
    """Note this attempt. What an interrupted one began with must still hold: its configuration, data, weights,
    devices and threads.

    Args:
        directory: of the cell.
        config: of the cell.
        data: fingerprint of the manifest.
        weights: hash of the file of pretrained weights, or None.
        code: that this process computes by.
        gpu: whether there is one.
        devices: that it trains on, of all nodes.
        cores: CPU cores that the cell may use; None for all.

    Raises:
        UserError: it began with another configuration, other data or weights, on another number of devices.
    """
    threads = _threads(config["trainer"], gpu=gpu, cores=cores)
    now = Started(fingerprint(config), data, weights, threads, 1, [code.source], devices, utc_now())
    before = read_json(directory / STARTED)
    if before is not None:
        earlier = Started(**before)
        now = now._replace(attempts=earlier.attempts + (1 if is_main() else 0), begun=earlier.begun)
        if (directory / LAST).exists():
            if other := other_code(directory, earlier.sources, code):
                log.warning("goes on with other code than its epochs so far: %s; its record will say so", other)
            now = _continued(directory, config, earlier, now)
    if is_main():
        write_json(directory / STARTED, now._asdict())
    return now


def _continued(directory: Path, config: Config, earlier: Started, now: Started) -> Started:
    """This attempt as the continuation of an earlier one."""
    if earlier.fingerprint != now.fingerprint:
        raise UserError(f"{directory / 'config.yaml'} was edited since {directory} was interrupted. {ELSEWHERE}")
    same = same_data(earlier.data, now.data)
    if same is None:
        log.warning("dataset.fingerprint is another than when this cell was interrupted: nobody can tell whether its data is")
        now = now._replace(data=earlier.data)
    elif not same:
        raise UserError(
            f"the images, labels or splits, or how files are read, have changed since {directory} was interrupted, so it "
            f"cannot continue. Bring the data back, choose another study=NAME, or delete the directory to begin anew"
        )
    if earlier.weights != now.weights:
        raise UserError(
            f"{config['backbone']['weights']} has changed since {directory} was interrupted, so it cannot continue. "
            f"Bring the file back, choose another study=NAME, or delete the directory to begin anew"
        )
    if earlier.devices is not None and earlier.devices != now.devices:
        raise UserError(
            f"{directory} was interrupted on {count_of(earlier.devices, 'device')}, and on {now.devices} it would go on as "
            f"another computation (trainer.devices={config['trainer']['devices']}). Give it as many again, choose another "
            f"study=NAME, or delete the directory to begin anew"
        )
    if config["trainer"]["threads"] == "auto":
        now = now._replace(threads=earlier.threads)
    elif now.threads != earlier.threads:
        log.warning("continues with %d threads what began with %d: last bits may differ", now.threads, earlier.threads)
    return now._replace(sources=list(dict.fromkeys([*earlier.sources, *now.sources])))


def _threads(trainer: Mapping[str, Any], *, gpu: bool, cores: int | None) -> int:
    """CPU threads of this process: as asked, or all cores it may use, shared by the processes of a cell on CPU."""
    if trainer["threads"] != "auto":
        return int(trainer["threads"])
    usable = cores or usable_cores()
    on_gpu = gpu and trainer["accelerator"] != "cpu"
    return max(1, usable // (1 if on_gpu or trainer["devices"] == "auto" else trainer["devices"]))
