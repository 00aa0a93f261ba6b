"""What logging costs a cell: csv, TensorBoard and W&B offline beside no logger; a bare wandb run as the peer.

    python benchmarks/logging_cost.py              # about 3 minutes on one core
    python benchmarks/logging_cost.py --quick      # under a minute: a rehearsal

Claims: W&B adds at most 1 % to a step of what csv costs, and a toy cell that is forked from a process which has imported
everything takes at most 2.5 s beyond its training with it. Cells are forked one by one, loggers taking turns, each trains
`test_resnet` at 32 px on the digits with one thread. Clocks that stand before and after the logger tell its own share.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder
os.environ |= {"OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}

from benchmarks.measured import Row, keep_nothing, write_rows  # noqa: E402
from wisesr.config.compose import compose_cell  # noqa: E402
from wisesr.config.files import to_yaml  # noqa: E402
from wisesr.grid.cell_process import environment  # noqa: E402
from wisesr.grid.warm.parent import WarmParent, WarmSlot  # noqa: E402
from wisesr.grid.warm.process import ForkedProcess  # noqa: E402
from wisesr.results.lock import acquire_lock  # noqa: E402
from wisesr.training.loggers.ahead import import_wandb  # noqa: E402
from wisesr.training.loggers.base import Run, RunLogger  # noqa: E402

LOGGERS = ("none", "csv", "tensorboard", "wandb")
TOY = (
    *("backbone=timm", "backbone.model=test_resnet", "head=wise", "dataset=digits", "resolution.size=32"),
    *("recipe=quick", "trainer=cpu", "trainer.threads=1"),
)
CLOCK = "benchmarks.logging_cost.Clock"


class Clock(RunLogger):
    """Writes `<cell>/NAME.json`: the system's clock when it was told of the start, of each epoch and of the end, and at last
    seconds of CPU of the processes that this one has started and seen end.
    """

    def __init__(self, run: Run, *, name: str) -> None:
        super().__init__(run)
        self._file, self._times = run.directory / f"{name}.json", list[float]()

    def start(self, history: Sequence[Any]) -> None:
        self._times.append(time.monotonic())

    def epoch(self, row: Mapping[str, float], steps: Sequence[Any]) -> None:
        self._times.append(time.monotonic())

    def finish(self, summary: Mapping[str, Any], findings: Any) -> None:
        others = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._file.write_text(json.dumps([*self._times, time.monotonic(), others.ru_utime + others.ru_stime]))


class Taken(NamedTuple):
    """Seconds of one cell."""

    step: float
    """From the logger's start to the end of the last epoch, over optimizer steps: validation and checkpoints are in it."""
    own: float
    """Of that the logger's: from when it was told of an epoch to when it returned."""
    opening: float
    closing: float
    others: float
    """CPU of the logger's own process, where it has one."""
    beyond: float
    """All that is not from the logger's start to the end of the last epoch: the process, data, model, test, record, logger."""


def cell(parent: WarmParent, folder: Path, logger: str, number: int, epochs: int) -> Taken:
    """A cell from its configuration to its record, forked from a grid's own warm parent."""
    config = dict(compose_cell([*TOY, f"logger={logger}", f"recipe.epochs={epochs}", f"seed={number}", "study=logging"]))
    before, after = ({"_target_": CLOCK, "name": name} for name in ("before", "after"))
    config["logger"] = {"before": before, **config["logger"], "after": after}
    directory = folder / f"{logger}-{number}"
    directory.mkdir()
    (directory / "config.yaml").write_text(to_yaml(config))
    began = time.monotonic()
    with (directory / "log.txt").open("ab") as log, acquire_lock(directory) as lock:  # type: ignore[union-attr]
        request = {"run": "cell", "arguments": [str(directory)]}
        code = ForkedProcess(parent, request, [log.fileno(), lock.fileno()]).wait()
    wall = time.monotonic() - began
    if code or "W&B" in (told := (directory / "log.txt").read_text()):  # a warning: something of the run is missing
        raise SystemExit(f"{directory.name} ended with {code}\n{told}")
    first, last = (json.loads((directory / f"{name}.json").read_text()) for name in ("before", "after"))
    steps = json.loads((directory / "result.json").read_text())["budget"]["steps"]
    *own, others = (end - begin for begin, end in zip(first, last, strict=True))
    training = last[-3] - last[0]
    return Taken(training / steps, sum(own[1:-1]) / steps, own[0], own[-1], others, wall - training)


def bare_wandb(folder: Path, epochs: int) -> float:
    """The peer: wandb as its documentation has it, with as many rows of as many figures, in a child of this process."""
    began = time.monotonic()
    child = multiprocessing.get_context("fork").Process(target=_bare_run, args=(folder, epochs))
    child.start()
    child.join()
    return time.monotonic() - began


def _bare_run(folder: Path, epochs: int) -> None:
    import wandb

    run = wandb.init(project="bare", dir=str(folder), config={"seed": 0}, settings=wandb.Settings(silent=True))
    for epoch in range(epochs):
        run.log({f"figure{number}": epoch / (number + 1) for number in range(10)})
    run.finish()
    wandb.teardown()


def medians(taken: Sequence[Taken]) -> Taken:
    """Of each figure."""
    return Taken(*(statistics.median(values) for values in zip(*taken, strict=True)))


def rows_of(found: Mapping[str, list[Taken]], bare: float) -> list[Row]:
    """The claims. Differences are medians of those within a round."""
    pairs = list(zip(found["csv"], found["wandb"], strict=True))
    own, all_of_it = (
        1e3 * statistics.median(wandb - csv for csv, wandb in times)
        for times in ([(csv.own, wandb.own) for csv, wandb in pairs], [(csv.step, wandb.step) for csv, wandb in pairs])
    )
    at, beside = medians(found["wandb"]), medians(found["csv"])
    more = statistics.median(wandb.beyond - csv.beyond for csv, wandb in pairs)
    peer = f"wandb {version('wandb')} alone, forked: init, as many rows, finish {bare:.2f} s"
    share = own / (1e3 * beside.step)
    note = f"{own:.2f} ms of the logger's own; the whole step differs by {all_of_it:+.2f} of {1e3 * beside.step:.1f} ms"
    over = f"{more:.2f} s over csv"
    beyond = "a toy cell beyond its training, forked, W&B offline"
    return [
        Row("what W&B offline adds to a toy step", "<= 1 %", f"{share:.1%}", share <= 0.01, "logger=csv", note),
        Row(beyond, "<= 2.5 s", f"{at.beyond:.2f} s", at.beyond <= 2.5, peer, over),
    ]


def table_of(found: Mapping[str, list[Taken]]) -> str:
    """Medians of each logger."""
    lines = ["| logger | ms a step | its own, ms | opening, s | closing, s | CPU of its process, s | beyond training, s |"]
    lines.append("| --- |" + " --- |" * 6)
    for name, taken in found.items():
        at = medians(taken)
        seconds = f"{at.opening:.2f} | {at.closing:.2f} | {at.others:.2f} | {at.beyond:.2f}"
        lines.append(f"| {name} | {1e3 * at.step:.1f} | {1e3 * at.own:.3f} | {seconds} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, help="JSON file, for docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="one epoch, one round: tests the script")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    keep_nothing()
    rounds, epochs = (1, 1) if given.quick else (given.rounds, 3)
    os.chdir(ROOT)  # where the parent finds this file
    import_wandb()
    parent = WarmSlot(lambda: WarmParent(environment(), wandb=True), print).ready()
    assert parent is not None
    found: dict[str, list[Taken]] = {name: [] for name in LOGGERS}
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            for name, taken in found.items():
                taken.append(cell(parent, Path(folder), name, number, epochs))
            bare.append(bare_wandb(Path(folder), epochs))
    parent.close()
    write_rows(given.to, rows_of(found, statistics.median(bare)), table=table_of(found))


if __name__ == "__main__":
    main()
