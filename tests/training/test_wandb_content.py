"""What a W&B run holds at the end, read back from its file; TensorBoard's likewise."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.support.runs import ROWS, history, logger, records, summary_of
from tests.support.specs import named_figures
from wisesr.data.images import open_rgb
from wisesr.results.kernels import summarize
from wisesr.results.predictions import Predictions
from wisesr.sync.workspace import make_workspace
from wisesr.training.loggers import content
from wisesr.training.loggers.base import Findings, HardImage, Run
from wisesr.training.loggers.tensorboard import TensorBoardLogger
from wisesr.training.loggers.wandb import WandbLogger

CLASSES = ("cat", "dog", "a <b> & 'c'")
PROBABILITIES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.05, 0.9, 0.05], [0.3, 0.3, 0.4], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]]
LABELS = [0, 1, 0, 2, 2, 2]


def predictions() -> Predictions:
    ids = np.array([f"test/{index}.png" for index in range(6)])
    return Predictions(ids, np.array(LABELS), np.array(PROBABILITIES, np.float32), CLASSES)


def findings() -> Findings:
    hard = [HardImage(f"test/{n}.png", Image.new("RGB", (9, 7), (40 * n, 0, 0)), "cat", "dog", 0.1, 2.3) for n in (4, 2)]
    return Findings(Image.new("RGB", (8, 8)), predictions(), tuple(hard))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an offline run that was told everything."""
    directory = tmp_path_factory.mktemp("cell")
    config = {"head": {"name": "wise"}, "backbone": {"name": "toy"}, "seed": 0}
    writer = logger(Run(directory, "toy-wise-seed-0", "study", ("toy",), config))
    writer.start([])
    for row in ROWS:
        writer.kernel(int(row["epoch"]), summarize(np.ones((2, 3, 3), np.float32)))
        writer.epoch(row, [])
    writer.finish({"best/test/top1": 0.5, "selection": "in words", "stopped": None}, findings())
    (folder,) = directory.glob("wandb/offline-run-*")
    return folder


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
        entry = dict(zip(columns, row, strict=True))
        index = int(entry["image"].removeprefix("test/").removesuffix(".png"))
        probabilities = PROBABILITIES[index]
        predicted = probabilities.index(max(probabilities))
        assert (entry["label"], entry["predicted"], entry["right"]) == (
            CLASSES[LABELS[index]],
            CLASSES[predicted],
            predicted == LABELS[index],
        )
        assert entry["p_predicted"] == pytest.approx(max(probabilities))
        assert entry["p_label"] == pytest.approx(probabilities[LABELS[index]])
        if entry["p_label"]:
            assert entry["loss"] == pytest.approx(-math.log(entry["p_label"]), rel=1e-6)
        assert entry["likeliest"].startswith(f"{CLASSES[predicted]} {max(probabilities):.3f}")


def test_the_chart_of_the_confusion_matrix(finished: Path) -> None:
    columns, rows = table(finished, "confusion_chart_table")
    counts = {
        (row[columns.index("Actual")], row[columns.index("Predicted")]): row[columns.index("nPredictions")] for row in rows
    }
    for label, name in enumerate(CLASSES):
        for predicted, other in enumerate(CLASSES):
            true = sum(
                own == label and row.index(max(row)) == predicted for own, row in zip(LABELS, PROBABILITIES, strict=True)
            )
            assert counts[name, other] == true


def test_an_offline_run_holds_all_of_itself(finished: Path) -> None:
    """Nothing that only this machine's home has: the run may be carried elsewhere, and sent from there."""
    (file,) = finished.glob("*.wandb")
    assert not [record for record in records(file) if record.HasField("artifact")]
    named = [value for row in history(file) for name, value in row.items() if name.endswith("/path")]
    assert len(named) == 4 + len(ROWS)
    assert all((finished / "files" / name).is_file() for name in named)


def test_a_workspace_names_what_runs_have(finished: Path) -> None:
    """Each figure, picture and table of every panel is in a run's rows or summary."""
    (file,) = finished.glob("*.wandb")
    rows = {name.split("/path")[0].split("/filenames")[0] for row in history(file) for name in row}
    figures = {f"{split}/{name}" for split, name in (("val", "loss"), ("val", "macro_f1"), ("val", "ece"), ("best", "epoch"))}
    recorded = {"best/val/top1", "best/test/macro_f1", "head_parameters", "trainable_parameters", "train_seconds"}
    there = rows | set(summary_of(finished)) | figures | recorded | {"images_per_second", "compute_train_ms", "reads"}
    spec = make_workspace({"a": {"head": {"name": "wise"}, "seed": 0}}, entity="e", project="p", study="s")
    named = named_figures(spec)
    assert {"val/top1", "best/test/top1", "kernels", "hardest", "confusion", "predictions"} <= named
    assert named - there == set()


def test_test_images_stay_where_that_is_wished() -> None:
    assert content.final_row(None, Findings(None, None, findings().hardest), media=False) == {}


def test_nor_do_their_names_go_anywhere(run: Run) -> None:
    writer = WandbLogger(run, project="wisesr-tests", entity=None, init_timeout=5.0, media=False)
    writer.start([])
    writer.finish({}, findings())
    (folder,) = run.directory.glob("wandb/offline-run-*")
    assert sorted(row[0] for row in table(folder, "predictions")[1]) == [str(index) for index in range(6)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in files if b"test/" in path.read_bytes().replace(b"best/test/", b"") or "hardest" in path.name]


def test_a_run_that_wandb_has_lost_some_of_is_kept_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own process may have been killed for memory: nothing reaches the file from then on."""
    writer = logger(run)
    writer.start([])

    def lost(*given: Any, **named: Any) -> None:
        raise ConnectionResetError("Connection lost")

    writer.epoch(ROWS[0], [])
    with monkeypatch.context() as patch:
        patch.setattr(writer._wandb, "log", lost)
        writer.epoch(ROWS[1], [])
    writer.epoch(ROWS[2], [])
    writer.finish({"best/test/top1": 0.9}, findings())
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
    shown = content._table(Predictions(ids, np.zeros(count, np.int64), probabilities, ("a", "b")), named=True)
    assert [row[0] for row in shown.data] == [str(index) for index in range(100)]


def test_tensorboard_shows_the_same(run: Run) -> None:
    writer = TensorBoardLogger(run)
    writer.start([])
    writer.finish({"best/test/top1": 0.5}, findings())
    seen = EventAccumulator(str(run.directory / "tensorboard")).Reload()
    assert set(seen.Tags()["images"]) == {"kernels", "confusion", "hardest/01", "hardest/02"}
    first = Image.open(io.BytesIO(seen.Images("hardest/01")[0].encoded_image_string))
    assert first.convert("RGB").getpixel((2, 2)) == (160, 0, 0)
    (told,) = seen.Tensors("hardest/text_summary")
    assert findings().hardest[1].caption in told.tensor_proto.string_val[0].decode()
