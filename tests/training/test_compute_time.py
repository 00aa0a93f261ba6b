"""The time of a step and of a prediction: what a stopwatch says of a model whose time is known, and nothing moved by it."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.training import trained
from wisesr.training import compute_time as measuring
from wisesr.training.compute_time import compute_time
from wisesr.training.module import ClassificationModule
from wisesr.types import Steps

_WORK = 0.03


def _work(*_: Any) -> None:
    """So many seconds of the processor."""
    end = time.process_time() + _WORK
    while time.process_time() < end:
        pass


def _after_training(config: dict[str, Any], tmp_path: Path, **recipe: Any) -> ClassificationModule:
    config["recipe"] |= {"epochs": 1, **recipe}
    module: ClassificationModule = trained(config, tmp_path / "cell")
    return module


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_model_whose_time_is_known(config: dict[str, Any], tmp_path: Path, accumulate: int) -> None:
    """Each of its forward passes has work to do that is nearly all of it."""
    config["trainer"]["accumulate"] = accumulate
    module = _after_training(config, tmp_path)
    module.model.register_forward_pre_hook(_work)
    found = compute_time(module, module.trainer, 60.0)
    assert found.batch == 8  # on CPU the smallest: four steps with 16 of the 54 images would be more than all training
    assert found.train_ms is not None and found.inference_ms is not None
    for milliseconds in (found.train_ms, found.inference_ms):
        assert 1000 * _WORK / found.batch <= milliseconds < 10 * 1000 * _WORK / found.batch


def test_nothing_is_moved(config: dict[str, Any], tmp_path: Path) -> None:
    module = _after_training(config, tmp_path, ema=0.5)
    before = copy.deepcopy(module.state_dict())
    modes = [part.training for part in module.modules()]
    files = {path: path.read_bytes() for path in (tmp_path / "cell").iterdir()}
    state = torch.get_rng_state()
    assert None not in astuple(compute_time(module, module.trainer, 60.0))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert [part.training for part in module.modules()] == modes
    assert all(parameter.grad is None for parameter in module.measured.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert {path: path.read_bytes() for path in (tmp_path / "cell").iterdir()} == files


def test_what_cannot_be_measured_is_a_line_in_the_log(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module = _after_training(config, tmp_path)

    def refuse(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module, "make_optimizer", refuse)
    caplog.set_level(logging.INFO)
    found = compute_time(module, module.trainer, 60.0)
    assert found.train_ms is None and found.inference_ms is not None
    assert "cost.compute.train_ms could not be measured: OutOfMemoryError: CUDA out of memory" in caplog.text


def test_a_step_that_takes_too_much_of_a_training(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    steps: list[int] = []

    def run() -> None:
        steps.append(1)

    def timed(run: Callable[[], None], _: torch.device) -> float:
        run()
        return 0.7

    monkeypatch.setattr(measuring, "_timed", timed)
    assert measuring._median(run, torch.device("cpu"), 20.0) is None
    assert len(steps) == 2
    assert "not measured, as it would take 2.1 s beside 20.0 s of training" in caplog.text
    assert measuring._median(run, torch.device("cpu"), 60.0) == pytest.approx(0.7, abs=0.2)
    assert len(steps) == 2 + 1 + 3, "not one more than the fewest"


def test_on_cpu_only_what_the_process_does_counts() -> None:
    assert measuring._timed(lambda: time.sleep(0.3), torch.device("cpu")) < 0.1


@pytest.mark.parametrize(
    ("steps", "world", "accumulate", "batch"),
    [
        (Steps(2000, 32, 20), 1, 1, 32),
        (Steps(2000, 32, 20), 2, 2, 8),
        (Steps(700, 64, 3), 1, 1, 16),  # 4 x 32 of 2100 images are 6.1 %, 4 x 16 are 3.0 %
        (Steps(54, 16, 1), 1, 1, 8),
        (Steps(54, 4, 1), 1, 1, 4),
        (Steps(54, 2, 1), 4, 1, 1),
    ],
)
def test_the_batch_depends_on_the_plan_alone(steps: Steps, world: int, accumulate: int, batch: int) -> None:
    assert measuring._batch(steps, world, accumulate, on_cpu=True) == batch
    assert measuring._batch(steps, world, accumulate, on_cpu=False) == max(1, steps.batch_size // (world * accumulate))
