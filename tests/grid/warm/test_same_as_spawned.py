"""Forked cells beside cells in a Python of their own: the same numbers, the same surroundings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cells import assert_same
from tests.support.command import train
from tests.support.processes import TOY, assert_whole, cells
from wisesr.results.record_file import read_record

HEAD = '''
"""A head of a user's that looks at the process in which it trains."""
import json, locale, logging, os, random, signal, sys, warnings
from pathlib import Path
import numpy as np
import torch
from wisesr.models.heads.gap import GlobalAverageHead

VARIABLES = {"PATH", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "PYTHONPATH", "CUDA_VISIBLE_DEVICES", "KMP_INIT_AT_FORK"}

def surroundings():
    names = [None, "lightning", "lightning.pytorch", "lightning.fabric", "wandb", "torch"]
    return {
        "filters": sorted({repr(entry) for entry in warnings.filters}),
        "handlers": {str(name): [type(each).__name__ for each in logging.getLogger(name).handlers] for name in names},
        "propagates": {str(name): logging.getLogger(name).propagate for name in names},
        "environment": {name: value for name, value in os.environ.items() if name in VARIABLES},
        "flags": [torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(), torch.get_num_threads()],
        "generator": torch.initial_seed(),
        "locale": [locale.getlocale(), sys.getfilesystemencoding(), sys.stdout.encoding, sys.stdout.errors],
        "signals": [repr(signal.getsignal(getattr(signal, name))) for name in ("SIGHUP", "SIGPIPE", "SIGXFSZ", "SIGCHLD")],
        "mask": sorted(map(str, signal.pthread_sigmask(signal.SIG_BLOCK, []))),
        "path": sys.path,
        "directory": os.getcwd(),
        "main": sys.modules["__main__"].__spec__.name,
        "program": sys.argv[0],
        "leads": os.getsid(0) == os.getpid(),
        "umask": oct(os.umask(0o22)),
    }

class Looking(GlobalAverageHead):
    def __init__(self, feature_shape, num_classes, *, dropout: float):
        super().__init__(feature_shape, num_classes, dropout=dropout)
        drawn = [random.random(), float(np.random.rand())]
        with Path(os.environ["LOOKED"]).open("a") as file:
            file.write(json.dumps([os.readlink("/proc/self/fd/1"), *drawn, surroundings()]) + "\\n")
'''


@pytest.mark.slow
def test_same_numbers_and_surroundings(images: Path, tmp_path: Path) -> None:
    """A forked cell's process is as one of its own; two of one parent draw other numbers from what nobody seeds."""
    (tmp_path / "looking_heads.py").write_text(HEAD)
    (tmp_path / "mine" / "head").mkdir(parents=True)
    (tmp_path / "mine" / "head" / "looking.yaml").write_text("name: looking\n_target_: looking_heads.Looking\ndropout: 0.0\n")
    seen = {}
    for start in ("fork", "spawn"):
        command = ("--config-dir", str(tmp_path / "mine"), "-m", "head=looking,wise", "seed=0,1", *TOY, "recipe.epochs=2")
        looked = tmp_path / f"{start}.jsonl"
        done = train(
            *command,
            *("dataset=folder", f"dataset.root={images}", "dataset.workers=1", "logger=csv"),
            *(f"output_dir={tmp_path / start}", f"grid.start={start}"),
            cwd=tmp_path,
            LOOKED=str(looked),
            PYTHONPATH=str(tmp_path),
        )
        assert done.returncode == 0, done.stdout + done.stderr
        seen[start] = [entry for line in looked.read_text().splitlines() if "log.txt" in (entry := json.loads(line))[0]]
    for one, other in zip(cells(tmp_path / "fork"), cells(tmp_path / "spawn"), strict=True):
        assert_same(one, other)
        assert_whole(one)
        records = [read_record(place) for place in (one, other)]
        assert [record and record.provenance.start for record in records] == ["fork", "spawn"]
    forked, spawned = seen["fork"], seen["spawn"]
    assert len(forked) == len(spawned) == 2
    assert forked[0][1:3] != forked[1][1:3]
    for name, value in spawned[0][3].items():
        assert forked[0][3][name] == value, name
