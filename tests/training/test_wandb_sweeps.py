"""Sweeps with the real `wandb sweep` and `wandb agent`, and what an agent starts, against a server on localhost.

The server (`fake_sweeps.py`) chooses as W&B's open source does. What wandb.ai itself makes of the same requests is not
tested.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.doc_blocks import blocks
from tests.support.fake_sweeps import SweepServer
from tests.support.fake_wandb import FakeRun, environment
from tests.support.paths import ROOT
from tests.support.runs import records
from wisesr.results.atomic_files import read_json
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import load_record
from wisesr.results.status_file import read_status

pytestmark = pytest.mark.slow

TOY = ("backbone=timm", "backbone.model=test_resnet", "resolution.size=32", "trainer=cpu", "trainer.threads=1")
(PAGE,) = [block.code for block in blocks(ROOT / "docs" / "wandb.md") if block.kind == "yaml"]


@pytest.fixture
def server() -> Iterator[SweepServer]:
    with SweepServer() as fake:
        yield fake


def variables(url: str, **more: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ours = {"PATH": path, "PYTHONPATH": str(ROOT), "WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "1", "COLUMNS": "200"}
    return environment(url, **(ours | more))


def wandb(url: str, home: Path, *words: str) -> str:
    """Run `wandb`, which ends well; what it prints."""
    command = [sys.executable, "-m", "wandb", *words]
    done = subprocess.run(command, cwd=home, env=variables(url), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def of_agent(run: str, **more: str) -> dict[str, str]:
    return {"WANDB_RUN_ID": run, "WANDB_SWEEP_ID": "sweep0", "WANDB_PROJECT": "sweeps", **more}


def train(url: str, home: Path, *words: str, **more: str) -> subprocess.Popen[str]:
    """`train.py` as an agent starts it, in a group of its own."""
    command = [sys.executable, str(ROOT / "train.py"), *TOY, "logger=wandb", *words]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=home, env=variables(url, **more), text=True, start_new_session=True, **pipes)


def only_cell(home: Path, pattern: str = "*") -> Path:
    (cell,) = home.glob(f"outputs/*/*/{pattern}/seed-*")
    return cell


def require_whole(run: FakeRun, cell: Path) -> None:
    """Every epoch of a finished cell once, in order, and its final figures."""
    record = load_record(cell)
    assert record is not None
    rows = [row for row in run.history if "epoch" in row]
    assert [row["_step"] for row in rows] == [row["step"] for row in read_metrics(cell)]
    assert [row["val/top1"] for row in rows] == pytest.approx([row["val/top1"] for row in read_metrics(cell)])
    assert (run.state, run.exit_code) == ("finished", 0)
    assert run.summary["best/test/top1"] == pytest.approx(record.best.test_top1)


def written(home: Path, **changes: Any) -> dict[str, Any]:
    """The sweep of the page on W&B, with a toy backbone and a few values, in a file."""
    sweep: dict[str, Any] = yaml.safe_load(PAGE)
    words = [word for word in sweep["command"] if not word.startswith("backbone=")]
    sweep |= {"program": str(ROOT / "train.py"), "command": [*words[:-1], *TOY, *changes.pop("words", ()), words[-1]]}
    sweep["parameters"] |= changes
    (home / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    return sweep


def test_a_sweep_by_an_agent(server: SweepServer, tmp_path: Path) -> None:
    """Of two heads one is stopped early, and goes on where the sweep asks for it again; then it is finished, and asked for."""
    written(tmp_path, **{"recipe.optimizer.lr": {"value": 0.001}, "seed": {"value": 1}, "words": ["recipe.epochs=15"]})
    assert "wandb agent me/sweeps/sweep0" in wandb(server.url, tmp_path, "sweep", "--project", "sweeps", "sweep.yaml")
    (sweep,) = server.sweeps.values()
    server.repeats = 2
    server.stops = lambda run: run.name == sweep.runs[0] and bool(run.history)
    said = wandb(server.url, tmp_path, "agent", "me/sweeps/sweep0")

    assert sorted(server.runs) == sorted(sweep.runs), "no run but those that the agent was told of"
    stopped, other, again, told = (server.runs[name] for name in sweep.runs)
    gap, wise = only_cell(tmp_path, "*-gap"), only_cell(tmp_path, "*-wise")
    assert all(run.sweep == sweep.name and run.starts == 1 for run in server.runs.values())
    assert server.stopped == [stopped.name] and "failed runs" not in said
    assert 0 < len(stopped.history) < 15
    assert stopped.exit_code == 255, "as wandb has it of a run that a signal ends"
    require_whole(other, wise)
    for run in (again, told):
        require_whole(run, gap)
    record = load_record(gap)
    assert record is not None and record.provenance.attempts == 2, "the third command trained nothing"
    assert [server.had(sweep, run)["head"] for run in (stopped, other, again, told)] == ["gap", "wise", "gap", "gap"]
    for run in (other, again, told):
        assert max(server.metric(run)) == run.summary["val/top1"] == run.summary["best/val/top1"]
    assert read_json(gap / "wandb.json") == {
        "id": again.name,
        "sweep": sweep.name,
        "url": f"{server.url}/me/sweeps/runs/{again.name}",
        "told": [told.name],
    }


def test_stopped_and_gone_on_with_outside_of_the_sweep(server: SweepServer, tmp_path: Path) -> None:
    """What an agent does when a sweep stops a run, to the process that it has started."""
    words = ("head=gap", "recipe.epochs=12", "study=s")
    first = train(server.url, tmp_path, *words, **of_agent("first"))
    server.wait(lambda: bool(server.runs) and len(server.runs["first"].history) > 1, 300)
    first.send_signal(signal.SIGTERM)
    said, _ = first.communicate(timeout=300)
    assert first.returncode == -signal.SIGTERM, said
    assert "The same command continues where this one stopped." in said
    cell = only_cell(tmp_path)
    assert read_status(cell)["state"] == "interrupted"
    assert server.runs["first"].exit_code == 255
    done = len(server.runs["first"].history)

    second = train(server.url, tmp_path, *words)
    said, _ = second.communicate(timeout=600)
    assert second.returncode == 0, said
    (own,) = (run for name, run in server.runs.items() if name != "first")
    require_whole(own, cell)
    assert (own.sweep, own.starts) == (None, 1)
    assert len(server.runs["first"].history) == done
    assert read_json(cell / "wandb.json")["id"] == own.name


def test_two_agents_that_ask_for_the_same(server: SweepServer, tmp_path: Path) -> None:
    words = ("head=gap", "recipe.epochs=3", "study=s")
    both = [train(server.url, tmp_path, *words, **of_agent(name)) for name in ("one", "two")]
    for process in both:
        said, _ = process.communicate(timeout=600)
        assert process.returncode == 0, said
    assert sorted(server.runs) == ["one", "two"]
    cell = only_cell(tmp_path)
    for run in server.runs.values():
        require_whole(run, cell)
        assert run.sweep == "sweep0"
    record = load_record(cell)
    assert record is not None and record.provenance.attempts == 1


@pytest.mark.parametrize("how", ["grid.start=fork", "grid.start=spawn", "hydra/launcher=submitit_local"])
def test_cells_of_a_grid(tmp_path: Path, how: str) -> None:
    more = of_agent("abc123", WANDB_MODE="offline", WANDB_SWEEP_PARAM_PATH="nowhere.yaml", WANDB_RESUME="must")
    process = train("http://127.0.0.1:9", tmp_path, "-m", "seed=1,2", "head=gap", "recipe.epochs=1", "study=ids", how, **more)
    said, _ = process.communicate(timeout=900)
    assert process.returncode == 0, said
    assert said.count("are left aside") == 1
    assert "note: WANDB_RUN_ID and WANDB_SWEEP_ID of the environment are left aside: each of these 2 cells has a run" in said
    found = [next(record.run for record in records(file) if record.HasField("run")) for file in tmp_path.rglob("*.wandb")]
    assert len({run.run_id for run in found} | {"abc123"}) == 3
    assert {run.sweep_id for run in found} == {""}
