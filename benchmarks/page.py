"""All benchmarks in turn, each in a process of its own, and docs/benchmarks.md of what they found: `make bench`.

    python benchmarks/page.py                          # about an hour and a half on 2 cores; nothing else should run
    python benchmarks/page.py --only step heads        # these two anew, the page of them and of what was measured before
    python benchmarks/page.py --quick                  # a rehearsal, some minutes: figures that mean nothing
    python benchmarks/page.py --keep                   # whatever was measured before is not measured again

Each script leaves build/bench/NAME.json and NAME.log. One that fails leaves its last line on the page, and the others go on.
What stands on the page below the line `<!-- by hand -->` is written by people, and is kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
if not __package__:
    sys.path[0] = str(ROOT)  # in place of this folder: `grid` and `report` are no names to import

from benchmarks.measured import read_found  # noqa: E402
from benchmarks.page_text import Section, page_text  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
FOUND = ROOT / "build" / "bench"


class Script(NamedTuple):
    """A script of this folder that writes rows."""

    name: str
    title: str
    minutes: float
    """On 2 cores, where no earlier run tells."""


SCRIPTS = (
    Script("heads", "Heads in both memory layouts", 8),
    Script("step", "A training step", 10),
    Script("logging_cost", "What loggers cost", 8),
    Script("loader", "The loader", 10),
    Script("cached", "Pictures decoded once", 6),
    Script("warp", "The warp of augment=paper", 2),
    Script("paper_pixels", "The pixels of augment=paper", 5),
    Script("memory_layout", "Memory layouts of whole models", 3),
    Script("memory", "Memory of a cell", 8),
    Script("manifest_pages", "Pages of a manifest", 2),
    Script("rows", "Rows that are kept", 2),
    Script("startup", "From the command to the first step", 6),
    Script("warm", "Cells of a grid: forked or spawned", 20),
    Script("busy", "A busy machine", 10),
    Script("report", "A report of 1,000 cells", 2),
    Script("timm_train", "Beside timm's train script", 8),
)
"""In this order: what counts microseconds first, then seconds of whole processes."""
NEED_PHOTOGRAPHS = {"timm_train": "timm's train.py and photographs", "cached": "photographs"}
BY_HAND = ("gpu", "grid", "levels", "listing", "maps", "predict")
"""Scripts that take long, or a card: whoever runs one writes its figures below the line."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[script.name for script in SCRIPTS])
    parser.add_argument("--quick", action="store_true", help="a rehearsal: few rounds, and no page below docs/")
    parser.add_argument("--keep", action="store_true", help="measure only what has no file in build/bench")
    parser.add_argument(
        "--timm",
        nargs=2,
        type=Path,
        metavar=("SCRIPT", "IMAGES"),
        help="train.py of a checkout of timm's repository, and photographs, which the loader's benchmarks take, too",
    )
    chosen = parser.parse_args()
    folder = FOUND / "quick" if chosen.quick else FOUND
    folder.mkdir(parents=True, exist_ok=True)
    to_run = [script for script in SCRIPTS if is_wanted(script, folder, chosen)]
    failed = []
    for number, script in enumerate(to_run, start=1):
        minutes = expected_minutes(script, folder, quick=chosen.quick)
        print(f"\n[{number}/{len(to_run)}] {script.name}: {script.title}, about {minutes:.0f} minutes", flush=True)
        if code := run(script, folder, options_of(script, chosen)):
            failed.append(script.name)
            print(f"{script.name} failed (exit {code}): {folder / script.name}.log", flush=True)
    lost = [] if chosen.quick else without_figures(folder, [*to_run])
    page = folder / "benchmarks.md" if chosen.quick or lost else PAGE
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    page.write_text(page_text([section_of(script, folder) for script in SCRIPTS if is_there(script)], before), encoding="utf-8")
    print(f"\nwritten: {page}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    if lost:
        print(f"docs/benchmarks.md stays as it is, as it would lose its figures of {', '.join(lost)}: build/bench has none")
    return 1 if failed else 0


def is_wanted(script: Script, folder: Path, chosen: argparse.Namespace) -> bool:
    if chosen.only and script.name not in chosen.only:
        return False
    if not is_there(script):
        print(f"{script.name}: there is no benchmarks/{script.name}.py")
        return False
    if script.name in NEED_PHOTOGRAPHS and chosen.timm is None:
        print(f"{script.name}: left out, as it needs {NEED_PHOTOGRAPHS[script.name]} (--timm SCRIPT IMAGES)")
        return False
    return not (chosen.keep and (folder / f"{script.name}.json").exists())


def is_there(script: Script) -> bool:
    return (ROOT / "benchmarks" / f"{script.name}.py").exists()


def without_figures(folder: Path, run_now: list[Script]) -> list[str]:
    """Scripts of which nothing was measured in this checkout, now or before: their figures on the page are somebody else's."""
    here = {script.name for script in run_now} | {path.stem for path in folder.glob("*.json")} | {*NEED_PHOTOGRAPHS}
    return [s.name for s in SCRIPTS if s.name not in here and is_there(s)]


def options_of(script: Script, chosen: argparse.Namespace) -> list[str]:
    timm, images = map(str, (path.resolve() for path in chosen.timm)) if chosen.timm else ("", "")
    photographs = {name: ["--images", images] for name in ("loader", "cached", "paper_pixels")}
    own = ({"timm_train": [timm, images]} | photographs).get(script.name, []) if chosen.timm else []
    return [*own, *(["--quick"] if chosen.quick else [])]


def run(script: Script, folder: Path, options: list[str]) -> int:
    """Run it; its lines go to the terminal and to a log.

    Returns:
        Its exit code. An older file of rows does not outlive a failure, as it would be taken for this run's.
    """
    found, log = folder / f"{script.name}.json", folder / f"{script.name}.log"
    found.unlink(missing_ok=True)
    path = ROOT / "benchmarks" / f"{script.name}.py"
    command = [sys.executable, "-u", str(path), *options, "--to", str(found)]
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            print(f"  {line}", end="", flush=True)
            file.write(line)
            file.flush()
        code = process.wait()
    if code:
        found.unlink(missing_ok=True)
    return code or (0 if found.exists() else 1)


def expected_minutes(script: Script, folder: Path, *, quick: bool) -> float:
    """As long as the last time, where there was one."""
    found = read_found(folder / f"{script.name}.json")
    return max(1.0, found["minutes"] if found else 1.0 if quick else script.minutes)


def section_of(script: Script, folder: Path) -> Section:
    found: dict[str, Any] | None = read_found(folder / f"{script.name}.json")
    log = folder / f"{script.name}.log"
    failure = None
    if found is None and log.exists():
        lines = [line.strip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
        failure = lines[-1] if lines else "it ended without a word"
    return Section(script.name, script.title, found, failure)


if __name__ == "__main__":
    sys.exit(main())
