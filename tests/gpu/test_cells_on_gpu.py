"""Cells on a card: their record, their bits after a kill, their precisions, their neighbours."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.cells import assert_same, kill_after_two_epochs, make, spawn, weights
from tests.support.command import TOY, train
from wisesr.cell.run import DONE
from wisesr.results.metrics import read_metrics
from wisesr.results.record import Record
from wisesr.results.record_file import read_record
from wisesr.results.status_file import read_status
from wisesr.training.optimizers import sgd

pytestmark = pytest.mark.gpu


def finished(*cells: Path) -> list[Record]:
    """Records of cells, run beside each other."""
    processes = [spawn(cell) for cell in cells]
    for process, cell in zip(processes, cells, strict=True):
        assert process.wait(300) == DONE, read_status(cell).get("reason")
    records = [read_record(cell) for cell in cells]
    assert all(records)
    return [record for record in records if record is not None]


def steady(config: dict[str, Any], **trainer: Any) -> dict[str, Any]:
    """Without dropout, which no two devices draw alike, and without Adam, which makes whole steps of last bits."""
    changed = copy.deepcopy(config)
    changed["head"]["dropout"] = 0.0
    changed["recipe"]["optimizer"] = {
        "_target_": f"{sgd.__module__}.{sgd.__name__}",
        "lr": 0.02,
        "momentum": 0.9,
        "weight_decay": 0.0,
    }
    changed["trainer"] |= trainer
    return changed


def assert_near(one: Path, other: Path, *, atol: float) -> None:
    for (key, a), (_, b) in zip(weights(one).items(), weights(other).items(), strict=True):
        apart = float((a.double() - b.double()).abs().max())
        assert apart <= atol, key


def test_the_record_names_the_card(on_gpu: dict[str, Any], tmp_path: Path) -> None:
    cell = make(on_gpu, tmp_path / "cell")
    (record,) = finished(cell)
    assert record.provenance.hardware["device"] == torch.cuda.get_device_name(0)
    assert record.cost.peak_memory_bytes and 1e6 < record.cost.peak_memory_bytes < 1e10
    assert record.cost.images_per_second
    assert all(value.device.type == "cpu" for value in torch.load(cell / "best.ckpt", weights_only=True)["state_dict"].values())


def test_killed_and_resumed_to_the_bit(on_gpu: dict[str, Any], tmp_path: Path) -> None:
    on_gpu["recipe"]["epochs"] = 6
    whole, cut = make(on_gpu, tmp_path / "whole"), make(on_gpu, tmp_path / "cut")
    undisturbed = spawn(whole)
    kill_after_two_epochs(cut, 6)
    assert undisturbed.wait(300) == DONE
    (record,) = finished(cut)
    assert record.provenance.attempts == 2
    assert_same(whole, cut)


def test_cpu_and_gpu_agree_in_double_precision(on_gpu: dict[str, Any], tmp_path: Path) -> None:
    places = {kind: tmp_path / kind for kind in ("cpu", "gpu")}
    for kind, place in places.items():
        make(steady(on_gpu, precision="64-true", accelerator=kind), place)
    cpu, gpu = finished(*places.values())
    assert_near(places["gpu"], places["cpu"], atol=1e-6)
    assert gpu.best.row == pytest.approx(cpu.best.row, abs=1e-6)


def test_channels_last_changes_rounding_alone(on_gpu: dict[str, Any], tmp_path: Path) -> None:
    places = {layout: tmp_path / str(layout) for layout in (True, False)}
    for layout, place in places.items():
        make(steady(on_gpu, precision="64-true", channels_last=layout), place)
    finished(*places.values())
    assert_near(places[True], places[False], atol=1e-6)


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_mixed_precision_keeps_the_kernel_non_negative(on_gpu: dict[str, Any], tmp_path: Path, precision: str) -> None:
    """float16's scaler starts so high that the first steps overflow and are skipped; weights stay float32."""
    on_gpu["trainer"]["precision"] = precision
    cell = make(on_gpu, tmp_path / "cell")
    finished(cell)
    for name in ("best.ckpt", "last.ckpt"):
        kernel = weights(cell, name)["model.head.aggregation.kernel"]
        assert kernel.dtype == torch.float32
        assert (kernel >= 0).all() and (kernel > 0).any()
    rows = read_metrics(cell)
    assert rows[-1]["train/loss"] < rows[0]["train/loss"]


def test_two_cells_share_a_card(images: Path, tmp_path: Path) -> None:
    """`grid.cells_per_gpu=2`: both at once, each with half the cores, on the same card."""
    toy = [word for word in TOY if not word.startswith("trainer")]
    words = ["trainer=gpu", "dataset=folder", f"dataset.root={images}", "seed=0,1", "head=wise", "grid.cells_per_gpu=2"]
    done = train("-m", *toy, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(path.read_text()) for path in tmp_path.rglob("result.json")]
    assert [record["status"] for record in records] == ["done"] * 2
    assert {record["provenance"]["hardware"]["device"] for record in records} == {torch.cuda.get_device_name(0)}
    began = [(path.parent / "config.yaml").stat().st_mtime for path in tmp_path.rglob("result.json")]
    ended = [path.stat().st_mtime for path in tmp_path.rglob("result.json")]
    assert max(began) < min(ended)
