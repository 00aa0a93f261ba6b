"""Recipes inside Lightning: average, mixing, precision, accumulation and projection together, and through a kill."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.cells import assert_same, make, spawn, weights
from tests.support.training import plain, trained
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.cell.run import DONE, run
from wisesr.errors import UserError
from wisesr.results.metrics import read_metrics
from wisesr.results.record import SpentBudget
from wisesr.results.record_file import read_record
from wisesr.training.average import averaged_model
from wisesr.training.fit import fit

ALL = {"label_smoothing": 0.1, "class_weights": "balanced", "mixup": 0.2, "cutmix": 1.0, "ema": 0.9, "head_lr_scale": 3.0}


def test_the_average_is_the_recursion() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)).double()
    average = averaged_model(model, 0.5)
    expected: dict[str, torch.Tensor] = {}
    for step in range(20):
        for value in model.state_dict().values():
            value.copy_(torch.randn_like(value) if value.is_floating_point() else value + 1)
        keep = min(0.5, (1 + step) / (10 + step)) if step else 0.0
        for key, value in model.state_dict().items():
            expected[key] = keep * expected[key] + (1 - keep) * value if step and value.is_floating_point() else value.clone()
        average.update_parameters(model)
    for key, value in average.module.state_dict().items():
        torch.testing.assert_close(value, expected[key], msg=key)
    assert not any(parameter.requires_grad for parameter in average.parameters())


def test_what_is_measured_is_the_average_and_its_kernel_is_non_negative(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["ema"] = 0.5
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    best = weights(cell, "best.ckpt")
    mine, average = best["model.head.aggregation.kernel"], best["ema.module.head.aggregation.kernel"]
    assert not torch.equal(mine, average)
    assert (average >= 0).all()
    assert (mine >= 0).all()
    record = read_record(cell)
    assert record is not None
    loss = {}
    for name, ema in (("average", 0.5), ("weights", None)):
        config["recipe"]["ema"] = ema
        parts = build(config, build_manifest(config))
        parts.module.load_state_dict({key: value for key, value in best.items() if ema or not key.startswith("ema.")})
        parts.module.eval()
        with torch.no_grad():
            losses = [
                torch.nn.functional.cross_entropy(parts.module(batch.images), batch.labels, reduction="none")
                for batch in parts.data.test_dataloader()
            ]
        loss[name] = float(torch.cat(losses).mean())
    assert record.best.test_loss == pytest.approx(loss["average"], rel=1e-4)
    assert record.best.test_loss != pytest.approx(loss["weights"], rel=1e-4)


def test_the_heads_rate_is_a_multiple_and_follows_the_schedule(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["head_lr_scale"] = 10.0
    parts = build(config, build_manifest(config))
    (tmp_path / "cell").mkdir()
    rates: list[tuple[float, float]] = []

    def note(*_: object) -> None:
        groups = parts.module.trainer.optimizers[0].param_groups
        rates.append((groups[0]["lr"], groups[2]["lr"]))
        assert [group["lr"] for group in groups] == [rates[-1][0]] * 2 + [rates[-1][1]] * 2, "weights and what is not decayed"
        own = {id(p) for group in groups[2:] for p in group["params"]}
        assert own == {id(p) for p in parts.module.model.head.parameters()}

    parts.module.on_train_batch_end = note  # type: ignore[method-assign]
    fit(parts.module, parts.data, parts.trainer, directory=tmp_path / "cell", loggers=[])
    assert len({rate for rate, _ in rates}) > 8
    assert all(head == pytest.approx(10 * body) for body, head in rates)
    rows = read_metrics(tmp_path / "cell")
    assert all(any(row["lr"] == pytest.approx(body) for body, _ in rates) for row in rows), "lr is the backbone's"


def test_a_frozen_backbone_trains_its_head_alone(config: dict[str, Any], tmp_path: Path) -> None:
    config["backbone"]["freeze"] = "all"
    config["recipe"] |= {"head_lr_scale": 2.0, "ema": 0.5}
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    torch.manual_seed(0)
    start = build(config, build_manifest(config)).module.model.state_dict()
    for key, value in weights(cell).items():
        if key.startswith("model.backbone."):
            assert torch.equal(value, start[key.removeprefix("model.")]), key
    assert not torch.equal(weights(cell)["model.head.classifier.weight"], start["head.classifier.weight"])
    record = read_record(cell)
    assert record is not None
    parameters = record.cost.parameters
    assert parameters.trainable == parameters.head


@pytest.mark.slow
def test_accumulation_equals_one_batch_with_average_and_weights_too(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"] |= {"ema": 0.8, "class_weights": "balanced", "label_smoothing": 0.1, "head_lr_scale": 2.0}
    whole = trained(plain(config), tmp_path / "whole")
    config["trainer"]["accumulate"] = 4
    parts = trained(plain(config), tmp_path / "parts")
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[key], value, msg=key)
    assert [int(weights(tmp_path / name)["ema.n_averaged"]) for name in ("whole", "parts")] == [8, 8], "once a step"


def test_mixing_needs_two_images(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["mixup"] = 0.2
    config["trainer"]["accumulate"] = 16
    with pytest.raises(UserError, match="recipe.batch_size must be at least 2 for each of the 16 parts"):
        trained(config, tmp_path / "cell")


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_everything_together_through_a_kill(config: dict[str, Any], tmp_path: Path, compiled: bool) -> None:
    """bf16, average, mixing, accumulation, clipping, two rates, projection: killed, and equal to undisturbed to the bit."""
    config["recipe"] |= {**ALL, "epochs": 4}
    config["trainer"] |= {"precision": "bf16-mixed", "accumulate": 2, "clip": 1.0, "compile": compiled}
    whole, cut = make(config, tmp_path / "whole"), make(config, tmp_path / "cut")
    assert (spawn(whole).wait() if compiled else run(whole)) == DONE
    process = spawn(cut)
    while len(read_metrics(cut)) < 2:
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert 2 <= len(read_metrics(cut)) < 4
    assert (spawn(cut).wait() if compiled else run(cut)) == DONE
    assert_same(whole, cut)
    last = weights(whole)
    assert (last["model.head.aggregation.kernel"] >= 0).all()
    assert (last["ema.module.head.aggregation.kernel"] >= 0).all()
    assert last["model.head.aggregation.kernel"].dtype == torch.float32


def test_patience_ends_training_and_is_recorded(config: dict[str, Any], tmp_path: Path) -> None:
    config = plain(config)
    config["recipe"] |= {"epochs": 9, "patience": 2}
    config["recipe"]["optimizer"]["lr"] = 0.0  # nothing moves, so no epoch is better than the first
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    rows, record = read_metrics(cell), read_record(cell)
    assert record is not None
    best = record.best.epoch
    assert len(rows) == best + 2 < 9
    assert record.budget == SpentBudget(epochs=9, trained_epochs=len(rows), steps=4 * len(rows), stopped="patience")
    before = copy.deepcopy(rows)
    (cell / "result.json").unlink()  # as if killed before the record: it must not train on
    assert run(cell) == DONE
    assert read_metrics(cell) == before
    again = read_record(cell)
    assert again is not None
    assert (again.best, again.last) == (record.best, record.last)
    assert again.budget == record.budget


def test_max_time_ends_training_after_the_epoch_that_passes_it(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["epochs"] = 500
    config["trainer"]["max_time"] = "00:00:00:01"
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None
    assert record.budget.stopped == "max_time"
    assert 1 <= record.budget.trained_epochs < 500
    assert record.cost.train_seconds >= 1
    assert 0 <= record.best.test_top1 <= 1


def test_an_undisturbed_budget_is_recorded(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["patience"] = 3
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None
    assert record.budget == SpentBudget(epochs=3, trained_epochs=3, steps=12, stopped=None)
