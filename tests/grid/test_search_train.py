"""Searches as a user runs them, in processes of their own: cells are trained, killed, and not trained again."""

from __future__ import annotations

import json
import re
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.command import TOY, train
from tests.support.processes import spawn
from wisesr.results.record_file import read_record

pytestmark = pytest.mark.slow

SWEEPER = '''
import json
from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper


class ThreeSweeper(Sweeper):
    """Tries a few values two at a time, and writes down what came back."""

    def __init__(self, direction, values):
        self.values = values

    def setup(self, *, hydra_context, task_function, config):
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments):
        found = {}
        for start in range(0, len(self.values), 2):
            batch = self.values[start : start + 2]
            jobs = self.launcher.launch([[*arguments, f"head.dropout={value}"] for value in batch], initial_job_idx=start)
            for value, job in zip(batch, jobs):
                try:
                    found[value] = job.return_value
                except Exception as error:
                    found[value] = str(error)
        Path("found.json").write_text(json.dumps(found))


ConfigStore.instance().store(
    group="hydra/sweeper",
    name="three",
    node={"_target_": "hydra_plugins.three.ThreeSweeper", "direction": "maximize", "values": [0.5, 1.0, 0.0, 0.25]},
)
'''


def test_a_sweeper_gets_the_figures_of_its_cells(images: Path, tmp_path: Path) -> None:
    """And an exception for the cell that failed, after which it goes on. A launcher of somebody else's gives it the same."""
    (tmp_path / "hydra_plugins").mkdir()
    (tmp_path / "hydra_plugins" / "three.py").write_text(SWEEPER)
    data = ("dataset=folder", f"dataset.root={images}")
    arguments = ("-m", "hydra/sweeper=three", "head=gap", "grid.slots=2", *TOY, *data)
    told = train(*arguments, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""
    found = json.loads((tmp_path / "found.json").read_text())
    records = [record for path in tmp_path.glob("outputs/*/*/*/*") if (record := read_record(path))]
    assert {str(record.config["head"]["dropout"]): record.best.val_top1 for record in records} == {
        value: found[value] for value in ("0.5", "0.0", "0.25")
    }
    assert "head.dropout must be at least 0 and below 1" in found["1.0"]
    told_of = [line.partition(": ")[0] for line in told.stdout.splitlines() if line.startswith("trial")]
    assert told_of == ["trial 1", "trial 2", "trial 3", "trial 4"]
    assert told.stdout.count("data: ") == 1 and told.stdout.count("2 cells at a time") == 1, "each batch is one grid, said once"
    assert {path.name for path in tmp_path.iterdir()} == {"outputs", "hydra_plugins", "found.json"}
    (tmp_path / "found.json").unlink()
    elsewhere = train(*arguments, "hydra/launcher=joblib", "hydra.launcher.n_jobs=1", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert json.loads((tmp_path / "found.json").read_text()) == {**found, "1.0": "the cell is not done"}, elsewhere.stderr


@pytest.mark.skipif(find_spec("hydra_plugins.hydra_optuna_sweeper") is None, reason="the extra optuna is not installed")
def test_optuna_goes_on_after_ctrl_c(images: Path, tmp_path: Path) -> None:
    arguments = ("-m", "hydra/sweeper=search", "hydra.sweeper.n_trials=4", "head=gap,wise", "head.dropout=interval(0,0.5)")
    arguments += (*TOY, "dataset=folder", f"dataset.root={images}")
    process = spawn(*arguments, cwd=tmp_path)
    while "trial 2 of 4" not in (tmp_path / "terminal.txt").read_text():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    assert "Interrupted. The same command continues" in (tmp_path / "terminal.txt").read_text()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")}
    assert len(before) >= 2
    told = train(*arguments, cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stderr == ""
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")}
    assert len(after) == 4 and before.items() <= after.items(), "none is trained again, and there is no fifth"
    trials = re.findall(r"^trial \d of 4: (.*): val top-1 (\S+) %(, done before)?", told.stdout, re.MULTILINE)
    assert [bool(done) for *_, done in trials] == [True] * len(before) + [False] * (4 - len(before))
    best = max(record.best.val_top1 for path in after if (record := read_record(path.parent)))
    assert f"val top-1 {100 * best:.2f} %" in told.stdout.splitlines()[-3]
    saved = (tmp_path / "outputs" / "default" / "optimization_results.yaml").read_text()
    assert float(re.findall(r"best_value: (\S+)", saved)[0]) == best
    again = train(*arguments, cwd=tmp_path)
    assert again.stdout.count("done before") == 4
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("result.json")} == after
