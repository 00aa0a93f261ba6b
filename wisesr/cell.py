"""One cell: a directory with a `config.yaml`, run by `python -m wisesr.cell DIR`.

Whoever starts it (the grid, Slurm, a hand), what follows is the same: a lock against a second process, skip if it is done,
continue from `last.ckpt` if it was interrupted, train, test, record. torch is imported only when there is something to train.
"""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.build import Parts, build, build_loggers, build_manifest
from wisesr.config import Config, fingerprint, load_cell
from wisesr.data.manifest import TEST, VAL, Manifest
from wisesr.errors import UserError
from wisesr.results.files import read_json, write_json
from wisesr.results.provenance import provenance, source_hash
from wisesr.results.record import LAST, read_record, write_record
from wisesr.results.status import write_status

log = logging.getLogger("wisesr")

DONE, FAILED, BUSY, INTERRUPTED = 0, 1, 75, 130
"""Exit codes; 75 is EX_TEMPFAIL: another process runs this cell."""

_LOCK, _STARTED = ".lock", "started.json"


class Started(NamedTuple):
    """What must stay the same from one attempt at a cell to the next; kept in `started.json`."""

    data: str
    """Fingerprint of the manifest."""
    threads: int
    attempts: int


def finished(directory: Path, config: Mapping[str, Any], data: str | None) -> list[str] | None:
    """Whether a cell has its record.

    Args:
        directory: of the cell.
        config: that it should have.
        data: fingerprint of the manifest as it is now; None to leave the data unchecked.

    Returns:
        None if it is to be run; else warnings about what has changed since, usually none.
    """
    record = read_record(directory)
    if record is None or record["fingerprint"] != fingerprint(config):
        return None
    warnings = []
    if data is not None and record["provenance"]["data"]["fingerprint"] != data:
        warnings.append("the images, labels or splits have changed since")
    if record["provenance"]["source"] != source_hash():
        warnings.append("the code has changed since")
    return warnings


@contextmanager
def locked(directory: Path) -> Iterator[bool]:
    """Hold the cell while the block runs; yields False if another process holds it. The lock goes with its process."""
    with (directory / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def run(directory: Path) -> int:
    """Bring a cell to its record.

    Args:
        directory: of the cell; it holds `config.yaml`.

    Returns:
        An exit code: DONE, FAILED, BUSY or INTERRUPTED.

    Raises:
        UserError: the directory is no cell.
    """
    config = load_cell(directory)
    if int(os.environ.get("LOCAL_RANK", "0")) > 0:  # Lightning's DDP starts this same command for the other devices
        _train(directory, config, build_manifest(config))
        return DONE
    with locked(directory) as mine:
        if not mine:
            log.warning("another process runs %s", directory)
            return BUSY
        return _run_locked(directory, config)


def _run_locked(directory: Path, config: Config) -> int:
    if read_record(directory) is None:
        write_status(directory, state="starting")
    try:
        manifest = build_manifest(config)
        warnings = finished(directory, config, manifest.fingerprint())
        if warnings is None:
            _train(directory, config, manifest)
        else:
            log.info("done before: %s%s", directory, "".join(f"; {warning}" for warning in warnings))
    except UserError as error:
        log.error("%s", error)
        write_status(directory, state="failed", reason=str(error))
        return FAILED
    except Exception as error:
        log.exception("failed")
        write_status(directory, state="failed", reason=f"{type(error).__name__}: {error}")
        return FAILED
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the first into the second
        log.warning("interrupted; the same command continues from the last finished epoch")
        write_status(directory, state="interrupted")
        return INTERRUPTED
    write_status(directory, state="done")
    return DONE


def _train(directory: Path, config: Config, manifest: Manifest) -> None:
    """Build, fit, test, record; the loggers hear how it ended."""
    started = _start(directory, config, manifest.fingerprint())
    os.environ["OMP_NUM_THREADS"] = str(started.threads)  # read when torch is imported, here or in a child
    import torch

    torch.set_num_threads(started.threads)
    from wisesr.training.fit import fit
    from wisesr.training.kernels import kernel_sheet

    main = int(os.environ.get("LOCAL_RANK", "0")) == 0
    parts = build(config, manifest)
    cost = _count(parts, config)
    loggers = build_loggers(config, directory) if main else []
    log.info("%s", _describe(manifest, config, parts))
    try:
        outcome = fit(parts.module, parts.data, parts.trainer, directory=directory, loggers=loggers)
        if not main:
            return
        summary = {f"best/{name}": value for name, value in outcome.best.items()} | cost["parameters"]
        for logger in loggers:
            logger.finish(summary, kernel_sheet(parts.module))
    except BaseException:
        for logger in loggers:
            logger.fail()
        raise
    from wisesr.training.cost import peak_memory

    write_record(
        directory,
        fingerprint=fingerprint(config),
        config=config,
        metrics={"best": outcome.best, "last": outcome.last},
        selection=_selection(manifest, config),
        cost=cost
        | {
            "train_seconds": outcome.seconds,
            "images_per_second": outcome.images_per_second,
            "peak_memory_bytes": peak_memory(),
        },
        provenance=provenance(
            threads=started.threads,
            attempts=started.attempts,
            device=_device(parts),
            data_fingerprint=manifest.fingerprint(),
            splits=manifest.splits,
            left_out=manifest.left_out,
        ),
    )
    best = outcome.best
    log.info("done: epoch %d, val top-1 %.4f, test top-1 %.4f", best["epoch"], best["val/top1"], best["test/top1"])


def _start(directory: Path, config: Config, data: str) -> Started:
    """Note this attempt; a cell that was interrupted goes on with the threads that it began with.

    Raises:
        UserError: it began with other data.
    """
    wanted = config["trainer"]["threads"]
    threads = len(os.sched_getaffinity(0)) if wanted == "auto" else wanted
    before = read_json(directory / _STARTED)
    if before is None or not (directory / LAST).exists():
        started = Started(data, threads, 1)
    else:
        started = Started(**before)
        if started.data != data:
            raise UserError(
                f"the images, labels or splits have changed since {directory} was interrupted, so it cannot continue. "
                f"Bring the data back, choose another study=NAME, or delete the directory to begin anew"
            )
        if wanted == "auto":
            threads = started.threads
        elif threads != started.threads:
            log.warning("continues with %d threads what began with %d: last bits may differ", threads, started.threads)
        started = Started(data, threads, started.attempts + 1)
    if int(os.environ.get("LOCAL_RANK", "0")) == 0:
        write_json(directory / _STARTED, started._asdict())
    return started


def _count(parts: Parts, config: Config) -> dict[str, Any]:
    from wisesr.training.cost import flops, parameters

    model = parts.module.model
    return {
        "parameters": {
            "backbone_parameters": parameters(model.backbone),
            "head_parameters": parameters(model.head),
        },
        "flops": flops(model, config["resolution"]["size"]),
    }


def _device(parts: Parts) -> str:
    import torch

    kind = parts.module.trainer.strategy.root_device
    return torch.cuda.get_device_name(kind) if kind.type == "cuda" else kind.type


def _selection(manifest: Manifest, config: Config) -> str:
    if config["protocol"] == "paper":
        return f"highest top-1 on the {len(manifest.indices(TEST))} test images themselves, looked at every epoch"
    return f"highest top-1 on {len(manifest.indices(VAL))} held-out images; the test split was read once"


def _describe(manifest: Manifest, config: Config, parts: Parts) -> str:
    counts = ", ".join(f"{len(manifest.indices(split))} {split}" for split in ("train", "val", "test"))
    shape = "x".join(map(str, parts.module.model.backbone.feature_shape))
    return (
        f"{config['backbone']['name']} with {config['head']['name']} on {config['dataset']['name']}, "
        f"{config['resolution']['size']} px, feature map {shape}; {len(manifest.class_names)} classes, {counts} images"
    )


def main() -> int:
    """The command line: `python -m wisesr.cell DIR`."""
    parser = argparse.ArgumentParser(prog="python -m wisesr.cell", description="Run one cell's directory.")
    parser.add_argument("directory", type=Path, help="a cell, as train.py made it: outputs/STUDY/.../seed-...")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stdout)
    try:
        return run(arguments.directory)
    except UserError as error:
        print(error, file=sys.stderr)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
