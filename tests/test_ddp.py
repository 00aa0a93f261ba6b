"""One cell on two CPU processes: the same numbers as on one, for a model without BatchNorm."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.test_cell import make, spawn, weights
from wisesr.cell import DONE
from wisesr.results.record import read_metrics, read_record


@pytest.mark.slow
def test_two_processes_compute_what_one_does(config: dict[str, Any], tmp_path: Path) -> None:
    config["backbone"]["model"] = "test_convnext"
    config["head"]["dropout"] = 0.0
    config["augment"] = {"_target_": "wisesr.data.augmentation.Plain"}
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
    np.testing.assert_allclose(one["probabilities"], two["probabilities"], atol=1e-6)
    record = read_record(cells[1])
    assert record is not None
    assert record["provenance"]["data"]["images"]["test"] == len(two["ids"])
