"""A cell that starts from pretrained weights: what is recorded of them, and what becomes of it when they change."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from tests.support.cells import make, weights
from wisesr import create_model
from wisesr.cell.run import DONE, FAILED, changes, run
from wisesr.results.record_file import read_record
from wisesr.results.state import State
from wisesr.results.status_file import read_status


def test_pretrained_weights_are_recorded_and_their_change_is_told(config: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    torch.save(create_model("test_efficientnet", "gap", 3, 64).backbone.model.state_dict(), file)
    config["backbone"]["weights"] = str(file)
    config["recipe"]["epochs"] = 1
    config["recipe"]["optimizer"]["lr"] = 0.0
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    start = torch.load(file, weights_only=True)["conv_stem.weight"]
    assert torch.equal(weights(cell)["model.backbone.model.conv_stem.weight"], start)
    record = read_record(cell)
    assert record is not None
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    noted = record.provenance.weights
    assert (noted["source"], noted["sha256"]) == (str(file), digest)
    assert torch.load(cell / "best.ckpt", weights_only=True)["inputs"] == record.provenance.inputs
    assert record.provenance.inputs == {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    data = record.provenance.data.fingerprint
    assert changes(record, data, digest, "") == []
    assert changes(record, data, "other", "") == ["the file of pretrained weights has changed since"]
    file.rename(tmp_path / "moved.pth")
    assert run(cell) == DONE, "a record stands without what it was made from"
    assert read_status(cell)["state"] is State.DONE
    (tmp_path / "moved.pth").rename(file)
    (cell / "result.json").unlink()
    torch.save(create_model("test_efficientnet", "gap", 3, 64).backbone.model.state_dict(), file)
    assert run(cell) == FAILED
    assert "w.pth has changed since" in read_status(cell)["reason"]
    file.unlink()
    assert run(cell) == FAILED
    assert "there is no file" in read_status(cell)["reason"]
