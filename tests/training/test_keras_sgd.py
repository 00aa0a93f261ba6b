"""Keras' SGD and schedule, against Keras run once (fixtures/make_keras_sgd.py) and against its recursion written out."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from tests.support.cells import assert_same, make
from wisesr.cell.run import DONE, FAILED, run
from wisesr.errors import UserError
from wisesr.results.metrics import read_metrics
from wisesr.training.cost import Kind, state_bytes
from wisesr.training.module import ClassificationModule
from wisesr.training.optimizers import sgd
from wisesr.training.schedules import staircase
from wisesr.types import Steps

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def keras() -> Arrays:
    with np.load(Path(__file__).parent.parent / "fixtures" / "keras_sgd.npz") as file:
        return dict(file)


@pytest.mark.parametrize("name", ["sub_imagenet", "intel", "mit_indoor", "mit_indoor_512"])
def test_the_rate_of_every_step_of_ten_epochs(name: str, keras: Arrays) -> None:
    images, batch, _, count = map(int, keras[f"rates/{name}"])
    steps = Steps(images, batch, 10)
    assert steps.total == count, "the last, smaller batch is a step too"
    changes, values = keras[f"rates/{name}/steps"], keras[f"rates/{name}/values"]
    expected = values[np.searchsorted(changes, np.arange(count), side="right") - 1]
    factor = staircase(steps, factor=0.94, epochs=2)
    found = np.array([0.045 * factor(step) for step in range(count)])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0)
    assert (np.flatnonzero(np.diff(found, prepend=0)) == changes).all()


def network(keras: Arrays) -> nn.Sequential:
    """The fixture's, with its first weights."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 6), (6, 8)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs, 1.001e-5, 1 - 0.99), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    counters = {key: value for key, value in model.state_dict().items() if key.endswith("num_batches_tracked")}
    before = {key.removeprefix("before/"): torch.from_numpy(keras[key]) for key in keras if key.startswith("before/")}
    model.load_state_dict(counters | before)
    return model


def trained(keras: Arrays, *, lr_in_velocity: bool) -> tuple[dict[str, np.ndarray], list[float]]:
    """Weights after the fixture's 30 steps, and the losses before each."""
    rate, decay_steps, fall = keras["schedule"]
    model = network(keras)
    optimizer = make_sgd(model.parameters(), lr=float(rate), lr_in_velocity=lr_in_velocity)
    factor = staircase(Steps(52, 8, 5), factor=float(fall), epochs=2)
    assert [step for step in range(1, 30) if factor(step) != factor(step - 1)] == [decay_steps, 2 * decay_steps] == [12, 24]
    scheduler = LambdaLR(optimizer, factor)
    losses = []
    for images, labels in zip(torch.from_numpy(keras["images"]), torch.from_numpy(keras["labels"]), strict=True):
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    state = {key: value.numpy() for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    return state, losses


def make_sgd(parameters: Any, *, lr: float, momentum: float = 0.9, lr_in_velocity: bool = True) -> Optimizer:
    return sgd([{"params": list(parameters)}], lr=lr, momentum=momentum, weight_decay=0.0, lr_in_velocity=lr_in_velocity)


def test_a_network_with_batch_norm_ends_where_keras_ends(keras: Arrays) -> None:
    """30 steps, the rate halved twice: all weights and running means to 1e-6 (largest difference found: 2.4e-7)."""
    found, losses = trained(keras, lr_in_velocity=True)
    np.testing.assert_allclose(losses, keras["losses"], atol=1e-6, rtol=0)
    for key, value in found.items():
        if not key.endswith("running_var"):
            np.testing.assert_allclose(value, keras[f"after/{key}"], atol=1e-6, rtol=0, err_msg=key)
            assert key in ("0.bias", "3.bias") or np.abs(value - keras[f"before/{key}"]).max() > 0.03, "it has moved"


def test_running_variances_differ_from_keras_3_by_bessels_correction_alone(keras: Arrays) -> None:
    """PyTorch averages n / (n - 1) times a batch's variance, Keras 3 the variance itself. n is 512 here: 0.2 %.

    tf.keras 2, which the notebooks ran on, takes it from TensorFlow's fused kernel, which corrects as PyTorch does.
    """
    found, _ = trained(keras, lr_in_velocity=True)
    n = 8 * 8 * 8
    for key in ("1.running_var", "4.running_var"):
        old = 0.99**30 * keras[f"before/{key}"]
        np.testing.assert_allclose((found[key] - old) * (n - 1) / n + old, keras[f"after/{key}"], atol=2e-6, rtol=0)
        assert 1e-4 < np.abs(found[key] - keras[f"after/{key}"]).max() < 2e-3
    counts, ratios = keras["bessel"].T
    np.testing.assert_allclose(ratios, counts / (counts - 1), rtol=1e-5)


def test_pytorchs_velocity_ends_elsewhere(keras: Arrays) -> None:
    """So the test above would tell."""
    found, losses = trained(keras, lr_in_velocity=False)
    assert max(np.abs(found[key] - keras[f"after/{key}"]).max() for key in found if key.endswith("weight")) > 0.05
    np.testing.assert_allclose(losses[:13], keras["losses"][:13], atol=1e-6, rtol=0)
    assert abs(losses[20] - keras["losses"][20]) > 1e-3


# The recursion itself: v = m v - lr g, w = w + v.


def recursion(start: Tensor, gradients: Tensor, rates: list[float], momentum: float = 0.9) -> Tensor:
    velocity = torch.zeros_like(start)
    for gradient, rate in zip(gradients, rates, strict=True):
        velocity = momentum * velocity - rate * gradient
        start = start + velocity
    return start


RATES = [0.5, 0.5, 0.1, 0.1, 0.3, 0.02, 0.02, 0.9]


def take(
    optimizer: Optimizer, parameter: Tensor, gradients: Tensor, rates: list[float], step: Callable[[], Any] | None = None
) -> None:
    """Steps with these gradients and rates."""
    for gradient, rate in zip(gradients, rates, strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate
        parameter.grad = gradient.clone()
        (step or optimizer.step)()


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_any_schedule(momentum: float) -> None:
    torch.manual_seed(0)
    gradients = torch.randn(8, 5, dtype=torch.float64)
    parameter = nn.Parameter(torch.randn(5, dtype=torch.float64))
    expected = recursion(parameter.detach().clone(), gradients, RATES, momentum)
    optimizer = make_sgd([parameter], lr=0.5, momentum=momentum)
    take(optimizer, parameter, gradients, RATES)
    torch.testing.assert_close(parameter.detach(), expected)


def test_groups_have_rates_of_their_own() -> None:
    torch.manual_seed(0)
    gradients = torch.randn(8, 5, dtype=torch.float64)
    parameters = [nn.Parameter(torch.zeros(5, dtype=torch.float64)) for _ in range(2)]
    optimizer = sgd([{"params": [p]} for p in parameters], lr=0.5, momentum=0.9, weight_decay=0.0, lr_in_velocity=True)
    rates = [RATES, RATES[::-1]]
    for number, gradient in enumerate(gradients):
        for parameter, group, own in zip(parameters, optimizer.param_groups, rates, strict=True):
            group["lr"], parameter.grad = own[number], gradient.clone()
        optimizer.step()
    for parameter, own in zip(parameters, rates, strict=True):
        torch.testing.assert_close(parameter.detach(), recursion(torch.zeros(5, dtype=torch.float64), gradients, own))


@pytest.mark.parametrize("cut", range(1, 8))
def test_saved_and_loaded_at_any_step_it_goes_on_to_the_bit(cut: int) -> None:
    """Before a change of the rate, after one, and between."""
    torch.manual_seed(0)
    gradients, start = torch.randn(8, 5), torch.randn(5)
    whole = nn.Parameter(start.clone())
    take(make_sgd([whole], lr=0.5), whole, gradients, RATES)
    first = nn.Parameter(start.clone())
    optimizer = make_sgd([first], lr=0.5)
    take(optimizer, first, gradients[:cut], RATES[:cut])
    file = io.BytesIO()
    torch.save({"weights": first.data, "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    second = nn.Parameter(saved["weights"])
    optimizer = make_sgd([second], lr=0.5)
    optimizer.load_state_dict(saved["optimizer"])
    take(optimizer, second, gradients[cut:], RATES[cut:])
    assert torch.equal(whole, second)


@pytest.mark.parametrize("skipped", [[2], [1, 2], [4, 7]])
def test_steps_that_amp_skips_do_not_count(skipped: list[int]) -> None:
    """The scaler finds infinite gradients and does not step; the rate goes on. As if those steps had not been."""
    torch.manual_seed(0)
    gradients = torch.randn(8, 5)
    parameter = nn.Parameter(torch.randn(5))
    kept = [number for number in range(8) if number not in skipped]
    expected = recursion(parameter.detach().clone(), gradients[kept], [RATES[number] for number in kept])
    optimizer = make_sgd([parameter], lr=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)

    def step() -> None:
        assert parameter.grad is not None
        parameter.grad *= scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()

    scaler.scale(torch.zeros(()))  # makes the scale, as the first backward pass would
    broken = gradients.clone()
    broken[skipped] = torch.inf
    take(optimizer, parameter, broken, RATES, step)
    torch.testing.assert_close(parameter.detach(), expected)


def test_a_rate_of_zero() -> None:
    """From the start it is harmless; later Keras' weights would move on by their velocity."""
    gradients, parameter = torch.ones(3, 2), nn.Parameter(torch.zeros(2))
    take(make_sgd([parameter], lr=0.5), parameter, gradients, [0.0, 0.0, 0.5])
    torch.testing.assert_close(parameter.detach(), torch.full((2,), -0.5))
    with pytest.raises(UserError, match="lr_in_velocity=true needs a learning rate above 0.* goes from 0.5 to 0:"):
        take(make_sgd([parameter], lr=0.5), parameter, gradients, [0.5, 0.0, 0.5])
    take(make_sgd([parameter], lr=0.5, momentum=0.0), parameter, gradients, [0.5, 0.0, 0.5])


def test_parameters_without_a_gradient_and_on_meta() -> None:
    idle, moved = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
    optimizer = make_sgd([idle, moved], lr=0.5)
    take(optimizer, moved, torch.ones(3, 2), [0.5, 0.1, 0.1])
    assert idle not in optimizer.state
    settings = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.0}
    makers = [partial(sgd, **settings, lr_in_velocity=choice) for choice in (True, False)]
    kinds = [Kind((30, 20), torch.float32)]
    assert state_bytes(makers[0], kinds) == state_bytes(makers[1], kinds), "nothing more in checkpoints"


def test_a_cell_that_was_interrupted_equals_undisturbed(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All conventions of Keras in Lightning. 54 images in batches of 18: the rate falls with the first step of each epoch."""
    velocity = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.0, "lr_in_velocity": True}
    config["recipe"] |= {"batch_size": 18, "init": "keras", "batch_norm": "keras", "structure": "keras"}
    config["head"] |= {"init": "torch"}
    config["recipe"] |= {"head_lr_scale": 2.0}
    config["recipe"]["optimizer"] = {"_target_": "wisesr.training.optimizers.sgd", **velocity}
    config["recipe"]["schedule"] = {"_target_": "wisesr.training.schedules.staircase", "factor": 0.5, "epochs": 1}
    whole, cut = make(config, tmp_path / "whole"), make(config, tmp_path / "cut")
    assert run(whole) == DONE
    start = ClassificationModule.on_train_epoch_start

    def broken(self: ClassificationModule) -> None:
        start(self)
        if self.current_epoch == 2:
            raise RuntimeError("interrupted")

    monkeypatch.setattr(ClassificationModule, "on_train_epoch_start", broken)
    assert run(cut) == FAILED
    assert [row["lr"] for row in read_metrics(cut)] == pytest.approx([0.05, 0.025])
    monkeypatch.undo()
    assert run(cut) == DONE
    assert_same(whole, cut)
