"""A cell's experiment, from its configuration to its record: build, fit, test, write down what came of it."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.build.cell import Parts, build, weights_hash
from wisesr.build.division import describe_division, device_count
from wisesr.build.head_sentences import head_sentences
from wisesr.build.keep import keep_images
from wisesr.build.maps import map_keeper
from wisesr.build.parts import build_loggers
from wisesr.cell.attempt import Started, is_main, start_attempt
from wisesr.cell.code import agree_with_main, imported_code, note_code, settled_code
from wisesr.cell.provenance import provenance, reads
from wisesr.cell.summary import summary
from wisesr.cell.told_progress import watched
from wisesr.cell.wait import describe_wait
from wisesr.cell.warm_up import import_libraries
from wisesr.config.schema import Config
from wisesr.data.legible import legible
from wisesr.data.manifest import TEST, VAL, Manifest
from wisesr.errors import UserError
from wisesr.results.record_file import write_record
from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.results.uncommitted import write_uncommitted
from wisesr.wording import percent, some_of

if TYPE_CHECKING:
    from wisesr.training.fit import Outcome
    from wisesr.training.keep_maps import KeepMaps

log = logging.getLogger("wisesr")

_SHOWN = 8
"""Unreadable images that the log names; the record names all."""


def train_and_record(
    directory: Path, config: Config, manifest: Manifest, *, cores: int | None = None, gpus: int = 0, forked: bool = False
) -> None:
    """Build, fit, test, record; loggers are told how it ended. What an interrupted attempt has finished is not done again.

    Args:
        directory: of the cell, whose lock this process holds.
        config: of the cell.
        manifest: its images.
        cores: CPU cores that it may use; None for all.
        gpus: GPUs that it was given; 0 where nobody says.
        forked: whether this process was forked from a warm one.

    Raises:
        UserError: a setting that cannot be had, data that is not in order, training that diverged.
    """
    _note(directory, "importing")
    import_libraries()
    import torch

    _require_gpus(config, gpus)
    data, weights, gpu = manifest.fingerprint(), weights_hash(config), torch.cuda.is_available()
    devices = device_count(config["trainer"])
    code = imported_code(config)
    agree_with_main(directory, code, is_main=is_main())
    started = start_attempt(directory, config, data=data, weights=weights, code=code, gpu=gpu, devices=devices, cores=cores)
    if is_main():
        write_uncommitted(directory)
    torch.set_num_threads(started.threads)
    _note(directory, "building")
    parts = build(config, manifest, cores=cores)
    if is_main():
        code = note_code(directory, settled_code(config), started.sources)
    parts.module.check_parts(devices, parts.trainer.accumulate)  # before images are decoded for it
    division = describe_division(config, parts, devices)
    waiting = describe_wait(started.threads, os.environ)
    for sentence in filter(None, (_describe(manifest, config, parts), waiting, division.sentence)):
        log.info("%s", sentence)
    for sentence in head_sentences(config, parts.module.model.backbone.feature_shape, len(manifest.class_names)):
        log.info("%s.", sentence)
    for sentence in manifest.notes.sentences():
        log.warning("data: %s", legible(sentence))
    maps = map_keeper(config, parts)
    with watched(directory):
        if maps is None:
            keep_images(config, parts.data)
        else:  # each image is decoded once in any case
            maps.otherwise = partial(keep_images, config, parts.data)
        trained = _train(directory, config, manifest, parts, started, maps)
    if trained is None:
        return
    outcome, cost, budget = trained
    content = {
        "fingerprint": started.fingerprint,
        "config": config,
        "protocol": config["protocol"],
        "selection": _selection(manifest, config),
        "metrics": {"best": outcome.best, "last": outcome.last},
        "budget": budget,
        "cost": cost,
        "provenance": provenance(directory, config, manifest, parts, started, code)
        | {"by_part": division.by_part, "start": "fork" if forked else "spawn"}
        | {"reads": reads(parts.data, None if maps is None else maps.told)},
    }
    write_record(directory, content)
    best = outcome.best
    val, test = percent(best["val/top1"]), percent(best["test/top1"])
    log.info("done: epoch %d, val top-1 %s %%, test top-1 %s %%", best["epoch"], val, test)


def _note(directory: Path, phase: str, state: State = State.STARTING) -> None:
    """Tell whoever watches what is being done that takes seconds."""
    if is_main():
        write_status(directory, state=state, phase=phase)


def _require_gpus(config: Config, gpus: int) -> None:
    """Raise UserError where torch sees fewer GPUs than the cell was given."""
    import torch

    if config["trainer"]["accelerator"] != "cpu" and torch.cuda.device_count() < gpus:
        raise UserError(
            f"this cell was given {gpus} GPUs (CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES')}), and torch sees "
            f"{torch.cuda.device_count()}: look at nvidia-smi and at torch.version.cuda; trainer=cpu does without"
        )


def _train(
    directory: Path, config: Config, manifest: Manifest, parts: Parts, started: Started, maps: KeepMaps | None
) -> tuple[Outcome, dict[str, Any], dict[str, Any]] | None:
    """Fit and test, with loggers.

    Returns:
        What came of it, `cost` and `budget` of the record; None in a process that only helps the main one.
    """
    from wisesr.training.compute_time import compute_time
    from wisesr.training.cost import peak_memory
    from wisesr.training.fit import fit
    from wisesr.training.loggers.findings import gather
    from wisesr.training.loggers.guarded import Guarded

    cost = _model_cost(parts, config)
    _note(directory, "first batch")
    loggers = [Guarded(logger) for logger in build_loggers(config, directory)] if is_main() else []
    try:
        outcome = fit(
            parts.module, parts.data, parts.trainer, directory=directory, loggers=loggers, budget=parts.budget, maps=maps
        )
        if not is_main():
            return None
        _note(directory, "timing", State.TESTING)
        speed = {"train_seconds": outcome.seconds, "images_per_second": outcome.images_per_second}
        peak = max(peak_memory(parts.module.trainer.strategy.root_device), 0 if maps is None else maps.peak_memory)
        cost |= speed | {"peak_memory_bytes": peak}
        cost["compute"] = asdict(compute_time(parts.module, parts.module.trainer, outcome.seconds, maps))
        budget = {
            "epochs": config["recipe"]["epochs"],
            "trained_epochs": int(outcome.last["epoch"]),
            "steps": int(outcome.last["step"]),
            "stopped": outcome.stopped,
        }
        if loggers:
            content = {
                "fingerprint": started.fingerprint,
                "protocol": config["protocol"],
                "selection": _selection(manifest, config),
                "metrics": {"best": outcome.best},
                "budget": budget,
                "cost": cost,
                "provenance": {
                    "data": {"fingerprint": started.data},
                    "reads": reads(parts.data, None if maps is None else maps.told),
                },
            }
            findings = gather(directory, manifest, parts.module.measured)
            for logger in loggers:
                logger.finish(summary(content), findings)
    except BaseException:
        for logger in loggers:
            logger.fail()
        raise
    return outcome, cost, budget


def _model_cost(parts: Parts, config: Config) -> dict[str, Any]:
    """Parameters, FLOPs and feature map: what is known before training."""
    from wisesr.training.cost import flops, parameters

    model = parts.module.model
    return {
        "parameters": {
            "backbone_parameters": parameters(model.backbone),
            "head_parameters": parameters(model.head),
            "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        },
        "flops": flops(model, config["resolution"]["size"]),
        "feature_map": list(model.backbone.feature_shape),
    }


def _selection(manifest: Manifest, config: Config) -> str:
    """In words, on which images the epoch was chosen."""
    if config["protocol"] == "paper":
        return f"highest top-1 on the {len(manifest.indices(TEST))} test images themselves, looked at every epoch"
    return f"highest top-1 on {len(manifest.indices(VAL))} held-out images; the test split was read once"


def _describe(manifest: Manifest, config: Config, parts: Parts) -> str:
    """The cell in one line, for its log."""
    counts = ", ".join(f"{len(manifest.indices(split))} {split}" for split in ("train", "val", "test"))
    shape = "x".join(map(str, parts.module.model.backbone.feature_shape))
    return (
        f"{config['backbone']['name']} with {config['head']['name']} on {config['dataset']['name']}, "
        f"{config['resolution']['size']} px, feature map {shape}; {len(manifest.class_names)} classes, {counts} images"
        + (f"; unreadable and left out: {some_of(manifest.left_out, _SHOWN)}" if manifest.left_out else "")
    )
