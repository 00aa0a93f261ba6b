"""W&B: the mode is decided before the first init; what an offline run holds is read back from its file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.support.paths import ROOT
from tests.support.runs import NOTHING, ROWS, history, logger, records
from wisesr import create_head
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.installation import write_command
from wisesr.training.kernels import kernel_sheet, learned_kernel
from wisesr.training.loggers.base import Findings, Run, StepRow
from wisesr.training.loggers.steps import StepsLogger
from wisesr.training.loggers.wandb_mode import decide_mode


@pytest.mark.parametrize(
    ("environment", "mode"),
    [
        ({}, "offline"),
        ({"WANDB_API_KEY": "x" * 40}, "online"),
        ({"WANDB_MODE": "offline", "WANDB_API_KEY": "x" * 40}, "offline"),
        ({"WANDB_MODE": "online"}, "online"),
        ({"WANDB_MODE": "disabled"}, "disabled"),
    ],
)
def test_mode(environment: dict[str, str], mode: str, tmp_path: Path) -> None:
    assert decide_mode({"NETRC": str(tmp_path / "none"), **environment}) == mode


def test_a_login_counts_for_its_own_server(tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine wandb.example.org login user password " + "x" * 40 + "\n")
    netrc.chmod(0o600)
    assert decide_mode({"NETRC": str(netrc)}) == "offline"
    assert decide_mode({"NETRC": str(netrc), "WANDB_BASE_URL": "https://wandb.example.org"}) == "online"


def test_an_offline_run_and_its_resume(run: Run) -> None:
    first = logger(run)
    first.start([])
    first.epoch(ROWS[0], [])
    first.fail()
    (partial,) = run.directory.glob("wandb/offline-run-*")
    (file,) = partial.glob("*.wandb")
    assert [record.exit.exit_code for record in records(file) if record.HasField("exit")] == [1], "marked failed"

    second = logger(run)
    second.start(ROWS[:1])
    second.epoch(ROWS[1], [])
    second.epoch(ROWS[2], [])
    second.finish({"best/test/top1": 0.9}, Findings(Image.new("RGB", (8, 8)), None, ()))
    (folder,) = run.directory.glob("wandb/offline-run-*")
    assert folder != partial, "the partial file is replaced, not continued"
    (file,) = folder.glob("*.wandb")
    rows = [row for row in history(file) if "val/top1" in row]
    assert [row["_step"] for row in rows] == [4, 8, 12]
    assert [row["val/top1"] for row in rows] == [row["val/top1"] for row in ROWS]
    (labels,) = {(r.run.run_group, r.run.display_name, tuple(r.run.tags)) for r in records(file) if r.HasField("run")}
    assert labels == ("study", "toy-wise-seed-0", ("toy", "wise", "32px"))
    assert [record.exit.exit_code for record in records(file) if record.HasField("exit")] == [0]
    assert list((folder / "files").rglob("*.png"))
    summary = {
        "/".join(item.nested_key) or item.key: json.loads(item.value_json)
        for record in records(file)
        if record.HasField("summary")
        for item in record.summary.update
    }
    assert summary["best/test/top1"] == 0.9


def test_notes_job_type_and_no_address_offline(run: Run) -> None:
    write_command(run.directory, ["train.py", "-m", "head=wise,gap", "study=two words", "+logger.mine.api_key=planted"])
    write_json(run.directory / "wandb.json", {"id": "aaaa1111", "url": "https://wandb.ai/me/p/runs/aaaa1111"})
    writer = logger(run)
    writer.start([])
    writer.finish({}, NOTHING)
    (file,) = run.directory.glob("wandb/offline-run-*/*.wandb")
    (told,) = {(r.run.job_type, r.run.notes) for r in records(file) if r.HasField("run")}
    assert told == ("train", "train.py -m head=wise,gap 'study=two words' '+logger.mine.api_key=***'")
    assert read_json(run.directory / "wandb.json") == {"id": "aaaa1111"}, "the run there is not the cell's any more"


def test_an_exported_id_does_not_merge_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "shared")
    first = logger(run)
    first.start([])
    first.finish({}, NOTHING)
    (folder,) = run.directory.glob("wandb/offline-run-*")
    assert not folder.name.endswith("shared")


@pytest.mark.slow
def test_a_server_that_does_not_answer(run: Run) -> None:
    """Training goes on, and the run is kept offline. In a process of its own: wandb keeps its mode for a whole process."""
    code = f"""
from pathlib import Path
from wisesr.training.loggers.base import Findings, Run
from wisesr.training.loggers.wandb import WandbLogger
logger = WandbLogger(Run(Path({str(run.directory)!r}), "n", "s", (), {{}}), project="p", entity=None, init_timeout=3.0)
logger.start([])
logger.epoch({ROWS[0]!r}, [])
logger.finish({{}}, Findings(None, None, ()))
"""
    environment = {**os.environ, "WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}
    environment.pop("WANDB_MODE")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, timeout=120)
    (file,) = run.directory.glob("wandb/offline-run-*/*.wandb")
    assert [row["epoch"] for row in history(file)] == [1]


def test_steps_of_unfinished_epochs_are_dropped(run: Run) -> None:
    steps = [StepRow(step, 0.1, 1 / step) for step in range(1, 13)]
    first = StepsLogger(run)
    first.start([])
    first.epoch(ROWS[0], steps[:4])
    first.epoch(ROWS[1], steps[4:8])
    second = StepsLogger(run)
    second.start(ROWS[:1])
    second.epoch(ROWS[1], steps[4:8])
    lines = (run.directory / "steps.csv").read_text().splitlines()
    assert lines[0] == "step,lr,train/loss"
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(1, 9))


def test_the_kernel_sheet_shows_sign_and_place() -> None:
    head = create_head("depthwise", (3, 2, 2), 4)
    kernel = head.get_parameter("aggregation.kernel")
    kernel.data.zero_()
    kernel.data[1, 0, 1], kernel.data[1, 1, 0] = 2.0, -2.0
    sheet = kernel_sheet(head)
    assert sheet is not None
    pixels = np.asarray(sheet)
    second = pixels[4:68, 72:136]  # the strongest channel, after the mean
    assert second[10, 50].tolist() == [255, 0, 0]
    assert second[50, 10].tolist() == [0, 0, 255]
    assert second[10, 10].tolist() == [255, 255, 255]
    assert kernel_sheet(create_head("gap", (3, 2, 2), 4)) is None


def test_a_kernel_on_permuted_positions_is_shown_where_they_are() -> None:
    """Weights by brute force, as gradients of the channels' features; none where each image has a permutation of its own."""
    head = create_head("wise_shuffled", (3, 5, 5), 4, pre_pool=2, init="average").double()
    found = learned_kernel(head)
    assert found is not None and found.shape == (3, 5, 5)
    wanted = torch.zeros(3, 5, 5)
    for channel, row, column in np.ndindex(3, 5, 5):
        one = torch.zeros(1, 3, 5, 5, dtype=torch.float64)
        one[0, channel, row, column] = 1.0
        with torch.no_grad():
            head.classifier.weight.zero_()
            head.classifier.weight[0, channel] = 1.0
            head.classifier.bias.zero_()
            wanted[channel, row, column] = head(one)[0, 0] - head.aggregation.bias[channel]  # type: ignore[union-attr, index]
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-7)
    assert (found == 0).sum() == 3 * 9, "of 25 positions the windows hold 16"
    assert kernel_sheet(head) is not None
    assert learned_kernel(create_head("wise_shuffled_images", (3, 5, 5), 4)) is None
