"""What a benchmark found, a row for each target, as `make bench` puts them together in docs/benchmarks.md."""

from __future__ import annotations

import atexit
import json
import os
import platform
import shlex
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from wisesr.results.atomic_files import read_json
from wisesr.results.provenance import commit, hardware, versions

_BEGAN = time.time()
_KEYS = {"command", "rows", "table", "date", "minutes", "commit", "machine", "versions"}


class Row(NamedTuple):
    """One target and what was measured."""

    target: str
    """What is held against what, in words: `a toy step over the bare loop's, csv`."""
    bound: str
    """As the target says it: `<= 2.0 ms`, `>= 1.0 x`."""
    figure: str
    """As measured, in the same unit: `1.7 ms`."""
    met: bool | None
    """Whether the figure keeps the bound; None where there is none."""
    peer: str = ""
    """What it was run beside, with its version."""
    note: str = ""
    """Conditions, and where the bound is missed the reason that profiling found."""


def write_rows(path: Path | None, rows: Sequence[Row], *, table: str = "", arguments: Sequence[str] = ()) -> None:
    """Print the rows, and keep them for the page where a path is given.

    Args:
        path: of a JSON file; None to print only.
        rows: of this script.
        table: Markdown that stands below them on the page.
        arguments: without which the script does not run, for the command on the page.
    """
    for row in rows:
        verdict = {True: "met", False: "MISSED", None: ""}[row.met]
        print(f"{row.target}: {row.figure} ({row.bound}) {verdict}  {row.note}".rstrip())
    if table:
        print(f"\n{table}")
    if path is not None:
        script = Path(getattr(sys.modules["__main__"], "__file__", sys.argv[0])).name  # sys.argv may be that of a forked cell
        command = shlex.join(["python", f"benchmarks/{script}", *arguments])
        found = {"command": command, "rows": [row._asdict() for row in rows], "table": table, **conditions()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def keep_nothing() -> None:
    """What this process and its children keep (lists of images, decoded images, maps) goes into a folder that ends with it.

    So a measurement finds nothing that was computed before it, and leaves nothing behind.
    """
    place, owner = tempfile.mkdtemp(prefix="wisesr-benchmark-"), os.getpid()
    os.environ["WISESR_CACHE"] = place

    def forget() -> None:
        if os.getpid() == owner:  # and not in a child that was forked from it
            shutil.rmtree(place, ignore_errors=True)

    atexit.register(forget)


def conditions() -> dict[str, Any]:
    """When, how long, of which commit, and on what this process has measured."""
    head = commit() or ""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "minutes": (time.time() - _BEGAN) / 60,
        "commit": head[:7] + ("-dirty" if head.endswith("-dirty") else ""),
        "machine": machine(),
        "versions": {name: number for name, number in versions().items() if number},
    }


def machine() -> str:
    """Processor, cores, memory and system in words."""
    parts = [f"{os.cpu_count()} virtual cores of {hardware('cpu')['cpu']}"]
    with suppress(OSError, ValueError):
        parts.append(f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory")
    return ", ".join([*parts, f"{platform.system()} {platform.release()}"])


def read_found(path: Path) -> dict[str, Any] | None:
    """What a script has written with `write_rows`; None where there is nothing, or the file of an older version."""
    found = read_json(path)
    return found if isinstance(found, dict) and found.keys() >= _KEYS else None


def medians(
    calls: Mapping[str, Callable[[], Any]], rounds: int, *, warm_up: int = 1, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Seconds of each call, the median over rounds in which all take turns, so that a busy machine disturbs all alike.

    With `clock=time.process_time` seconds of the processor: what one thread would take with a core to itself.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm_up + rounds):
        for name, call in calls.items():
            start = clock()
            call()
            if number >= warm_up:
                taken[name].append(clock() - start)
    return {name: statistics.median(times) for name, times in taken.items()}
