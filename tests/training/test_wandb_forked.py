"""W&B in a process that is forked from one which has imported it: what a warm parent of cells does."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wandb
from wandb.sdk.artifacts.artifact import Artifact
from wandb.sdk.data_types._private import MEDIA_TMP

from tests.support.paths import ROOT
from tests.support.runs import NOTHING, ROWS, history, logger, records
from wisesr.config.options import load_option, options
from wisesr.results.kernels import summarize
from wisesr.training.loggers.ahead import make_folders, remove_folders, wants_wandb
from wisesr.training.loggers.base import Run

PARENT = """
import atexit, os, sys
from pathlib import Path
from wisesr.training.loggers.ahead import _folders, import_wandb, make_folders, remove_folders
import_wandb()
assert "torch" not in sys.modules, "what wandb imports later takes five times as long after torch"
import numpy as np
from tests.support.runs import NOTHING, ROWS, logger
from wisesr.results.kernels import summarize
from wisesr.training.loggers.base import Run

def child(folder):
    imported = set(sys.modules)
    own = logger(Run(folder, "n", "s", (), {"seed": 0}))
    own.start([])
    told = own._wandb.settings
    assert told.x_stats_pid == os.getpid(), "whose memory and CPU W&B shows"
    assert told.program == "-m wisesr.cell", "the command that W&B shows, whatever the parent's is"
    for row in ROWS:
        own.kernel(int(row["epoch"]), summarize(np.eye(3, dtype=np.float32)[None]))
        own.epoch(row, [])
    own.finish({"best/test/top1": 0.5}, NOTHING)
    late = {name.split(".")[0] for name in set(sys.modules) - imported if name.startswith(("wandb.", "pandas", "pydantic"))}
    assert not late, late

remove_folders()
for name in sys.argv[1:]:
    assert len(_folders()) == 2 and not any(map(Path.exists, _folders())), "a parent that is killed leaves none"
    assert len(os.listdir("/proc/self/task")) == 1, "a thread would be missing in the child"
    assert "WANDB_SERVICE" not in os.environ, "children would share it"
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            make_folders()
            child(Path(name))
            atexit._run_exitfuncs()
            code = 0
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


def told(folder: Path) -> list[dict[str, Any]]:
    """Rows of the one run of a cell, without times and without names of files, which are hashes."""
    (file,) = folder.glob("wandb/offline-run-*/*.wandb")
    assert [record.exit.exit_code for record in records(file) if record.HasField("exit")] == [0]
    return [{key: value for key, value in row.items() if key not in ("_timestamp", "_runtime")} for row in history(file)]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_forks_one_after_the_other_say_what_a_process_of_its_own_says(tmp_path: Path, run: Run) -> None:
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    command = [sys.executable, "-c", PARENT, *map(str, folders)]
    alone = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
    }  # numpy's OpenBLAS starts threads of its own otherwise, and stops them to fork
    done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    here = logger(run)
    here.start([])
    for row in ROWS:
        here.kernel(int(row["epoch"]), summarize(np.eye(3, dtype=np.float32)[None]))
        here.epoch(row, [])
    here.finish({"best/test/top1": 0.5}, NOTHING)
    assert told(folders[0]) == told(folders[1]) == told(run.directory)


def test_pictures_and_tables_need_no_pandas(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)  # importing it fails
    writer = logger(run)
    with caplog.at_level(logging.WARNING):
        writer.start([])
        writer.kernel(1, summarize(np.ones((2, 3, 3), np.float32)))
        writer.epoch(ROWS[0], [])
        writer.finish({}, NOTHING)
    assert not caplog.records
    (row,) = [row for row in told(run.directory) if "epoch" in row]
    assert row["kernel/picture/path"].startswith("media/images/")


def test_a_data_frame_is_known_by_the_name_of_its_type() -> None:
    frame = type("DataFrame", (), {"__module__": "pandas.core.frame"})
    assert wandb.util.is_pandas_data_frame(frame())
    assert not wandb.util.is_pandas_data_frame([frame()])


def test_a_child_has_the_folders_that_its_parent_has_removed() -> None:
    folders = [Path(MEDIA_TMP.name), Path(Artifact._TMP_DIR.name)]
    remove_folders()
    assert not any(folder.exists() for folder in folders)
    for _ in range(2):
        make_folders()
        assert [folder.stat().st_mode & 0o777 for folder in folders] == [0o700] * 2


def test_who_wants_wandb() -> None:
    assert [name for name in options("logger") if wants_wandb(load_option("logger", name))] == ["wandb"]
    assert not wants_wandb({"mine": {"_target_": "lightning.pytorch.loggers.WandbLogger"}})


def test_other_loggers_do_without_wandb_and_torch() -> None:
    code = """
import json, sys
import wisesr.training.loggers.ahead, wisesr.training.loggers.guarded, wisesr.training.loggers.steps
print(json.dumps([name for name in ("wandb", "torch", "pandas") if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []
