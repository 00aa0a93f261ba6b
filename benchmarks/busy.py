"""With `grid.wait=auto` a training step takes at most 3 times as long beside a second job, and alone at most 1.1 times today's.

python benchmarks/busy.py [--size 64] [--threads 2] [--rounds 5] [--spins 100 3000 ...] [--to FILE]  # 3 minutes, 7 GB of memory
python benchmarks/busy.py --quick                                                                    # 45 seconds

ResNet18 with `gap`, AdamW, batches of 32. For each policy two processes of its own, since libgomp reads its variables once, as
it is loaded; all policies take turns in each round, and who has no turn is stopped, since threads may wait longer than a turn.

- idle: one job alone.
- beside its like: a second job of the same threads and the same policy on the same cores.
- beside a spinner: a second job with today's environment, as somebody else's PyTorch.

The machine must be idle for this to mean anything: what other processes take meanwhile (/proc/stat) stands in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder

from benchmarks.measured import Row, write_rows  # noqa: E402
from wisesr.cell.wait import VARIABLES, wait_variables  # noqa: E402

TODAY, AUTO = "nothing set", "grid.wait=auto"
COMPANY = {"idle": "alone", "like": "beside a second job like it", "spinner": "beside a second job of today's"}
BATCH = 32
_QUIET = 0.1
"""Share of the cores that others may take."""
Times = dict[str, dict[str, list[float]]]
"""Milliseconds of a step by policy and company, the median of each round."""


def policies(spins: list[int]) -> dict[str, dict[str, str]]:
    """The environment of each policy. With nothing set libgomp does what `grid.wait=spin` asks of it."""
    ours = {f"grid.wait={policy}": wait_variables(policy, {}) for policy in ("auto", "passive")}
    counts = {f"GOMP_SPINCOUNT={spin}": {"GOMP_SPINCOUNT": str(spin)} for spin in spins}
    return {TODAY: {}, **ours, **counts}


def work(size: int, threads: int) -> None:
    """Print how long each step takes between a line on stdin and the next, three steps at least."""
    import torch
    from torch.nn.functional import cross_entropy

    from wisesr import create_model

    torch.set_num_threads(threads)
    model = create_model("resnet18", "gap", 10, size).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters())
    images = torch.randn(BATCH, 3, size, size).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (BATCH,))
    print("[]", flush=True)
    while os.read(0, 1):
        times: list[float] = []
        while len(times) < 4 or not select.select([0], [], [], 0)[0]:
            start = time.perf_counter()
            optimizer.zero_grad()
            cross_entropy(model(images), labels).backward()
            optimizer.step()
            times.append(time.perf_counter() - start)
        os.read(0, 1)
        print(json.dumps(times[1:]), flush=True)


class Job:
    """A process that takes steps between `begin` and `end`, and is stopped otherwise."""

    def __init__(self, variables: dict[str, str], options: argparse.Namespace) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in (*VARIABLES, "OMP_NUM_THREADS")}
        command = [sys.executable, __file__, "--work", "--size", str(options.size), "--threads", str(options.threads)]
        self.process = subprocess.Popen(command, env=inherited | variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def begin(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self._say()

    def end(self) -> float:
        """The median of its steps in milliseconds."""
        self._say()
        return 1e3 * statistics.median(self.listen())

    def listen(self) -> list[float]:
        """What it says next; it is stopped from then on."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.process.send_signal(signal.SIGSTOP)
        return list(json.loads(line))

    def _say(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b".")
        self.process.stdin.flush()


def seconds_of_others(jobs: list[Job]) -> float:
    """What all processes but these have taken of the cores so far."""
    user, nice, system, _, _, *interrupts = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    stats = [Path(f"/proc/{job.process.pid}/stat").read_text().rsplit(")", 1)[1].split() for job in jobs]
    own = sum(int(fields[11]) + int(fields[12]) for fields in stats)
    return (user + nice + system + sum(interrupts) - own) / os.sysconf("SC_CLK_TCK")


def measure(options: argparse.Namespace) -> tuple[Times, dict[str, list[float]]]:
    """The steps, and the share of the cores that others took while each policy had its turn."""
    pairs = {name: (Job(variables, options), Job(variables, options)) for name, variables in policies(options.spins).items()}
    jobs = [job for pair in pairs.values() for job in pair]
    found: Times = {name: {company: [] for company in COMPANY} for name in pairs}
    others: dict[str, list[float]] = {name: [] for name in pairs}
    try:
        for job in jobs:
            job.listen()
        for _ in range(options.rounds):
            for name, (job, like) in pairs.items():
                before, began = seconds_of_others(jobs), time.monotonic()
                for company, second in (("idle", []), ("like", [like]), ("spinner", [pairs[TODAY][1]])):
                    for each in (*second, job):
                        each.begin()
                    time.sleep(options.seconds)
                    found[name][company].append(job.end())
                    for each in second:
                        each.end()
                taken = (seconds_of_others(jobs) - before) / (time.monotonic() - began) / (os.cpu_count() or 1)
                others[name].append(taken)
    finally:
        for job in jobs:
            job.process.kill()
            job.process.wait()
    return found, others


def table(found: Times, others: dict[str, list[float]]) -> str:
    """A row for each policy: multiples of today's idle step of the same round, and the fastest in milliseconds."""
    head = ["policy", *COMPANY.values(), "fastest of these, ms", "others took"]
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    for name, times in found.items():
        ratios = [f"{ratio(found, name, company):.2f}" for company in COMPANY]
        fastest = ", ".join(f"{min(times[company]):.0f}" for company in COMPANY)
        lines.append(" | ".join([name, *ratios, fastest, f"{min(others[name]):.0%} to {max(others[name]):.0%}"]))
    return "\n".join(f"| {line} |" for line in lines)


def ratio(found: Times, name: str, company: str) -> float:
    """Over today's idle step, the median of the rounds."""
    pairs = zip(found[name][company], found[TODAY]["idle"], strict=True)
    return statistics.median(time / idle for time, idle in pairs)


def rows(found: Times, others: dict[str, list[float]], options: argparse.Namespace) -> list[Row]:
    """The targets; on a machine that others use, figures without a verdict."""
    step = f"ResNet18 step, {options.size} px, {options.threads} threads on {os.cpu_count()} cores, {AUTO}"
    taken = statistics.median(share for shares in others.values() for share in shares)
    quiet = taken <= _QUIET
    made = []
    for company, bound in (("idle", 1.10), ("like", 3.0), ("spinner", 3.0)):
        target, figure = f"{step}: {COMPANY[company]}, over today's idle step", ratio(found, AUTO, company)
        note = f"today {ratio(found, TODAY, company):.2f} x; other processes took {taken:.0%} of the cores"
        note += "" if quiet else ", too much to hold anything against it"
        made.append(Row(target, f"<= {bound:g} x", f"{figure:.2f} x", figure <= bound if quiet else None, "", note))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn, three steps at least")
    parser.add_argument("--spins", type=int, nargs="*", default=[3000, 10000], help="further policies: GOMP_SPINCOUNT")
    parser.add_argument("--quick", action="store_true", help="a rehearsal: one short round")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.size, options.threads)
        return
    if options.quick:
        options.rounds, options.seconds, options.spins = 1, 0.5, []
    found, others = measure(options)
    write_rows(options.to, rows(found, others, options), table=table(found, others))


if __name__ == "__main__":
    main()
