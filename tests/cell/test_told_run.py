"""A finished cell's figures go to a sweep's run, by a server on localhost (`fake_sweeps.py`); the cell stays as it is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_sweeps import SweepServer
from tests.support.fake_wandb import environment
from tests.support.paths import ROOT
from tests.support.studies import cell_config, write_cell
from tests.support.synced import pretend_offline
from wisesr.config.options import load_option
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.installation import write_command
from wisesr.results.kernels import read_kernels
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import load_record
from wisesr.results.run_address import has_run, note_told

TELL = """
import sys
from pathlib import Path
from wisesr.cell.told_run import tell
from wisesr.config.files import load_cell
from wisesr.errors import UserError
from wisesr.training.loggers.wandb_agent import agent_run
import os
run, cell = agent_run(os.environ), Path(sys.argv[1])
try:
    print(*(tell(cell, load_cell(cell), run, trained=sys.argv[2] == "True") for _ in range(2)), sep="|")
except UserError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def server() -> Iterator[SweepServer]:
    with SweepServer() as fake:
        yield fake


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    """A finished cell, trained in another project some time ago."""
    logger = load_option("logger", "wandb")
    logger["wandb"]["init_timeout"] = 5.0
    directory = write_cell(cell_config(tmp_path, head="wise") | {"logger": logger})
    write_json(directory / "wandb.json", {"id": "old", "url": "https://wandb.ai/me/wisesr/runs/old"})
    write_command(directory, ["train.py", "head=wise"])
    return directory


def told(cell: Path, url: str, run: str = "abc123", *, trained: bool = False, **more: str) -> subprocess.CompletedProcess[str]:
    agent = {"WANDB_RUN_ID": run, "WANDB_SWEEP_ID": "s", "WISESR_AGENT_RUN": run, "WANDB_PROJECT": "sweeps"}
    command = [sys.executable, "-c", TELL, str(cell), str(trained)]
    variables = environment(url, **(agent | more))
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120)


def files(cell: Path) -> dict[str, bytes]:
    kept = {"wandb.json", ".lock"}
    return {
        str(path.relative_to(cell)): path.read_bytes() for path in cell.rglob("*") if path.is_file() and path.name not in kept
    }


@pytest.mark.slow
def test_a_run_gets_all_of_a_finished_cell(server: SweepServer, cell: Path) -> None:
    before, record = files(cell), load_record(cell)
    done = told(cell, server.url)
    assert (done.returncode, done.stdout) == (0, "Its figures are in run abc123 of W&B's sweep s, too.|\n"), done.stderr
    (run,) = server.runs.values()
    assert (run.name, run.sweep, run.state, run.group, run.notes) == ("abc123", "s", "finished", "study", "train.py head=wise")
    rows = [row for row in run.history if "epoch" in row]
    metrics, kernels = read_metrics(cell), read_kernels(cell)
    assert record is not None and kernels is not None
    assert [row["_step"] for row in rows] == [row["step"] for row in metrics]
    assert [row["val/top1"] for row in rows] == pytest.approx([row["val/top1"] for row in metrics])
    assert [row["kernel/zero"] for row in rows] == pytest.approx([summary.zero for summary in kernels.history])
    assert run.summary["best/test/top1"] == pytest.approx(record.best.test_top1)
    assert run.summary["val/top1"] == pytest.approx(record.best.val_top1)
    assert run.summary["head_parameters"] == record.cost.parameters.head
    assert run.summary["fingerprint"] == record.fingerprint
    for part in ("images/kernels_", "images/confusion_", "table/predictions_"):
        assert any(name.startswith(f"media/{part}") for name in run.uploads), part
    assert files(cell) == before
    own = {"id": "old", "url": "https://wandb.ai/me/wisesr/runs/old"}
    assert read_json(cell / "wandb.json") == own | {"told": ["abc123"]}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["online", "offline"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_server_that_is_not_there(cell: Path, mode: str, kept: bool) -> None:
    """Of a cell that was just trained for the sweep a run is kept, to be sent later; of another there is none of the sweep."""
    pretend_offline(cell)
    before = files(cell)
    done = told(cell, "http://127.0.0.1:9", trained=kept, WANDB_MODE=mode)
    assert done.returncode == (mode == "online" and not kept)
    why = "W&B is offline here: " if mode == "offline" else "W&B does not take its figures, so that "
    what = "of this cell once `wisesr sync` has sent it" if kept else "nothing of this cell"
    said = done.stdout + done.stderr
    assert f"{why}its sweep s hears {what}" in said
    assert ("connection refused" in said) == (mode == "online")
    assert "is kept offline" not in said and "wandb:" not in said, (
        "what wandb does in the temporary folder is nobody's business"
    )
    assert "Traceback" not in done.stderr
    assert files(cell) == before
    assert not has_run(cell, "abc123")


def test_runs_that_have_all_of_a_cell(tmp_path: Path) -> None:
    notes = tmp_path / "wandb.json"
    assert not has_run(tmp_path, "a")
    write_json(notes, {"id": "a"})
    assert not has_run(tmp_path, "a"), "its server was lost on the way, or it is running"
    write_json(notes, {"id": "a", "url": "https://wandb.ai/me/p/runs/a"})
    assert has_run(tmp_path, "a") and not has_run(tmp_path, "b")
    note_told(tmp_path, "b")
    note_told(tmp_path, "c")
    assert all(has_run(tmp_path, name) for name in "abc")
