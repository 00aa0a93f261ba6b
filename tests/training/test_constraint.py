"""`constrain` beside what training loops have: scalers, averages, wrappers, several optimizers, groups that come later."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch
from timm.optim import Lookahead, create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from timm.utils import ModelEmaV3, NativeScaler
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from wisesr import constrain, create_head, replace_head
from wisesr.errors import UserError
from wisesr.models.heads.base import Head


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def make_head() -> Head:
    head = create_head("wise", (4, 3, 3), 5)
    assert (kernel_of(head) < 0).any(), "as in the paper's Keras, projection begins with the first step"
    return head


def kernel_of(module: nn.Module) -> Tensor:
    (kernel,) = (value for name, value in module.named_parameters() if name.endswith("aggregation.kernel"))
    return kernel.detach()


def loss_of(head: nn.Module, *shape: int) -> Tensor:
    logits: Tensor = head(torch.randn(4, *(shape or (4, 3, 3))))
    return nn.functional.cross_entropy(logits, torch.arange(4))


def step(optimizer: torch.optim.Optimizer, head: nn.Module) -> None:
    optimizer.zero_grad()
    loss_of(head).backward()
    optimizer.step()


def test_each_optimizer_constrains_what_it_moves() -> None:
    """A kernel is free until its own optimizer has stepped."""
    heads = nn.ModuleList([make_head(), make_head()])
    one, other = (torch.optim.SGD(head.parameters(), lr=0.1) for head in heads)
    constrain(one, heads)
    constrain(other, heads)
    loss_of(heads[0]).backward()
    before = kernel_of(heads[1]).clone()
    one.step()
    assert (kernel_of(heads[0]) >= 0).all()
    assert torch.equal(kernel_of(heads[1]), before)
    other.step()
    assert (kernel_of(heads[1]) >= 0).all()


def test_an_optimizer_of_something_else_is_refused() -> None:
    with pytest.raises(UserError, match=r"no parameter of the module's DepthwiseAggregation.*add_param_group"):
        constrain(torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1), make_head())


def test_a_frozen_kernel_and_a_head_without_one_need_nothing() -> None:
    head = make_head()
    head.aggregation.requires_grad_(False)
    constrain(torch.optim.SGD(head.classifier.parameters(), lr=0.1), head)
    gap = create_head("gap", (4, 3, 3), 5)
    constrain(torch.optim.SGD(gap.parameters(), lr=0.1), gap)


def test_parameters_that_come_later_are_constrained_too() -> None:
    heads = nn.ModuleList([make_head(), make_head()])
    optimizer = torch.optim.SGD(heads[0].parameters(), lr=0.1)
    constrain(optimizer, heads)
    optimizer.add_param_group({"params": heads[1].parameters()})
    step(optimizer, heads[1])
    assert (kernel_of(heads[1]) >= 0).all()


@pytest.mark.parametrize("zeroed", [True, False])
def test_timms_lookahead(zeroed: bool) -> None:
    """Its step has no hooks before its first zero_grad, and its slow weights move between steps, too."""
    head = make_head()
    optimizer = Lookahead(torch.optim.SGD(head.parameters(), lr=0.01), k=2)
    constrain(optimizer, head)
    for _ in range(4):
        if zeroed:
            optimizer.zero_grad()
        loss_of(head).backward()
        optimizer.step()
        assert (kernel_of(head) >= 0).all()
    optimizer.sync_lookahead()
    assert (kernel_of(head) >= 0).all()


def test_a_step_that_the_scaler_skips_moves_nothing() -> None:
    head = make_head()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    constrain(optimizer, head)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    before = kernel_of(head).clone()
    scaler.scale(loss_of(head) * float("inf")).backward()
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(kernel_of(head), before)
    optimizer.zero_grad()
    scaler.scale(loss_of(head)).backward()
    scaler.step(optimizer)
    scaler.update()
    assert (kernel_of(head) >= 0).all()


@pytest.mark.parametrize("first", ["after a step", "before"])
def test_torchs_average(first: str) -> None:
    """A mean of non-negative kernels is non-negative: of one that starts before the first step, a part may not be."""
    head = make_head()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.001)
    constrain(optimizer, head)
    average = AveragedModel(head, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    if first == "before":
        average.update_parameters(head)
    for _ in range(5):
        step(optimizer, head)
        average.update_parameters(head)
    assert bool((kernel_of(average) >= 0).all()) == (first == "after a step")


@pytest.mark.parametrize("counted", [True, False])
def test_timms_average(counted: bool) -> None:
    """Its first update copies where it is told the step, as in timm's train.py; else the average starts with the start."""
    head = make_head()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.001)
    constrain(optimizer, head)
    average = ModelEmaV3(head, decay=0.9)
    for number in range(5):
        step(optimizer, head)
        average.update(head, step=number + 1 if counted else None)
    assert bool((kernel_of(average) >= 0).all()) == counted


@pytest.mark.parametrize("opt", ["sgd", "adamw", "lamb", "lookahead_adamw"])
def test_the_lines_for_timms_train_script(opt: str) -> None:
    """Its own pieces, in its order: model, optimizer, average, scaler, schedule, accumulation."""
    model: Any = replace_head(timm.create_model("test_resnet"), "wise", num_classes=5, image_size=64)
    optimizer = create_optimizer_v2(model, opt=opt, lr=1e-3, weight_decay=0.05)
    constrain(optimizer, model)
    average = ModelEmaV3(model, decay=0.9)
    scaler = NativeScaler(device="cpu")
    schedule = CosineLRScheduler(optimizer, t_initial=4, warmup_t=1, warmup_lr_init=1e-4)
    for update in range(1, 5):
        optimizer.zero_grad()
        for part in range(2):
            loss = loss_of(model, 3, 64, 64) / 2
            scaler(loss, optimizer, clip_grad=1.0, clip_mode="norm", parameters=model.parameters(), need_update=part == 1)
        assert (kernel_of(model) >= 0).all()
        average.update(model, step=update)
        assert (kernel_of(average) >= 0).all()
        schedule.step(update)


class Wrapped(torch.optim.Optimizer):
    """An optimizer around another, as accelerate's: without the base class's start, and so without hooks."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        self.param_groups = optimizer.param_groups

    def step(self, closure: Any = None) -> Any:
        return self.optimizer.step(closure)


def test_an_optimizer_around_another() -> None:
    head = make_head()
    optimizer = Wrapped(torch.optim.SGD(head.parameters(), lr=0.1))
    constrain(optimizer, head)
    loss_of(head).backward()
    optimizer.step()
    assert (kernel_of(head) >= 0).all()


def test_arguments_that_are_something_else() -> None:
    head: Any = make_head()
    optimizer: Any = torch.optim.SGD(head.parameters(), lr=0.1)
    schedule: Any = torch.optim.lr_scheduler.StepLR(optimizer, 1)
    several: Any = [optimizer]
    for first in (head, several, schedule):
        with pytest.raises(UserError, match=f"its first argument is a {type(first).__name__}: call it as constrain"):
            constrain(first, head)
    with pytest.raises(UserError, match="its second argument is a list"):
        constrain(optimizer, several)
