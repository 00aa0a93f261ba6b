"""The planner's own Python says what it ends of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT


def test_an_error_is_the_last_word_while_the_grid_still_listens(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch for this processor')")
    process = subprocess.Popen(
        [sys.executable, "-m", "wisesr.grid.planning.planner"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process, process.stdin as question:
        question.write(b'{"cells": [], "gpus": 0}\n')
        question.flush()  # and the pipe stays open
        assert process.stderr.read().decode().splitlines()[-1] == "ImportError: no torch for this processor"
        assert process.wait() == 1
