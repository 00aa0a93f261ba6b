"""Training steps of the product (its configuration, module and trainer) beside a bare loop that does the same step.

Both see one batch of noise that lies on the card already, so that the loader has no part in it: `loader.py` has that one.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import warnings
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import Checkpoint
from torch.nn.functional import cross_entropy

from benchmarks.on_gpu.options import CLASSES, Case, Options, Row
from benchmarks.on_gpu.timing import Marks, forget_peak, median_step, peak, set_precision
from wisesr import constrain
from wisesr.build.cell import Parts, assemble, build_model
from wisesr.config.compose import compose_cell
from wisesr.data.datamodule import Batch
from wisesr.data.manifest import TEST, TRAIN, VAL, Manifest
from wisesr.models.classifier import Classifier
from wisesr.training.progress import Progress
from wisesr.training.trainer import make_trainer

WARM = 5
"""Steps before the clock starts."""


class Variant(NamedTuple):
    """Settings of a training step."""

    name: str
    precision: str = "32-true"
    tf32: bool | None = True
    """Everywhere, nowhere, or None for torch's own default."""
    channels_last: bool = False
    deterministic: bool = False
    compile: bool = False


VARIANTS = (
    Variant("trainer=gpu as it is", tf32=None, channels_last=True, deterministic=True),
    Variant("bf16-mixed, channels_last", "bf16-mixed", channels_last=True),
    Variant("bf16-mixed, channels_last, deterministic", "bf16-mixed", channels_last=True, deterministic=True),
    Variant("fp32", tf32=False),
    Variant("TF32"),
    Variant("TF32, channels_last", channels_last=True),
    Variant("bf16-mixed", "bf16-mixed"),
)
COMPILED = Variant("bf16-mixed, channels_last, compile", "bf16-mixed", channels_last=True, compile=True)


class Stopwatch(Callback):
    """Marks the end of each training batch."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def on_train_batch_end(self, *_: Any) -> None:
        """One more step is on its way."""
        self._marks.mark()


def measure(options: Options, case: Case, variant: Variant) -> Iterator[Row]:
    """One row: wisesr's images/s, the bare loop's, their ratio, memory."""
    config = configure(options, case, variant)
    set_precision(variant.tf32, deterministic=variant.deterministic)
    model = build_model(config, CLASSES)
    if variant.compile:
        model.compile()
    batch = noise(case.batch, config["resolution"]["size"], options.device)
    forget_peak(options.device)
    bare, count = bare_loop(options, variant, model, batch)
    bare_peak = peak(options.device)
    forget_peak(options.device)
    own = trained(options, config, model, batch, count)
    own_peak = peak(options.device)
    speeds = [case.batch / seconds for seconds in (own, bare)]
    yield (
        f"{case.name}, batch {case.batch}",
        variant.name,
        *(f"{speed:,.0f}" if speed >= 100 else f"{speed:.1f}" for speed in speeds),
        f"{bare / own:.3f}",
        f"{own * 1e3:.1f}",
        f"{own_peak} / {bare_peak}",
        str(count),
    )


def configure(options: Options, case: Case, variant: Variant) -> dict[str, Any]:
    """The cell, as `train.py` composes it."""
    settings = {
        "trainer.precision": variant.precision,
        "trainer.channels_last": variant.channels_last,
        "trainer.deterministic": variant.deterministic,
        "recipe.batch_size": case.batch,
    }
    words = [f"{key}={str(value).lower()}" for key, value in settings.items()]
    groups = ["head=wise", "recipe=quick", "recipe.epochs=1", "dataset=folder", "dataset.root=.", f"trainer={options.trainer}"]
    return dict(compose_cell([*case.overrides, *groups, "logger=none", *words]))


def noise(batch: int, size: int, device: str) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(batch, 3, size, size, generator=generator).to(device)
    labels = torch.randint(CLASSES, (batch,), generator=generator).to(device)
    return Batch(images, labels, torch.arange(batch, device=device))


def bare_loop(options: Options, variant: Variant, model: Classifier, batch: Batch) -> tuple[float, int]:
    """Median seconds of a step in plain PyTorch, and of how many steps."""
    layout = torch.channels_last if variant.channels_last else torch.contiguous_format
    model.to(options.device).to(memory_format=layout).train()
    images = batch.images.contiguous(memory_format=layout)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    constrain(optimizer, model)

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(options.device, torch.bfloat16, enabled=variant.precision == "bf16-mixed"):
            loss = cross_entropy(model(images), batch.labels)
        loss.backward()
        optimizer.step()

    return median_step(step, options.device, warm=WARM, seconds=options.seconds, most=options.most_steps)


def trained(options: Options, config: dict[str, Any], model: Classifier, batch: Batch, count: int) -> float:
    """Median seconds of a step of the product's module in the product's trainer."""
    parts: Parts = assemble(config, invented(len(batch.labels) * (WARM + count)), model)
    marks = Marks(options.device)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # A callback of the last kind, so that Lightning adds none of its own, which would write files.
        callbacks = [Progress(Path(folder), parts.module.steps), Stopwatch(marks), Checkpoint()]
        trainer = make_trainer(parts.trainer, 1, callbacks)
        trainer.fit(parts.module, train_dataloaders=Repeated(batch, WARM + count))
    return statistics.median(marks.between()[WARM - 1 :])


class Repeated:
    """A loader that gives one batch so many times."""

    def __init__(self, batch: Batch, count: int) -> None:
        self._batch, self._count = batch, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Batch]:
        return repeat(self._batch, self._count)


def invented(images: int) -> Manifest:
    """A dataset of so many training images, none of which is ever loaded."""

    def load(index: int) -> NoReturn:
        raise AssertionError("batches lie on the device already")

    images = max(images, CLASSES)
    count = images + 2
    names = [f"class {label}" for label in range(CLASSES)]
    labels = [number % CLASSES for number in range(images)] + [0, 0]
    return Manifest([str(n) for n in range(count)], labels, names, [TRAIN] * images + [VAL, TEST], load, [0] * count)
