"""W&B: the mode is decided before the first init; what an offline run holds is read back from its file."""

from __future__ import annotations

import io
import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.conftest import ROOT
from tests.sync.specs import named_figures
from wisesr import create_head
from wisesr.data.images import open_rgb
from wisesr.results.predictions import Predictions
from wisesr.results.record import Row
from wisesr.sync.workspace import Shown, workspace
from wisesr.training.kernels import kernel_sheet
from wisesr.training.loggers import content
from wisesr.training.loggers.base import Findings, Hard, Run, RunLogger, StepRow
from wisesr.training.loggers.guarded import Guarded
from wisesr.training.loggers.mode import decide_mode
from wisesr.training.loggers.steps import StepsLogger
from wisesr.training.loggers.tensorboard import TensorBoardLogger
from wisesr.training.loggers.wandb import WandbLogger

ROWS = [{"epoch": float(n), "step": 4.0 * n, "lr": 0.1, "train/loss": 1 / n, "val/top1": 0.2 * n} for n in (1, 2, 3)]

NOTHING = Findings(None, None, ())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, "toy-wise-seed-0", "study", ("toy", "wise", "32px"), {"head": {"dropout": 0.5}})


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


def records(file: Path) -> Iterator[Any]:
    """The records of a .wandb file: a LevelDB log (blocks of 32 KiB, chunks of checksum, length, kind) after 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    data, position, whole = file.read_bytes(), 7, b""
    while position + 7 <= len(data):
        if (left := 32768 - position % 32768) < 7:
            position += left
            continue
        length, kind = struct.unpack_from("<HB", data, position + 4)
        whole += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):  # a full record, or its last chunk
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            yield record
            whole = b""


def history(file: Path) -> list[dict[str, Any]]:
    rows = []
    for record in records(file):
        if record.HasField("history"):
            rows.append({item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item})
    return rows


def logger(run: Run) -> WandbLogger:
    return WandbLogger(run, project="p", entity=None, init_timeout=5.0)


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
    (its,) = {(r.run.run_group, r.run.display_name, tuple(r.run.tags)) for r in records(file) if r.HasField("run")}
    assert its == ("study", "toy-wise-seed-0", ("toy", "wise", "32px"))
    assert [record.exit.exit_code for record in records(file) if record.HasField("exit")] == [0]
    assert list((folder / "files").rglob("*.png"))
    summary = {
        "/".join(item.nested_key) or item.key: json.loads(item.value_json)
        for record in records(file)
        if record.HasField("summary")
        for item in record.summary.update
    }
    assert summary["best/test/top1"] == 0.9


CLASSES = ("cat", "dog", "a <b> & 'c'")
PROBABILITIES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.9, 0.05], [0.3, 0.3, 0.4], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]]
LABELS = [0, 1, 0, 2, 2, 2]


def predictions() -> Predictions:
    ids = np.array([f"test/{index}.png" for index in range(6)])
    return Predictions(ids, np.array(LABELS), np.array(PROBABILITIES, np.float32), CLASSES)


def findings() -> Findings:
    hard = [Hard(f"test/{n}.png", Image.new("RGB", (9, 7), (40 * n, 0, 0)), "cat", "dog", 0.1, 2.3) for n in (4, 2)]
    return Findings(Image.new("RGB", (8, 8)), predictions(), tuple(hard))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an offline run that was told everything."""
    directory = tmp_path_factory.mktemp("cell")
    config = {"head": {"name": "wise"}, "backbone": {"name": "toy"}, "seed": 0}
    its = logger(Run(directory, "toy-wise-seed-0", "study", ("toy",), config))
    its.start([])
    for row in ROWS:
        its.epoch(row, [])
    its.finish({"best/test/top1": 0.5, "selection": "in words", "stopped": None}, findings())
    (folder,) = directory.glob("wandb/offline-run-*")
    return folder


def summary_of(folder: Path) -> dict[str, Any]:
    """The last value of each figure; nested names joined by a point, as W&B shows them."""
    (file,) = folder.glob("*.wandb")
    found: dict[str, Any] = {}
    for record in records(file):
        if record.HasField("summary"):
            for item in record.summary.update:
                found[".".join(item.nested_key) or item.key] = json.loads(item.value_json)
    return found


def test_metrics_are_defined_and_summarised(finished: Path) -> None:
    (file,) = finished.glob("*.wandb")
    defined = {record.metric.name: record.metric for record in records(file) if record.HasField("metric")}
    logged = {name for row in ROWS for name in row} - {"step", "epoch"}
    assert logged <= set(defined), "every figure of a row"
    assert all(defined[name].step_metric == "epoch" for name in logged)
    assert defined["epoch"].options.hidden
    summary = summary_of(finished)
    assert summary["val/top1"] == {"max": max(row["val/top1"] for row in ROWS), "last": ROWS[-1]["val/top1"]}
    assert summary["train/loss"] == {"min": min(row["train/loss"] for row in ROWS), "last": ROWS[-1]["train/loss"]}
    assert (summary["best/test/top1"], summary["selection"], summary["stopped"]) == (0.5, "in words", None)


def test_pictures_and_captions(finished: Path) -> None:
    shown = {}
    for row in history(next(finished.glob("*.wandb"))):
        for name, value in row.items():
            shown[name] = value
    media = {name.removesuffix("/path"): finished / "files" / value for name, value in shown.items() if name.endswith("/path")}
    assert open_rgb(media["kernels"]).size == (8, 8)
    assert open_rgb(media["confusion"]).width > 600
    captions = shown["hardest/captions"]
    assert captions == [hard.caption for hard in findings().hardest]
    pictures = [open_rgb(finished / "files" / name) for name in shown["hardest/filenames"]]
    assert [picture.size for picture in pictures] == [(9, 7), (9, 7)]
    assert [round(np.asarray(picture)[3, 3, 0] / 40) for picture in pictures] == [4, 2]


def table(folder: Path, name: str) -> tuple[list[str], list[list[Any]]]:
    (file,) = (folder / "files" / "media" / "table").glob(f"{name}_*.table.json")
    content = json.loads(file.read_text())
    return content["columns"], content["data"]


def test_the_table_of_predictions(finished: Path) -> None:
    columns, rows = table(finished, "predictions")
    assert len(rows) == len(LABELS)
    assert [row[columns.index("loss")] for row in rows] == sorted((row[columns.index("loss")] for row in rows), reverse=True)
    for row in rows:
        its = dict(zip(columns, row, strict=True))
        index = int(its["image"].removeprefix("test/").removesuffix(".png"))
        probabilities = PROBABILITIES[index]
        said = probabilities.index(max(probabilities))
        assert (its["label"], its["said"], its["right"]) == (CLASSES[LABELS[index]], CLASSES[said], said == LABELS[index])
        assert its["p_said"] == pytest.approx(max(probabilities))
        assert its["p_label"] == pytest.approx(probabilities[LABELS[index]])
        if its["p_label"]:
            assert its["loss"] == pytest.approx(-math.log(its["p_label"]), rel=1e-6)
        assert its["likeliest"].startswith(f"{CLASSES[said]} {max(probabilities):.3f}")


def test_the_chart_of_the_confusion_matrix(finished: Path) -> None:
    columns, rows = table(finished, "confusion_chart_table")
    counts = {
        (row[columns.index("Actual")], row[columns.index("Predicted")]): row[columns.index("nPredictions")] for row in rows
    }
    for label, name in enumerate(CLASSES):
        for said, other in enumerate(CLASSES):
            true = sum(its == label and row.index(max(row)) == said for its, row in zip(LABELS, PROBABILITIES, strict=True))
            assert counts[name, other] == true


def test_an_offline_run_holds_all_of_itself(finished: Path) -> None:
    """Nothing that only this machine's home has: the run may be carried elsewhere, and sent from there."""
    (file,) = finished.glob("*.wandb")
    assert not [record for record in records(file) if record.HasField("artifact")]
    named = [value for row in history(file) for name, value in row.items() if name.endswith("/path")]
    assert len(named) == 4
    assert all((finished / "files" / name).is_file() for name in named)


def test_a_workspace_names_what_runs_have(finished: Path) -> None:
    """Each figure, picture and table of every panel is in a run's rows or summary."""
    (file,) = finished.glob("*.wandb")
    rows = {name.split("/path")[0].split("/filenames")[0] for row in history(file) for name in row}
    figures = {f"{split}/{name}" for split, name in (("val", "loss"), ("val", "macro_f1"), ("val", "ece"), ("best", "epoch"))}
    recorded = {"best/val/top1", "best/test/macro_f1", "head_parameters", "trainable_parameters", "train_seconds"}
    there = rows | set(summary_of(finished)) | figures | recorded | {"images_per_second"}
    spec = workspace([Shown("a", {"head": {"name": "wise"}, "seed": 0})], entity="e", project="p", study="s")
    named = named_figures(spec)
    assert {"val/top1", "best/test/top1", "kernels", "hardest", "confusion", "predictions"} <= named
    assert named - there == set()


def test_test_images_stay_where_that_is_wished() -> None:
    assert content.shown(None, Findings(None, None, findings().hardest), media=False) == {}


def test_nor_do_their_names_go_anywhere(run: Run) -> None:
    its = WandbLogger(run, project="wisesr-tests", entity=None, init_timeout=5.0, media=False)
    its.start([])
    its.finish({}, findings())
    (folder,) = run.directory.glob("wandb/offline-run-*")
    assert sorted(row[0] for row in table(folder, "predictions")[1]) == [str(index) for index in range(6)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"test/" in path.read_bytes().replace(b"best/test/", b"") or "hardest" in path.name]


def test_a_run_that_wandb_has_lost_some_of_is_kept_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own process may have been killed for memory: nothing reaches the file from then on."""
    its = logger(run)
    its.start([])

    def lost(*given: Any, **named: Any) -> None:
        raise ConnectionResetError("Connection lost")

    its.epoch(ROWS[0], [])
    with monkeypatch.context() as patch:
        patch.setattr(its._wandb, "log", lost)
        its.epoch(ROWS[1], [])
    its.epoch(ROWS[2], [])
    its.finish({"best/test/top1": 0.9}, findings())
    (folder,) = run.directory.glob("wandb/offline-run-*")
    (file,) = folder.glob("*.wandb")
    assert [row["epoch"] for row in history(file) if "epoch" in row] == [1, 2, 3]
    assert summary_of(folder)["best/test/top1"] == 0.9
    assert len(table(folder, "predictions")[1]) == 6


def test_clipping_keeps_the_hardest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_ROWS", 100)
    count = 150
    right = np.linspace(0.01, 0.99, count, dtype=np.float32)
    probabilities = np.stack([right, 1 - right], axis=1)
    ids = np.array([str(index) for index in range(count)])
    its = content._table(Predictions(ids, np.zeros(count, np.int64), probabilities, ("a", "b")), named=True)
    assert [row[0] for row in its.data] == [str(index) for index in range(100)]


def test_tensorboard_shows_the_same(run: Run) -> None:
    its = TensorBoardLogger(run)
    its.start([])
    its.finish({"best/test/top1": 0.5}, findings())
    seen = EventAccumulator(str(run.directory / "tensorboard")).Reload()
    assert set(seen.Tags()["images"]) == {"kernels", "confusion", "hardest/01", "hardest/02"}
    first = Image.open(io.BytesIO(seen.Images("hardest/01")[0].encoded_image_string))
    assert first.convert("RGB").getpixel((2, 2)) == (160, 0, 0)
    (told,) = seen.Tensors("hardest/text_summary")
    assert findings().hardest[1].caption in told.tensor_proto.string_val[0].decode()


class Broken(RunLogger):
    """Fails at one call, and counts all of them."""

    def __init__(self, run: Run, *, at: str = "finish") -> None:
        super().__init__(run)
        self.at, self.calls = at, list[str]()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name == self.at:
            raise RuntimeError("broken on purpose")

    def start(self, history: Sequence[Row]) -> None:
        self._called("start")

    def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
        self._called("epoch")

    def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
        self._called("finish")

    def fail(self) -> None:
        self._called("fail")


@pytest.mark.parametrize(
    ("at", "calls"),
    [
        ("start", ["start", "fail"]),
        ("epoch", ["start", "epoch", "fail"]),
        ("finish", ["start", "epoch", "epoch", "finish", "fail"]),
        ("fail", ["start", "epoch", "epoch", "finish", "fail"]),
        ("", ["start", "epoch", "epoch", "finish", "fail"]),
    ],
)
def test_a_broken_logger_is_left_out(run: Run, at: str, calls: list[str], caplog: pytest.LogCaptureFixture) -> None:
    broken = Broken(run, at=at)
    guarded = Guarded(broken)
    guarded.start([])
    guarded.epoch(ROWS[0], [])
    guarded.epoch(ROWS[1], [])
    guarded.finish({}, NOTHING)
    guarded.fail()
    assert broken.calls == calls
    assert ("broken on purpose" in caplog.text) == bool(at)


def test_what_a_logger_does_to_its_rows_is_its_own_affair(run: Run) -> None:
    """They are those of metrics.csv, of the checkpoint, and of the choice of the epoch."""

    class Careless(RunLogger):
        def start(self, history: Sequence[Row]) -> None:
            history[0].pop("step")

        def epoch(self, row: Row, steps: Sequence[StepRow]) -> None:
            row["val/top1"] = row.pop("step")

        def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
            assert isinstance(summary, dict)
            summary.clear()

    rows, summary = [dict(row) for row in ROWS], {"best/test/top1": 0.5}
    its = Guarded(Careless(run))
    its.start(rows)
    its.epoch(rows[1], [])
    its.finish(summary, NOTHING)
    assert (rows, summary) == (ROWS, {"best/test/top1": 0.5})


def test_an_interrupt_is_no_error_of_a_logger(run: Run) -> None:
    class Interrupted(RunLogger):
        def finish(self, summary: Mapping[str, Any], findings: Findings) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded(Interrupted(run)).finish({}, NOTHING)


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
