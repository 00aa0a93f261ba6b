"""One cell on two CPU processes: the same numbers as on one, for a model without BatchNorm."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.grid.test_train import TOY, train
from tests.test_cell import make, spawn, weights
from wisesr.cell import DONE
from wisesr.results.record import read_metrics, read_record


@pytest.fixture
def odd(images: Path, tmp_path: Path) -> Path:
    """17 test images, which two processes cannot share evenly."""
    root = tmp_path / "odd"
    shutil.copytree(images, root)
    (root / "test" / "class1" / "03.png").unlink()
    return root


@pytest.mark.slow
def test_two_processes_compute_what_one_does(config: dict[str, Any], odd: Path, tmp_path: Path) -> None:
    config["backbone"]["model"] = "test_convnext"
    config["dataset"]["root"] = str(odd)
    config["head"]["dropout"] = 0.0
    config["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
    config["recipe"] |= {"ema": 0.8, "class_weights": "balanced", "label_smoothing": 0.1, "head_lr_scale": 2.0}
    config["recipe"]["optimizer"] = {
        "_target_": "wisesr.training.optimizers.sgd",
        "lr": 0.2,
        "momentum": 0.9,
        "weight_decay": 0.0,
    }
    config["trainer"]["precision"] = "64-true"
    double = copy.deepcopy(config)
    double["trainer"] |= {"strategy": "ddp", "devices": 2}
    cells = [make(config, tmp_path / "one"), make(double, tmp_path / "two")]
    assert [spawn(cell).wait() for cell in cells] == [DONE, DONE]
    rows = [read_metrics(cell) for cell in cells]
    assert rows[0] == [pytest.approx(row, rel=1e-5) for row in rows[1]]
    for (key, a), (_, b) in zip(weights(cells[0]).items(), weights(cells[1]).items(), strict=True):
        torch.testing.assert_close(a, b, msg=key)
    assert (weights(cells[1])["model.head.aggregation.kernel"] >= 0).all()
    one, two = (np.load(cell / "predictions.npz") for cell in cells)
    assert list(one["ids"]) == list(two["ids"]), "each test image once, in the same order"
    assert len(two["ids"]) == 17
    np.testing.assert_allclose(one["probabilities"], two["probabilities"], atol=1e-6)
    record = read_record(cells[1])
    assert record is not None
    assert record["provenance"]["data"]["images"]["test"] == 17


@pytest.mark.slow
def test_ends_early_together(config: dict[str, Any], tmp_path: Path) -> None:
    """Each process has a clock of its own; they must agree on when the time is over."""
    config["recipe"]["epochs"] = 500
    config["trainer"] |= {"strategy": "ddp", "devices": 2, "max_time": "00:00:00:02"}
    cell = make(config, tmp_path / "cell")
    assert spawn(cell).wait() == DONE
    record = read_record(cell)
    assert record is not None
    assert record["budget"]["stopped"] == "max_time"


@pytest.mark.slow
@pytest.mark.parametrize("mode", [["head=wise"], ["-m", "head=gap,wise"]], ids=["run", "multirun"])
def test_from_the_command_line(mode: list[str], odd: Path, tmp_path: Path) -> None:
    """`trainer=ddp` in a run and in a sweep: the other process starts the cell, not `train.py -m` again."""
    arguments = ["trainer=ddp" if part == "trainer=cpu" else part for part in TOY]
    data = ["dataset=folder", f"dataset.root={odd}", "recipe.batch_size=8"]
    done = train(*mode, *arguments, "trainer.accelerator=cpu", "trainer.devices=2", *data, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    records = sorted(tmp_path.glob("outputs/default/odd-32/*/*/result.json"))
    assert [path.parent.parent.name.rpartition("-")[2] for path in records] == mode[-1].partition("=")[2].split(",")
    for path in records:
        assert len(set(np.load(path.parent / "predictions.npz")["ids"])) == 17
    kernel = weights(records[-1].parent)["model.head.aggregation.kernel"]
    assert (kernel >= 0).all()
