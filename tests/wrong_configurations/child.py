"""A wrong command in a process of its own, and what that took; a torch that ends it shows what imports torch."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT
from tests.wrong_configurations.case import Case
from tests.wrong_configurations.generator import lay_out
from tests.wrong_configurations.oracle import faults, written

_NO_TORCH = "import os\nos.write(2, b'imports torch\\n')\nos._exit(77)\n"
_TIMEOUT = 120
IMPORTS = "import hydra, wisesr.train, wisesr.grid.run_grid"
"""What every command imports that comes as far as cells."""


class Ended(NamedTuple):
    """How a command went."""

    faults: list[str]
    output: str
    seconds: float
    """From start to end, by the clock."""
    cpu: float
    """Seconds of a core."""


def run_child(case: Case, folder: Path) -> Ended:
    """Type a case in a folder of its own."""
    place, parts = folder / "work", folder / "parts"
    place.mkdir(parents=True)
    before = lay_out(case, place)
    if not case.needs_torch:
        (parts / "torch").mkdir(parents=True)
        (parts / "torch" / "__init__.py").write_text(_NO_TORCH)
    code, output, seconds, cpu = _timed([str(ROOT / "train.py"), *case.arguments], place, [parts, ROOT], folder)
    found = list(faults(case, code, output))
    if not case.needs_torch:
        found += [f"writes {name}" for name in written(before, place)]
    return Ended(found, output, seconds, cpu)


def cpu_of_imports(folder: Path) -> float:
    """Seconds of a core for the imports alone: what a machine makes of all other times."""
    return min(_timed(["-c", IMPORTS], folder, [ROOT], folder)[3] for _ in range(3))


def _timed(arguments: list[str], place: Path, paths: list[Path], home: Path) -> tuple[int, str, float, float]:
    environment = {**os.environ, "COLUMNS": "120", "PYTHONPATH": os.pathsep.join(map(str, paths)), "WANDB_MODE": "offline"}
    environment |= {"WISESR_CACHE": str(home / "cache"), "PYTHONDONTWRITEBYTECODE": ""}
    began = time.monotonic()
    with (home / "output").open("w+b") as sink:
        words = [sys.executable, *arguments]
        process = subprocess.Popen(words, cwd=place, env=environment, stdout=sink, stderr=sink, start_new_session=True)
        while (found := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            time.sleep(0.005)
            if time.monotonic() - began > _TIMEOUT:
                os.killpg(process.pid, signal.SIGKILL)
        seconds = time.monotonic() - began
        _, status, usage = found
        process.returncode = os.waitstatus_to_exitcode(status)
        sink.seek(0)
        output = sink.read().decode("utf-8", "replace")
    return process.returncode, output, seconds, usage.ru_utime + usage.ru_stime
