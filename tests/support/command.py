"""`train.py` as a user runs it."""

from __future__ import annotations

import io
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

from tests.support.paths import ROOT

TOY = (
    "backbone=timm",
    "backbone.model=test_efficientnet",
    "resolution.size=32",
    "recipe.epochs=1",
    "logger=none",
    "trainer=cpu",
    "trainer.threads=1",
)


def train(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "train.py"), *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "160", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def train_here(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The same file in this process, without the second of imports: for commands that end before anything starts."""
    script = str(ROOT / "train.py")
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setenv("COLUMNS", "160")
        patch.setenv("HYDRA_FULL_ERROR", "")  # so that it is as it was afterwards: `train.py` sets it
        patch.delenv("HYDRA_FULL_ERROR")
        patch.setattr(sys, "argv", [script, *arguments])
        GlobalHydra.instance().clear()
        HydraConfig.instance().cfg = None  # which a test before has left, and a new process has not
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as end:
            code = end.code
        finally:
            GlobalHydra.instance().clear()
    if isinstance(code, str):  # what the interpreter does: https://docs.python.org/3/library/sys.html#sys.exit
        print(code, file=err)
        code = 1
    assert isinstance(code, int)
    return subprocess.CompletedProcess([script, *arguments], code, out.getvalue(), err.getvalue())
