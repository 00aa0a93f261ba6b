"""One cell: a directory with a `config.yaml`, run by `python -m wisesr.cell DIR`.

Whoever starts it (the grid, Slurm, a hand), what follows is the same: a lock against a second process, skip if it is done,
continue from `last.ckpt` if it was interrupted, train, test, record. torch is imported only when there is something to train.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.attempt import ELSEWHERE, is_main, start_attempt
from wisesr.build import Parts, build, build_loggers, build_manifest, weights_hash
from wisesr.config import Config, check, fingerprint, load_cell
from wisesr.data.manifest import TEST, VAL, Manifest
from wisesr.errors import UserError
from wisesr.results.lock import locked
from wisesr.results.provenance import provenance, source_hash
from wisesr.results.record import read_record, write_record
from wisesr.results.status import write_status

if TYPE_CHECKING:
    from wisesr.models.backbones import TimmBackbone
    from wisesr.training.fit import Outcome

log = logging.getLogger("wisesr")

DONE, FAILED, BUSY, INTERRUPTED = 0, 1, 75, 130
"""Exit codes; 75 is EX_TEMPFAIL: another process runs this cell."""

_PATIENCE = 10.0
"""Seconds to wait for the lock."""


def finished(directory: Path, config: Mapping[str, Any], data: str | None, weights: str | None = None) -> list[str] | None:
    """Whether a cell has its record.

    Args:
        directory: of the cell.
        config: that it should have.
        data: fingerprint of the manifest as it is now; None to leave the data unchecked.
        weights: hash of the file of pretrained weights as it is now; None to leave it unchecked.

    Returns:
        None if it is to be run; else warnings about what has changed since, usually none.
    """
    record = read_record(directory)
    if record is None or record["fingerprint"] != fingerprint(config):
        return None
    warnings = []
    if data is not None and record["provenance"]["data"]["fingerprint"] != data:
        warnings.append("the images, labels or splits have changed since")
    if weights is not None and record["provenance"]["weights"].get("sha256") != weights:
        warnings.append("the file of pretrained weights has changed since")
    if record["provenance"]["source"] != source_hash():
        warnings.append("the code has changed since")
    return warnings


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
    if problems := check(config):
        raise UserError(f"{directory / 'config.yaml'} is wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))
    if not is_main():  # Lightning's DDP starts this same command for the other devices
        return _finish(directory, lambda: _train(directory, config, build_manifest(config)))
    with locked(directory, patience=_PATIENCE) as mine:
        if not mine:
            log.warning("another process runs %s", directory)
            return BUSY
        record = read_record(directory)
        if record is not None and record["fingerprint"] != fingerprint(config):
            raise UserError(f"{directory / 'config.yaml'} was edited: its record belongs to another configuration. {ELSEWHERE}")
        if record is None:
            write_status(directory, state="starting")
        code = _finish(directory, lambda: _run_locked(directory, config))
        if code == DONE:
            write_status(directory, state="done")
        return code


def _finish(directory: Path, work: Callable[[], None]) -> int:
    """Do it, and write down for a user to read how it failed."""
    try:
        work()
    except UserError as error:
        log.error("%s", error)
        write_status(directory, state="failed", reason=str(error), told=True)
        return FAILED
    except Exception as error:
        log.exception("failed")
        write_status(directory, state="failed", reason=f"{type(error).__name__}: {error}", told=False)
        return FAILED
    except (KeyboardInterrupt, SystemExit):  # Lightning turns the first into the second
        log.warning("interrupted; the same command continues from the last finished epoch")
        write_status(directory, state="interrupted")
        return INTERRUPTED
    return DONE


def _run_locked(directory: Path, config: Config) -> None:
    if finished(directory, config, None) is None:
        _train(directory, config, build_manifest(config))
        return
    try:
        warnings = finished(directory, config, build_manifest(config).fingerprint(), weights_hash(config)) or []
    except UserError as error:  # the record stands without what it was made from
        warnings = [str(error)]
    log.info("done before: %s%s", directory, "".join(f"; {warning}" for warning in warnings))


def _train(directory: Path, config: Config, manifest: Manifest) -> None:
    """Build, fit, test, record; the loggers hear how it ended."""
    import torch

    from wisesr.training.cost import peak_memory
    from wisesr.training.fit import fit
    from wisesr.training.kernels import kernel_sheet

    weights = weights_hash(config)
    started = start_attempt(directory, config, data=manifest.fingerprint(), weights=weights, gpu=torch.cuda.is_available())
    torch.set_num_threads(started.threads)
    parts = build(config, manifest)
    cost = _count(parts, config)
    loggers = build_loggers(config, directory) if is_main() else []
    log.info("%s", _describe(manifest, config, parts))
    try:
        outcome = fit(parts.module, parts.data, parts.trainer, directory=directory, loggers=loggers, budget=parts.budget)
        if not is_main():
            return
        summary = {f"best/{name}": value for name, value in outcome.best.items()} | cost["parameters"]
        for logger in loggers:
            logger.finish(summary, kernel_sheet(parts.module.measured))
    except BaseException:
        for logger in loggers:
            logger.fail()
        raise
    device = parts.module.trainer.strategy.root_device
    write_record(
        directory,
        fingerprint=fingerprint(config),
        config=config,
        metrics={"best": outcome.best, "last": outcome.last},
        budget=_budget(config, outcome),
        selection=_selection(manifest, config),
        cost=cost
        | {
            "train_seconds": outcome.seconds,
            "images_per_second": outcome.images_per_second,
            "peak_memory_bytes": peak_memory(device),
        },
        provenance=provenance(
            threads=started.threads,
            attempts=started.attempts,
            sources=started.sources,
            device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
            weights=_describe_weights(config, parts.module.model.backbone, weights),
            inputs=parts.module.model.inputs,
            data_fingerprint=manifest.fingerprint(),
            splits=manifest.splits,
            left_out=manifest.left_out,
        ),
    )
    best = outcome.best
    log.info("done: epoch %d, val top-1 %.4f, test top-1 %.4f", best["epoch"], best["val/top1"], best["test/top1"])


def _count(parts: Parts, config: Config) -> dict[str, Any]:
    from wisesr.training.cost import flops, parameters

    model = parts.module.model
    return {
        "parameters": {
            "backbone_parameters": parameters(model.backbone),
            "head_parameters": parameters(model.head),
            "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        },
        "flops": flops(model, config["resolution"]["size"]),
    }


def _budget(config: Config, outcome: Outcome) -> dict[str, Any]:
    """What was trained of what was planned, which tables must tell where the two differ."""
    trained = {"trained_epochs": int(outcome.last["epoch"]), "steps": int(outcome.last["step"])}
    return {"epochs": config["recipe"]["epochs"], **trained, "stopped": outcome.stopped}


def _describe_weights(config: Config, backbone: TimmBackbone, sha256: str | None) -> dict[str, Any]:
    """Where the backbone's weights came from; of timm's own, the name that it knows them by."""
    known = getattr(getattr(backbone, "model", None), "pretrained_cfg", {})
    source = config["backbone"].get("weights")
    hub = {"timm": known.get("hf_hub_id") or known.get("url")} if source == "imagenet" else {}
    return {"source": source, "sha256": sha256, "tensors": getattr(backbone, "weights_hash", None), **hub}


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
        + (f"; unreadable and left out: {', '.join(manifest.left_out)}" if manifest.left_out else "")
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
