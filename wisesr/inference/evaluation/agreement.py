"""Whether an evaluation equals the record of its run, and if not, what may be why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wisesr.build.code import CodeNow
from wisesr.data.manifest import TEST, VAL
from wisesr.inference.evaluation.as_tested import devices
from wisesr.inference.evaluation.pictures import Source
from wisesr.inference.run import Run
from wisesr.results.provenance import hardware, versions
from wisesr.results.reading import depends_on_batch
from wisesr.results.same_code import code_change

_DEPENDS = ("torch", "torchvision", "timm", "torchmetrics", "numpy", "pillow")
"""Packages that a figure may depend on."""


class Agreement(NamedTuple):
    """An evaluation beside the record's figures of the same split."""

    split: str
    differences: Mapping[str, tuple[float, float]]
    """Name of a figure -> (now, in the record), where they differ in any bit."""
    reasons: tuple[str, ...]
    """What is otherwise than in training; empty where nothing is known."""

    @property
    def equal(self) -> bool:
        """Whether every figure is that of the record to the last bit."""
        return not self.differences


def agreement(
    run: Run, source: Source, figures: Mapping[str, float], *, device: str, threads: int, unread: int
) -> Agreement | None:
    """The evaluation held against the record; None where the record has no figures of these pictures at this resolution.

    Args:
        run: that was evaluated.
        source: of the pictures.
        figures: of the evaluation, by the names of the record without the split.
        device: `cpu`, or the GPU's name.
        threads: of the CPU, while it was computed.
        unread: pictures that could not be read.
    """
    measured = source.split == TEST or (source.split == VAL and run.record.protocol == "holdout")
    if source.kind != "own" or not measured or run.image_size != run.config["resolution"]["size"]:
        return None
    row = run.record.best.row
    then = {name: row[f"{source.split}/{name}"] for name in figures if f"{source.split}/{name}" in row}
    differences = {name: (figures[name], value) for name, value in then.items() if figures[name] != value}
    return Agreement(source.split, differences, tuple(_reasons(run, source, device, threads, unread)) if differences else ())


def _reasons(run: Run, source: Source, device: str, threads: int, unread: int) -> list[str]:
    """What is otherwise than in training, what changes most first."""
    made, trainer, found = run.record.provenance, run.config["trainer"], []
    if unread:
        found.append(f"{unread} images cannot be read now")
    if source.unchanged is False:
        found.append("the data has changed")
    if source.unchanged is None:
        found.append("nobody can tell whether the data has changed")
    here = hardware(device)
    found += [
        f"{key}: {here[key]} (it was {made.hardware[key]})"
        for key in ("device", "cpu")
        if key in made.hardware and here[key] != made.hardware[key]
    ]
    if differs := depends_on_batch(made.reads):
        found.append(f"it was computed from kept maps, which depend here on what else is in a batch, by up to {differs:.2g}")
    if threads != made.threads:
        found.append(f"{threads} threads (there were {made.threads})")
    if trainer["compile"]:
        found.append("trainer.compile: the trained model was compiled, this one is not")
    if devices(run) != 1:
        found.append("it was trained on several devices, whose sums are added in another order")
    now = versions()
    found += [
        f"{name} {now.get(name)} (it was {made.versions[name]})"
        for name in _DEPENDS
        if made.versions.get(name) and made.versions[name] != now.get(name)
    ]
    return [*found, *filter(None, [code_change(made, run.directory, CodeNow().of(run.config))])]
