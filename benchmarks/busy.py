"""A training step on a busy machine: how OpenMP's threads wait decides between 2 and 10 times the idle step.

python benchmarks/busy.py [--size 64] [--threads 2] [--rounds 5] [--quick] [--to FILE]     # about 4 minutes; --quick half a minute

ResNet18 with `gap`, AdamW, batches of 32. For each policy two processes of its own, since libgomp reads its variables once, when
torch is imported; all policies take turns in each round, and who has no turn is stopped (SIGSTOP), as an active wait never ends.

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

from benchmarks.measured import write_rows  # noqa: E402

TODAY = "unset"
NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS", "KMP_BLOCKTIME")
BATCH = 32


def policies(spins: list[int]) -> dict[str, dict[str, str]]:
    """The environment of each policy."""
    counts = {f"GOMP_SPINCOUNT={spin}": {"GOMP_SPINCOUNT": str(spin)} for spin in spins}
    named = {word: {"OMP_WAIT_POLICY": word} for word in ("ACTIVE", "PASSIVE")}
    return {TODAY: {}, **named, **counts}


def work(size: int, threads: int) -> None:
    """A job: for each line on stdin it takes steps, for so many seconds or until the next line, and prints how long each took."""
    import torch
    from torch.nn.functional import cross_entropy

    from wisesr import create_model

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = create_model("resnet18", "gap", 10, size).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters())
    images = torch.randn(BATCH, 3, size, size).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (BATCH,))

    def step() -> None:
        optimizer.zero_grad()
        cross_entropy(model(images), labels).backward()
        optimizer.step()

    step()
    print("ready", flush=True)
    while line := sys.stdin.readline():
        seconds, times, end = float(line), [], time.perf_counter() + float(line)
        while (time.perf_counter() < end or len(times) < 3) if seconds else not select.select([0], [], [], 0)[0]:
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
        if not seconds:
            sys.stdin.readline()
        print(json.dumps(times), flush=True)


class Job:
    """A process that takes steps when told to, stopped in between."""

    def __init__(self, environment: dict[str, str], options: argparse.Namespace) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in NAMES}
        command = [sys.executable, __file__, "--work", "--size", str(options.size), "--threads", str(options.threads)]
        self._process = subprocess.Popen(
            command, env=inherited | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)

    def listen(self) -> str:
        """Its next line; it is stopped from then on."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self._process.send_signal(signal.SIGSTOP)
        return line

    def begin(self, seconds: float = 0.0) -> None:
        """Take steps; without a time until `end`."""
        self._process.send_signal(signal.SIGCONT)
        self._say(f"{seconds}\n")

    def end(self) -> list[float]:
        """Seconds of each of its steps."""
        self._say("\n")
        return list(json.loads(self.listen()))

    def steps(self, seconds: float) -> list[float]:
        """Seconds of each step that it takes in this time."""
        self.begin(seconds)
        return list(json.loads(self.listen()))

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Machine:
    """What other processes took of the cores since it was made: all that /proc/stat counts, less these jobs' own."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs, self._cores, self._began = jobs, len(os.sched_getaffinity(0)), time.monotonic()
        self._before = self._others()

    def _others(self) -> float:
        """Seconds."""
        fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        busy = sum(fields) - fields[3] - fields[4]  # without idle and iowait
        own = 0
        for job in self._jobs:
            own += sum(map(int, Path(f"/proc/{job.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))
        return (busy - own) / os.sysconf("SC_CLK_TCK")

    def taken(self) -> float:
        """Share of the cores."""
        return (self._others() - self._before) / (time.monotonic() - self._began) / self._cores


def measure(options: argparse.Namespace) -> tuple[dict[str, dict[str, list[float]]], dict[str, list[float]]]:
    """Milliseconds of a step by policy and company, the median of each round; and what others took of the cores in each."""
    chosen = policies(options.spins)
    pairs = {}
    for name, environment in chosen.items():
        pairs[name] = (Job(environment, options), Job(environment, options))
        for job in pairs[name]:
            job.listen()
    jobs = [job for pair in pairs.values() for job in pair]
    found: dict[str, dict[str, list[float]]] = {name: {"idle": [], "like": [], "spinner": []} for name in pairs}
    others: dict[str, list[float]] = {name: [] for name in pairs}
    try:
        for _ in range(options.rounds):
            for name, (job, like) in pairs.items():
                machine = Machine(jobs)
                for company, second in (("idle", None), ("like", like), ("spinner", pairs[TODAY][0])):
                    if second is job:  # today's like is a spinner
                        continue
                    if second is not None:
                        second.begin()
                    times = job.steps(options.seconds)
                    if second is not None:
                        second.end()
                    found[name][company].append(1e3 * statistics.median(times))
                others[name].append(machine.taken())
    finally:
        for job in jobs:
            job.kill()
    return found, others


def table(found: dict[str, dict[str, list[float]]], others: dict[str, list[float]]) -> str:
    """A row for each policy: medians over the rounds, as multiples of today's idle step, and minima in milliseconds."""
    base = statistics.median(found[TODAY]["idle"])
    lines = [
        "| policy | idle | beside its like | beside a spinner | fastest of idle, like, spinner, ms | others took |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, times in found.items():
        ratios = [statistics.median(times[company]) / base for company in times]
        fastest = ", ".join(f"{min(times[company]):.0f}" for company in times)
        taken = f"{statistics.median(others[name]):.0%} to {max(others[name]):.0%}"
        lines.append(f"| {name} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + f" | {fastest} | {taken} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--spins", type=int, nargs="+", default=[0, 100, 1000, 3000, 10000, 30000, 100000])
    parser.add_argument("--quick", action="store_true", help="a rehearsal: one round, three policies")
    parser.add_argument("--to", type=Path)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.size, options.threads)
    if options.quick:
        options.rounds, options.seconds, options.spins = 1, 0.5, options.spins[2:3]
    found, others = measure(options)
    for times in found.values():
        times["spinner"] = times["spinner"] or times["like"]
    write_rows(options.to, [], table=table(found, others))


if __name__ == "__main__":
    main()
