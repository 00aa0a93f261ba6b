"""What reading a kept row costs beside a mapped file's, in time and in memory.

    python benchmarks/rows.py                    # 4,000 decoded images of 224 px, 2 minutes, 1.2 GB of the disk
    python benchmarks/rows.py --rows 20000

Rows of a store (`wisesr.data.rows`), copied one after another in random order into batches of 32, as a loader does; beside them
the same bytes copied from `np.memmap`. The system has both files in memory. Each way in processes of its own that take turns:
how much of the processor's time a row takes when a process goes through all of them for the first time, and afterwards, and by
how much that raised its VmHWM, which a cell's record tells as its peak memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

import numpy as np  # noqa: E402

from benchmarks.measured import Row, write_rows  # noqa: E402
from wisesr.data.rows.store import Kind, Store  # noqa: E402

KIND = Kind("decoded", {"view": "of a benchmark"}, dimensions=3, item=1, text="224 px")
SHAPE = (224, 224, 3)
BYTES, BATCH, PASSES, ROUNDS = 224 * 224 * 3, 32, 4, 5
WAYS = ("store", "mapped")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="200 rows, one round")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    count = 200 if chosen.quick else chosen.rows
    if chosen.one:
        print(json.dumps(go_through(chosen.one[0], Path(chosen.one[1]), count)))
        return
    if not sys.platform.startswith("linux"):
        parser.error("it reads /proc, which only Linux has")
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:  # /tmp may be memory
        write_both(Path(name), count)
        rounds = [{way: in_a_process(way, name, chosen) for way in WAYS} for _ in range(1 if chosen.quick else ROUNDS)]
    write_rows(chosen.to, rows_of(rounds, count * BYTES), table=table_of(rounds, count))


def keys(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 16), dtype=np.uint8)


def write_both(folder: Path, count: int) -> None:
    """The same rows in a store and in a plain file."""
    draw = np.random.default_rng(1)
    with (folder / "plain").open("wb") as plain:

        def make(positions: np.ndarray):  # type: ignore[no-untyped-def]
            for _ in positions:
                row = draw.integers(0, 256, SHAPE, dtype=np.uint8)
                plain.write(row.tobytes())
                yield row

        Store(folder, KIND).extend(keys(count), make, what="writing rows", about={}, row_bytes=BYTES)


def in_a_process(way: str, folder: str, chosen: argparse.Namespace) -> dict[str, float]:
    size = ["--quick"] if chosen.quick else ["--rows", str(chosen.rows)]
    command = [sys.executable, __file__, *size, "--one", way, folder]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def go_through(way: str, folder: Path, count: int) -> dict[str, float]:
    """Microseconds of the processor for a row the first time and afterwards, MiB that the process has had more at its peak."""
    for path in (folder / "plain", *folder.rglob("*.rows")):
        with path.open("rb", buffering=0) as file:
            while file.read(2**24):
                pass
    batch = np.ones((BATCH, *SHAPE), np.uint8)
    copy = {"store": from_store, "mapped": from_mapped}[way](folder, count, batch)
    order = np.random.default_rng(2).permutation(count).tolist()
    before, times = peak(), list[float]()
    for _ in range(PASSES):
        began = time.process_time()
        for number, row in enumerate(order):
            copy(row, number % BATCH)
        times.append((time.process_time() - began) / count * 1e6)
    return {"first": times[0], "again": statistics.median(times[1:]), "MiB": peak() - before}


def from_store(folder: Path, count: int, batch: np.ndarray) -> Callable[[int, int], None]:
    rows = Store(folder, KIND).find(keys(count))
    assert rows is not None

    def copy(row: int, place: int) -> None:
        rows.read(row, batch[place].reshape(-1).data)

    return copy


def from_mapped(folder: Path, count: int, batch: np.ndarray) -> Callable[[int, int], None]:
    mapped = np.memmap(folder / "plain", np.uint8, "r", shape=(count, *SHAPE))

    def copy(row: int, place: int) -> None:
        batch[place] = mapped[row]

    return copy


def peak() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def rows_of(rounds: list[dict[str, dict[str, float]]], size: int) -> list[Row]:
    middle = {
        (way, name): statistics.median(one[way][name] for one in rounds) for way in WAYS for name in ("first", "again", "MiB")
    }
    found = []
    for name, words in (("first", "a process's first time"), ("again", "afterwards")):
        times = middle["store", name] / middle["mapped", name]
        note = f"{middle['store', name]:.0f} us; mapped {middle['mapped', name]:.0f} us"
        peer = f"np.memmap, numpy {np.__version__}"
        found.append(
            Row(f"a kept row of 224 px, {words}, time over a mapped file's", "no bound", f"{times:.2f} x", None, peer, note)
        )
    mine, its = middle["store", "MiB"], middle["mapped", "MiB"]
    target = f"peak memory of a process that reads {size / 1e6:,.0f} MB of kept rows: more by"
    return [*found, Row(target, "<= 16 MiB", f"{mine:.1f} MiB", mine <= 16, f"np.memmap: {its:.0f} MiB")]


def table_of(rounds: list[dict[str, dict[str, float]]], count: int) -> str:
    lines = [f"{count:,} rows of 224 px, microseconds of one, medians of {len(rounds)} processes each (least to most):", ""]
    lines += ["| rows | first time | afterwards | VmHWM, MiB more |", "| --- | ---: | ---: | ---: |"]
    for way, text in zip(WAYS, ("of a store: pread, and a checksum the first time", "of a mapped file"), strict=True):
        cells = []
        for name in ("first", "again", "MiB"):
            values = sorted(one[way][name] for one in rounds)
            cells.append(f"{statistics.median(values):.0f} ({values[0]:.0f} to {values[-1]:.0f})")
        lines.append(f"| {text} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
