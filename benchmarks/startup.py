"""What a cell pays before its first step, and beyond its training where a process that has imported everything forks it.

    python benchmarks/startup.py            # about 5 minutes on one core
    python benchmarks/startup.py --quick    # under a minute

To the first optimizer step, processes taking turns: `python -m wisesr.cell DIR` beside a script that imports torch, timm and
lightning.pytorch and takes the step on the same images, which it finds ready in a file. One thread, `test_resnet` at 32 px.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)
os.environ["OMP_NUM_THREADS"] = "1"

from benchmarks.measured import Row, keep_nothing, medians, write_rows  # noqa: E402
from wisesr.results.provenance import installed_version  # noqa: E402

CELL = (
    *("backbone=timm", "backbone.model=test_resnet", "dataset=digits", "resolution.size=32", "recipe.epochs=1"),
    *("trainer=cpu", "trainer.threads=1", "logger=csv", "augment=none"),
)
HEADS = ("wise", "gap", "depthwise", "flatten")
STEP = "at the first step: "
BARE = f"""
import lightning.pytorch, numpy, timm, torch, os, sys, time
torch.set_num_threads(1)
batch = numpy.load(sys.argv[1])
images = torch.from_numpy(batch["images"]).float()[:, None].repeat(1, 3, 1, 1) / 16
images = (torch.nn.functional.interpolate(images, size=32, mode="bilinear", antialias=True) - 0.5) / 0.5
model = timm.create_model("test_resnet", num_classes=10)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
torch.nn.functional.cross_entropy(model(images), torch.from_numpy(batch["labels"])).backward()
optimizer.step()
print("{STEP}", time.monotonic(), flush=True)
os._exit(0)
"""


def run_to_first_step(directory: Path) -> None:
    """Be the cell's process, and leave after its first optimizer step."""
    from wisesr.cell import __main__, experiment

    imports = experiment.import_libraries

    def and_watch() -> None:
        imports()
        from torch.optim.optimizer import register_optimizer_step_post_hook

        register_optimizer_step_post_hook(lambda *_: leave())

    def leave() -> None:
        print(STEP, time.monotonic(), flush=True)
        os._exit(0)

    experiment.import_libraries = and_watch
    sys.argv = ["wisesr.cell", str(directory)]
    __main__.main()


def to_first_step(*command: str) -> float:
    """Seconds from the start of a process to its first step."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(STEP)]
    if not lines:
        raise SystemExit(done.stdout + done.stderr)
    return float(lines[0].removeprefix(STEP)) - began


def renew(directory: Path, head: str = "wise") -> Path:
    """A cell's directory with nothing but its configuration."""
    from wisesr.config.compose import compose_checked  # not above: a cell's process, which this file is too, has no Hydra
    from wisesr.grid.cell_dirs import write_config

    shutil.rmtree(directory, ignore_errors=True)
    write_config(directory, compose_checked([*CELL, f"head={head}"]))
    return directory


def first_steps(folder: Path, rounds: int) -> list[Row]:
    """The cell beside the bare script."""
    import numpy as np

    from wisesr.data.digits import _read

    images, labels = _read()
    np.savez(folder / "batch.npz", images=images[:32], labels=labels[:32].astype(np.int64))
    (folder / "bare.py").write_text(BARE)
    cell, bare = [], []
    for number in range(rounds + 1):  # the first reads files from the disk
        directory = renew(folder / "cell")
        cell.append(to_first_step(str(Path(__file__).resolve()), "--cell", str(directory)))
        bare.append(to_first_step(str(folder / "bare.py"), str(folder / "batch.npz")))
        print(f"  round {number}: cell {cell[-1]:.2f} s, bare script {bare[-1]:.2f} s", flush=True)
    seconds, other = statistics.median(cell[1:]), statistics.median(bare[1:])
    ratio = statistics.median(one / two for one, two in zip(cell[1:], bare[1:], strict=True))
    peer = ", ".join(f"{name} {installed_version(name)}" for name in ("torch", "timm", "lightning"))
    note = f"{seconds:.2f} s and {other:.2f} s, median of the ratios of {rounds} turns"
    return [Row("a cell to its first optimizer step", "<= 1.05 x a bare script", f"{ratio:.2f} x", ratio <= 1.05, peer, note)]


def forked(folder: Path, rounds: int) -> list[Row]:
    """Cells and a plan in forks of this process, after `warm_up`."""
    from wisesr.cell import __main__
    from wisesr.cell.warm_up import warm_up
    from wisesr.config.compose import compose_checked
    from wisesr.grid.planning import cell_planner  # noqa: F401

    warm_up()
    beyond, untested = [], []
    for _ in range(rounds + 1):
        directory = renew(folder / "forked")
        sys.argv = ["wisesr.cell", str(directory)]
        whole = in_child(__main__.main)
        record = json.loads((directory / "result.json").read_text())
        beyond.append(whole - record["cost"]["train_seconds"])
        untested.append(whole)
    configs = [compose_checked([*CELL, f"head={head}"]) for head in HEADS]
    plan = statistics.median(in_child(lambda: plan_all(configs)) for _ in range(rounds))
    extra = statistics.median(beyond[1:])
    note = f"of {statistics.median(untested[1:]):.2f} s in all; build, test, timing and record are part of it"
    return [
        Row("a further toy cell beyond its training, forked, logger=csv", "<= 1.0 s", f"{extra:.2f} s", extra <= 1, note=note),
        Row("the plan of 4 toy cells, forked", "<= 4 s", f"{plan:.2f} s", plan <= 4),
    ]


def plan_all(configs: list[dict[str, object]]) -> int:
    """What the planner does with cells."""
    from wisesr.grid.planning.planner import describe_heads, plan_cells

    plans = plan_cells(configs, 0, lambda index, done: None)
    describe_heads(configs, [cost and cost.feature_map for cost, _ in plans])
    return 0


def in_child(work: object) -> float:
    """Seconds of a forked process that does nothing else."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            for stream in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
            os._exit(work())  # type: ignore[operator]
        os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        raise SystemExit("a forked child failed")
    return time.monotonic() - began


def without_torch(folder: Path, rounds: int) -> list[Row]:
    """What a user sees at once."""
    train = [sys.executable, str(ROOT / "train.py")]

    def run(*arguments: str) -> None:
        subprocess.run([*train, *arguments], cwd=folder, capture_output=True)

    found = medians({"--cfg job": lambda: run("--cfg", "job"), "a misspelt name": lambda: run("head=wisse")}, rounds)
    return [Row(name, "< 0.6 s", f"{seconds:.2f} s", seconds < 0.6) for name, seconds in found.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="one turn of each, to see that it runs")
    parser.add_argument("--to", type=Path, help="write the rows here")
    parser.add_argument("--cell", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.cell is not None:
        run_to_first_step(given.cell)
        return
    keep_nothing()
    rounds = 1 if given.quick else given.rounds
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rows = [*without_torch(place, rounds), *first_steps(place, rounds), *forked(place, rounds)]
    write_rows(given.to, rows)


if __name__ == "__main__":
    main()
