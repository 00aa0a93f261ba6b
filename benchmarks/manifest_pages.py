"""Ten cells share the pages of a large folder's manifest.

    python benchmarks/manifest_pages.py                    # 50,000 files, 2 minutes
    python benchmarks/manifest_pages.py --files 200000

Ten processes fork from one that has imported what lists a folder, as cells do from a warm parent. Each makes its manifest and
looks at all of it, and while all hold it, /proc/self/smaps tells what each has alone and what in common. Beside it the same
arrays read into each process, as they were before, and torchvision's ImageFolder, a Python object or two for each file.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

from benchmarks.measured import Row, write_rows  # noqa: E402

CELLS, FOLDERS = 10, 100


def many_files(root: Path, files: int) -> None:
    """Tiny JPEGs in folders of classes, no two alike."""
    from PIL import Image

    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "JPEG")
    for label in range(FOLDERS):
        (root / f"n{label:08d}").mkdir(parents=True)
        for index in range(files // FOLDERS):
            (root / f"n{label:08d}" / f"n{label:08d}_{index:05d}.JPEG").write_bytes(
                content.getvalue() + b"%d %d" % (label, index)
            )


def private() -> float:
    """MiB of this process that it shares with no other."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def in_ten(make: Callable[[], Any]) -> dict[str, float]:
    """What each of ten forked processes has besides what it began with, the mean in MiB, while all of them hold it."""
    fork = multiprocessing.get_context("fork")
    ready, asked, answers = fork.Barrier(CELLS), fork.Barrier(CELLS), fork.Queue()

    def work() -> None:
        began = private()
        held = make()
        ready.wait()
        file, part = shared_pages()
        found = {"Private": private() - began, "file": file, "file part": part}
        asked.wait()
        answers.put(found)
        del held

    processes = [fork.Process(target=work) for _ in range(CELLS)]
    for process in processes:
        process.start()
    found = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return {name: statistics.mean(one[name] for one in found) for name in found[0]}


def shared_pages() -> tuple[float, float]:
    """MiB of the kept manifest's file that this process has mapped, and its part of them where others have, too."""
    resident = part = 0.0
    ours = False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if "-" in name.split()[0]:
            ours = line.endswith(".npz")
        elif ours and name in ("Rss", "Pss"):
            size = int(value.split()[0]) / 1024
            resident, part = (resident + size, part) if name == "Rss" else (resident, part + size)
    return resident, part


def manifests(place: Path, files: int) -> tuple[list[Row], str]:
    """Ten processes that hold the same folder's manifest: mapped, as it is; read, as it was; and torchvision's list."""
    from torchvision.datasets import ImageFolder

    from wisesr.build.data import build_manifest
    from wisesr.config.compose import compose_checked
    from wisesr.data import mapped_arrays

    os.environ["WISESR_CACHE"] = str(place / "kept")
    root = place / "many"
    many_files(root, files)
    config = compose_checked(["dataset=folder", f"dataset.root={root}", "trainer=cpu", "resolution.size=32"])
    build_manifest(config)  # kept from here on

    def as_it_is() -> Any:
        made = build_manifest(config)
        made.fingerprint()
        return made

    def as_it_was() -> Any:
        mapped_arrays.is_on_own_disk = lambda path: False  # in a forked process alone
        return as_it_is()

    ways = {"manifest, mapped": as_it_is, "manifest, read": as_it_was, "ImageFolder": lambda: ImageFolder(str(root))}
    found = {name: in_ten(make) for name, make in ways.items()}
    lines = [f"Ten processes on {files:,} files, MiB that each has besides what it forked with:", ""]
    lines += ["| list | private | of the kept file in memory | its part of that |", "| --- | ---: | ---: | ---: |"]
    for name, own in found.items():
        lines.append(f"| {name} | {own['Private']:.1f} | {own['file']:.2f} | {own['file part']:.2f} |")
    own = found["manifest, mapped"]
    times = CELLS * own["file part"] / own["file"] if own["file"] else float(CELLS)
    target = f"ten cells on {files:,} files: pages of the manifest in memory, over one cell's"
    return [Row(target, "<= 1.1 x", f"{times:.2f} x", times <= 1.1, "read by each: 10 x")], "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--to", type=Path, help="JSON of the rows")
    parser.add_argument("--quick", action="store_true", help="2,000 files")
    chosen = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("it reads /proc, which only Linux has")
    with tempfile.TemporaryDirectory() as name:
        rows, table = manifests(Path(name), 2000 if chosen.quick else chosen.files)
    write_rows(chosen.to, rows, table=table)


if __name__ == "__main__":
    main()
