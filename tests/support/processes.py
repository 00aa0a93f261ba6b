"""Grids in processes of their own, and what there is to see of them from outside."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.support.paths import ROOT

TOY = (
    "backbone=timm",
    "backbone.model=test_efficientnet",
    "resolution.size=32",
    "recipe.batch_size=16",
    "trainer=cpu",
    "trainer.threads=1",
)


def spawn(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """`train.py` in a session of its own, its words in `cwd/terminal.txt`."""
    with (cwd / "terminal.txt").open("a") as terminal:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *arguments],
            cwd=cwd,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def processes_of(folder: Path) -> dict[int, str]:
    """Processes that name the folder on their command line, stand in it, or write into it: cells, workers, wandb's own."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            places = [str((entry / "cwd").readlink())]
            places += [str(link.readlink()) for link in (entry / "fd").iterdir()]
        except OSError:
            continue
        if stat[0] != "Z" and (str(folder) in words or any(place.startswith(str(folder)) for place in places)):
            found[int(entry.name)] = words
    return found


def cells_of(folder: Path) -> list[int]:
    """Processes of cells below a folder, the first of each: forked or in a Python of their own."""
    found = [pid for pid, words in processes_of(folder).items() if "wisesr.cell" in words or _name(pid) == "wisesr.cell"]
    return [pid for pid in found if _group(pid) == pid]


def warm_parents_of(folder: Path) -> list[int]:
    """Processes that cells below a folder are forked from."""
    found = [pid for pid, words in processes_of(folder).items() if "wisesr.grid.warm" in words and _group(pid) == pid]
    return [pid for pid in found if not _name(pid).startswith("wisesr.")]


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _group(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getpgid(pid)
    return 0


def wait_for_silence(folder: Path, seconds: float) -> dict[int, str]:
    """Processes that are left after so many seconds at most."""
    deadline = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def cells(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.rglob("seed-*/config.yaml"))


def epochs_trained(cell: Path) -> Counter[int]:
    """How often the log tells of each epoch; it does so when its checkpoint stands."""
    return Counter(int(number) for number in re.findall(r"epoch (\d+)/\d+: train loss", (cell / "log.txt").read_text()))


def assert_whole(cell: Path) -> None:
    """A record that can be read, nothing half-written, no epoch trained twice."""
    assert json.loads((cell / "result.json").read_text())["status"] == "done"
    assert not list(cell.rglob("*.partial"))
    assert set(epochs_trained(cell).values()) <= {1}, cell


def finish(process: subprocess.Popen[str], terminal: Path) -> None:
    assert process.wait(600) == 0, terminal.read_text(encoding="utf-8")


def wait_until(what: str, check: object, seconds: float = 120.0) -> None:
    assert callable(check)
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.01)
