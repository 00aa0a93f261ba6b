"""A cell: its record, its bits, its skip, its lock, its life after a kill."""

from __future__ import annotations

import copy
import json
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.cells import assert_same, make, spawn, weights
from wisesr.cell.code import imported_code
from wisesr.cell.run import BUSY, DONE, FAILED, RunOptions, changes, run
from wisesr.cli import main
from wisesr.config.identity import fingerprint
from wisesr.config.options import load_option
from wisesr.errors import UserError
from wisesr.inference.evaluate import evaluate
from wisesr.inference.evaluation.own_data import own_pictures
from wisesr.inference.load import load
from wisesr.report.read import read_study
from wisesr.results.kernels import read_kernels
from wisesr.results.lock import is_running, locked
from wisesr.results.metrics import read_metrics
from wisesr.results.record_file import read_record
from wisesr.results.same_code import code_change
from wisesr.results.state import State
from wisesr.results.status_file import read_status


def test_the_record(config: dict[str, Any], tmp_path: Path) -> None:
    cell = make(config, tmp_path / "cell")
    assert read_record(cell) is None
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None
    assert set(json.loads((cell / "result.json").read_text())) == {
        "schema",
        "status",
        "fingerprint",
        "config",
        "protocol",
        "selection",
        "metrics",
        "budget",
        "cost",
        "provenance",
    }
    rows = read_metrics(cell)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [row["step"] for row in rows] == [4, 8, 12]
    best = max(rows, key=lambda row: (row["val/top1"], -row["val/loss"], -row["epoch"]))
    assert record.best.row == best
    assert [row for row in rows if "test/top1" in row] == [best], "the test split was read once, with the best weights"
    with np.load(cell / "predictions.npz") as predictions:
        assert len(set(predictions["ids"])) == 18
        hits = predictions["probabilities"].argmax(1) == predictions["labels"]
        assert predictions["classes"].tolist() == sorted({name.split("/")[1] for name in predictions["ids"]})
    assert hits.mean() == pytest.approx(best["test/top1"])
    kernels = read_kernels(cell)
    assert kernels is not None
    assert kernels.epochs == (1, 2, 3)
    assert np.array_equal(kernels.kernel, weights(cell, "best.ckpt")["model.head.aggregation.kernel"].numpy())
    last = weights(cell)["model.head.aggregation.kernel"].numpy()
    assert kernels.history[-1].mean == pytest.approx(last.mean(axis=0), abs=1e-6)
    assert kernels.history[-1].zero == (last == 0).mean()
    assert record.cost.parameters.head == 256 * (4 + 1) + 256 * 3 + 3
    assert record.cost.feature_map == (256, 2, 2)
    assert record.cost.flops.head == 2 * (256 * 3 + 256 * 4)
    assert record.cost.flops.backbone is not None and record.cost.flops.backbone > 1e6
    assert record.provenance.data.images == {"train": 54, "val": 6, "test": 18}
    assert record.provenance.threads == 1
    assert (record.provenance.devices, record.provenance.by_part) == (1, ("BatchNorm",))
    assert "18 test images" not in record.selection
    assert (weights(cell, "best.ckpt")["model.head.aggregation.kernel"] >= 0).all()
    assert read_status(cell)["state"] is State.DONE
    checkpoint = torch.load(cell / "last.ckpt", weights_only=True)
    assert checkpoint["epoch"] == 2


def test_the_record_tells_what_the_augmentation_normalised_with(config: dict[str, Any], tmp_path: Path) -> None:
    config["augment"] = load_option("augment", "paper")
    config["recipe"] |= {"epochs": 1, "structure": "keras", "batch_norm": "keras"}
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    record, checkpoint = read_record(cell), torch.load(cell / "best.ckpt", weights_only=True)
    assert record is not None
    assert record.provenance.inputs == checkpoint["inputs"]
    assert checkpoint["inputs"]["order"] == "BGR"
    assert set(checkpoint["epsilons"]) == {1e-3}


def test_the_papers_protocol_is_said(config: dict[str, Any], tmp_path: Path) -> None:
    config["protocol"] = "paper"
    config["recipe"]["epochs"] = 1
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None
    assert record.protocol == "paper"
    assert "18 test images themselves" in record.selection
    assert record.provenance.data.images == {"train": 60, "test": 18}
    assert record.best.val_top1 == record.best.test_top1


def test_seed_workers_and_loggers(config: dict[str, Any], tmp_path: Path) -> None:
    """The same seed gives the same bits, with workers and loggers too; another seed others."""
    cells = [make(config, tmp_path / "a")]
    busy = copy.deepcopy(config)
    busy["dataset"]["workers"] = 2
    busy["logger"] = {
        "csv": {"_target_": "wisesr.training.loggers.steps.StepsLogger"},
        "tensorboard": {"_target_": "wisesr.training.loggers.tensorboard.TensorBoardLogger"},
        "wandb": {
            "_target_": "wisesr.training.loggers.wandb.WandbLogger",
            "project": "tests",
            "entity": None,
            "init_timeout": 5.0,
        },
    }
    cells.append(make(busy, tmp_path / "b"))
    cells.append(make(config | {"seed": 1}, tmp_path / "c"))
    torch.rand(5)  # the process's generator has no say
    assert [run(cell) for cell in cells] == [DONE] * 3
    assert_same(cells[0], cells[1])
    assert len((cells[1] / "steps.csv").read_text().splitlines()) == 1 + 12
    assert list((cells[1] / "tensorboard").glob("events*"))
    (cells[1] / "result.json").unlink()  # as if killed after the last epoch: the loggers must hear the end all the same
    assert run(cells[1]) == DONE
    assert_same(cells[0], cells[1])
    (offline,) = (cells[1] / "wandb").glob("offline-run-*")
    assert list(offline.rglob("*.png")), "the kernels, in the run that was opened again and closed"
    assert read_metrics(cells[0])[0] != read_metrics(cells[2])[0]


def test_a_finished_cell_is_skipped_and_changes_are_told(done: Path, config: dict[str, Any]) -> None:
    cell = done
    before = {path.name: path.stat().st_mtime_ns for path in cell.iterdir() if path.name != "status.json"}
    assert run(cell) == DONE
    assert {path.name: path.stat().st_mtime_ns for path in cell.iterdir() if path.name != "status.json"} == before
    record = read_record(cell)
    assert record is not None
    data = record.provenance.data.fingerprint
    assert changes(record, data, None, "") == []
    assert code_change(record.provenance, cell, imported_code(config)) == ""
    assert changes(record, "other", None, "") == ["the images, labels or splits, or how files are read, have changed since"]
    assert changes(record, data, None, "the code has changed since") == ["the code has changed since"]
    assert record.fingerprint == fingerprint(config) != fingerprint(config | {"seed": 5})


def test_a_cell_of_an_older_version_runs(config: dict[str, Any], tmp_path: Path) -> None:
    """Its config.yaml lacks keys that came later, at the value that all cells had then, and has one that went."""
    config["recipe"]["epochs"] = 1
    older = copy.deepcopy(config)
    del older["trainer"]["num_nodes"]
    for key in ("init", "batch_norm", "structure"):
        del older["recipe"][key]
    older["recipe"]["head_init"] = "normal"
    cell = make(older, tmp_path / "cell")
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None
    assert record.fingerprint == fingerprint(config)


GONE = "recipe.head_init is a setting of the head now: head.init=torch"


def drawn_as_torch(cell: Path, config: dict[str, Any]) -> dict[str, Any]:
    """A finished cell as an older version left it, when this start was a setting of the recipe."""
    older = copy.deepcopy(config)
    older["recipe"]["head_init"] = "torch"
    make(older, cell)
    record = json.loads((cell / "result.json").read_text())
    (cell / "result.json").write_text(json.dumps(record | {"config": older, "fingerprint": fingerprint(older)}))
    return older


def test_a_finished_cell_with_a_key_that_has_gone_is_read_and_skipped(
    done: Path, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    older = drawn_as_torch(done, config)
    before = (done / "result.json").read_bytes()
    assert run(done) == DONE
    with pytest.raises(UserError, match=GONE):
        run(done, RunOptions(force=True))
    assert (done / "result.json").read_bytes() == before and not (done / "redo").exists()
    loaded = load(done)
    assert loaded.config == older
    assert main(["status", str(done)]) == 0
    assert "Test top-1 in percent" in capsys.readouterr().out
    assert len(read_study([done]).tables) == 1
    measured = evaluate(loaded, own_pictures(loaded, "test")).agreement
    assert measured is not None and measured.equal


def test_a_cell_with_a_key_that_has_gone_is_not_trained(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["head_init"] = "torch"
    cell = make(config, tmp_path / "cell")
    with pytest.raises(UserError, match=GONE):
        run(cell)
    assert not (cell / "started.json").exists()


def test_an_interrupted_cell_of_an_older_version_goes_on(done: Path, config: dict[str, Any]) -> None:
    """From its checkpoint, whose optimizer decays all: to the record of one that was never interrupted."""
    older = copy.deepcopy(config)
    older["recipe"]["head_init"] = "normal"
    make(older, done)
    whole = read_record(done)
    (done / "result.json").unlink()
    assert run(done) == DONE
    again = read_record(done)
    assert whole is not None and again is not None
    assert (again.fingerprint, again.best, again.last) == (whole.fingerprint, whole.best, whole.last)


def test_a_second_process_is_kept_out(config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = make(config, tmp_path / "cell")
    with locked(cell) as mine:
        assert mine
        assert is_running(cell)
        monkeypatch.setattr("wisesr.cell.run._PATIENCE", 0.3)
        assert run(cell) == BUSY
    assert not is_running(cell)
    assert not (cell / "result.json").exists()


def test_a_failure_leaves_its_reason(config: dict[str, Any], images: Path, tmp_path: Path) -> None:
    config["head"]["pre_pool"] = 3
    cell = make(config, tmp_path / "cell")
    assert run(cell) == FAILED
    status = read_status(cell)
    assert status["state"] is State.FAILED
    assert "head.pre_pool must be from 1 to 2, the extent of the 2x2 feature map, or null; not 3" in status["reason"]


def test_other_data_does_not_continue(done: Path) -> None:
    cell = done
    (cell / "result.json").unlink()
    started = json.loads((cell / "started.json").read_text())
    (cell / "started.json").write_text(json.dumps(started | {"data": "other"}))
    assert run(cell) == FAILED
    assert "have changed since" in read_status(cell)["reason"]


def test_an_edited_cell_is_refused_and_keeps_its_record(done: Path, config: dict[str, Any]) -> None:
    cell = done
    record = (cell / "result.json").read_bytes()
    make(config | {"seed": 7}, cell)
    with pytest.raises(UserError, match="is damaged: config.yaml was edited: it is not the configuration of the record"):
        run(cell)
    assert (cell / "result.json").read_bytes() == record
    (cell / "result.json").unlink()
    with pytest.raises(UserError, match="is damaged: config.yaml was edited: it is not .* that the directory is named after"):
        run(cell)
    make(config | {"protocol": "x"}, cell)
    with pytest.raises(UserError, match="is damaged: config.yaml: protocol is 'x'"):
        run(cell)
    (cell / "config.yaml").write_text("a: [")
    with pytest.raises(UserError, match=r"is damaged: config.yaml is no YAML \(line \d\)"):
        run(cell)


def test_code_that_changed_between_attempts_is_recorded(done: Path) -> None:
    cell = done
    (cell / "result.json").unlink()
    started = json.loads((cell / "started.json").read_text())
    (cell / "started.json").write_text(json.dumps(started | {"sources": ["older"]}))
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None
    assert record.provenance.sources[0] == "older"
    assert len(record.provenance.sources) == 2


@pytest.mark.parametrize("workers", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_killed_and_started_again_equals_undisturbed(config: dict[str, Any], tmp_path: Path, workers: int) -> None:
    """Kill -9 once in an epoch, once between the last epoch and the record. Workers fetch ahead, of the epoch that comes."""
    config["recipe"]["epochs"] = 6
    config["dataset"]["workers"] = workers
    whole, cut = make(config, tmp_path / "whole"), make(config, tmp_path / "cut")
    assert run(whole) == DONE
    process = spawn(cut)
    while len(read_metrics(cut)) < 2:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = len(read_metrics(cut))
    assert 2 <= done < 6
    assert read_record(cut) is None
    assert run(cut) == DONE
    assert_same(whole, cut)
    record = read_record(cut)
    assert record is not None and record.provenance.attempts == 2
    (cut / "result.json").unlink()
    assert run(cut) == DONE  # nothing left to train: only the test and the record
    assert_same(whole, cut)


@pytest.mark.slow
def test_killed_at_random_moments(config: dict[str, Any], tmp_path: Path) -> None:
    """Killed again and again, a cell still ends with the undisturbed numbers."""
    config["recipe"]["epochs"] = 8
    whole, cut = make(config, tmp_path / "whole"), make(config, tmp_path / "cut")
    assert spawn(whole).wait() == DONE
    generator = np.random.default_rng(0)
    for _ in range(12):
        process = spawn(cut)
        deadline = time.monotonic() + 120
        start = len(read_metrics(cut))
        while process.poll() is None and len(read_metrics(cut)) == start and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(generator.uniform(0, 0.4))
        process.kill()
        process.wait()
        if read_record(cut):
            break
    assert spawn(cut).wait() == DONE
    assert_same(whole, cut)


def test_a_cell_does_not_go_on_with_other_devices(done: Path) -> None:
    """Its BatchNorm would see other parts of a batch from then on. One that was started before they were noted goes on."""
    cell = done
    (cell / "result.json").unlink()
    started = json.loads((cell / "started.json").read_text())
    (cell / "started.json").write_text(json.dumps(started | {"devices": 8}))
    assert run(cell) == FAILED
    status = read_status(cell)
    assert status is not None and "was interrupted on 8 devices, and on 1 it would go on" in status["reason"]
    (cell / "started.json").write_text(json.dumps({key: value for key, value in started.items() if key != "devices"}))
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None and record.provenance.devices == 1


@pytest.mark.parametrize(("model", "accumulate", "count"), [("test_efficientnet", 2, 8), ("test_convnext", 2, None)])
def test_the_log_tells_how_many_images_batchnorm_sees(
    config: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    model: str,
    accumulate: int,
    count: int | None,
) -> None:
    config["backbone"]["model"] = model
    config["trainer"]["accumulate"] = accumulate
    config["recipe"]["epochs"] = 1
    seen: set[int] = set()

    def look(part: torch.nn.Module, inputs: Any) -> None:
        if isinstance(part, torch.nn.BatchNorm2d) and part.training and inputs[0].device.type != "meta":
            seen.add(len(inputs[0]))

    handle = torch.nn.modules.module.register_module_forward_pre_hook(look)
    with caplog.at_level("INFO", logger="wisesr"):
        assert run(make(config, tmp_path / "cell")) == DONE
    handle.remove()
    told = [message for message in caplog.messages if message.startswith("BatchNorm")]
    if count is None:
        assert told == [] and seen == set()
    else:
        assert told == [f"BatchNorm sees {count} images at a time (batch 16 over 1 device, accumulate {accumulate})"]
        assert max(seen) == count
