"""What a training step of a cell costs beside a bare PyTorch loop over the same loader, and beside Lightning's own empty loop.

    python benchmarks/step.py [--only toy|resnet18] [--steps N] [--to FILE]        # about 12 minutes on one core
    python benchmarks/step.py --quick                                              # under a minute: a rehearsal

The bare loop has the same model, optimizer, constraint, schedule, loss and loader (`ImageData`). It takes a step whenever the
trainer's optimizer has taken one, so that the two alternate step by step in one thread, and a busy machine disturbs both alike.
A step is all from one `optimizer.step()` to the next within an epoch: loading, hooks, callbacks, writing down the progress.
The bare loop takes its step as in a process without Lightning, which sets a variable that makes Adam look for a GPU's driver.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

import lightning  # noqa: E402
import torch  # noqa: E402
from lightning.pytorch import LightningModule  # noqa: E402
from lightning.pytorch.callbacks import Checkpoint  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.optim.lr_scheduler import LambdaLR  # noqa: E402

from benchmarks.alternating import WARM, Taken, alternating  # noqa: E402
from benchmarks.measured import Row, keep_nothing, write_rows  # noqa: E402
from wisesr.build.cell import Parts, build  # noqa: E402
from wisesr.build.data import build_manifest  # noqa: E402
from wisesr.build.parts import build_loggers  # noqa: E402
from wisesr.config.compose import compose_cell  # noqa: E402
from wisesr.data.datamodule import Batch  # noqa: E402
from wisesr.training.fit import fit  # noqa: E402
from wisesr.training.loggers.guarded import Guarded  # noqa: E402
from wisesr.training.trainer import make_trainer, silence_advice  # noqa: E402


class Case(NamedTuple):
    """A training, and what it is held to."""

    name: str
    overrides: tuple[str, ...]
    steps: int
    milliseconds: float | None = None
    """That a step may cost over the bare loop's; None where it is held to 2 % of it."""


CASES = (
    Case("toy: test_resnet at 32 px", ("backbone=timm", "backbone.model=test_resnet", "resolution.size=32"), 450, 2.0),
    Case("resnet18 at 64 px", ("backbone=resnet18", "backbone.weights=null", "resolution.size=64"), 100),
    Case("resnet18 at 112 px", ("backbone=resnet18", "backbone.weights=null", "resolution.size=112"), 60),
)


def make(case: Case, steps: int, logger: str) -> tuple[dict[str, Any], Parts]:
    """A cell's configuration and parts, of as many epochs as so many steps need."""
    words = [*case.overrides, "dataset=digits", "recipe=quick", "trainer=cpu", f"logger={logger}", "trainer.threads=1"]
    config = dict(compose_cell(words))
    manifest = build_manifest(config)
    parts = build(config, manifest)
    config["recipe"]["epochs"] = 1 + (steps + WARM) // parts.module.steps.per_epoch
    return config, build(config, manifest)


class Empty(LightningModule):
    """The least that Lightning's loop can do with the same model: no callbacks, no randomness, no metrics."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts, self.model, self.objective = parts, parts.module.model, parts.module.objective

    def configure_optimizers(self) -> Any:
        """As the product's."""
        optimizer = self.parts.module.make_optimizer(self.model)
        schedule = {"scheduler": LambdaLR(optimizer, self.parts.module._schedule), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The mean loss."""
        images = batch.images.contiguous(memory_format=torch.channels_last)
        loss: Tensor = self.objective(self.model(images), batch.labels).mean()
        return loss


def of_product(case: Case, steps: int, logger: str) -> Taken:
    """A cell's fit."""
    config, parts = make(case, steps, logger)
    with tempfile.TemporaryDirectory() as folder, alternating(make(case, steps, logger)[1], steps) as turns:
        loggers = [Guarded(logger) for logger in build_loggers(config, Path(folder))]
        fit(parts.module, parts.data, parts.trainer, directory=Path(folder), loggers=loggers, budget=parts.budget)
    return turns.taken(parts.module.steps.per_epoch)


def of_empty(case: Case, steps: int) -> Taken:
    """Lightning's trainer, as the product sets it, around an empty module."""
    _, parts = make(case, steps, "none")
    with warnings.catch_warnings(), alternating(make(case, steps, "none")[1], steps) as turns:
        silence_advice()
        warnings.simplefilter("ignore")
        # A callback of this kind, so that Lightning adds none of its own, which would write files.
        trainer = make_trainer(parts.trainer, parts.module.steps.epochs, [Checkpoint()])
        trainer.fit(Empty(parts), parts.data.train_dataloader())
    return turns.taken(parts.module.steps.per_epoch)


def rows(case: Case, steps: int) -> Iterator[Row]:
    """Of one training."""
    peer = f"a bare loop, torch {torch.__version__.partition('+')[0]}"
    runs: dict[str, Callable[[], Taken]] = {
        "a cell, csv": lambda: of_product(case, steps, "csv"),
        f"Lightning {lightning.__version__} alone": lambda: of_empty(case, steps),
    }
    for name, run in runs.items():
        taken = run()
        bare = 1e3 * statistics.median(taken.bare)
        note = f"bare {bare:.1f} ms; {taken.over:+.2f} ms, on average {taken.mean:+.2f} ms; {len(taken.own)} steps"
        held = name.startswith("a cell")
        if case.milliseconds is not None:
            met, bound = taken.over <= case.milliseconds, f"<= {case.milliseconds} ms"
            yield Row(f"{case.name}: {name}", bound if held else "", f"{taken.over:.2f} ms", met if held else None, peer, note)
        else:
            met, bound = taken.ratio <= 1.02, "<= 1.02 x"
            yield Row(f"{case.name}: {name}", bound if held else "", f"{taken.ratio:.3f} x", met if held else None, peer, note)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="trainings whose name contains this")
    parser.add_argument("--steps", type=int, help="of each training")
    parser.add_argument("--quick", action="store_true", help="few steps, for a rehearsal")
    parser.add_argument("--to", type=Path, help="JSON file for make bench")
    given = parser.parse_args()
    keep_nothing()
    torch.set_num_threads(1)
    found = []
    for case in CASES:
        if (not given.only or given.only in case.name) and not (given.quick and case is CASES[-1]):
            found += list(rows(case, given.steps or (15 if given.quick else case.steps)))
    write_rows(given.to, found)


if __name__ == "__main__":
    main()
