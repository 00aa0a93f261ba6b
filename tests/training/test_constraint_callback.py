"""Kernels stay in their constraint in anybody's LightningModule, and no optimizer keeps a hook that nobody lifts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import lightning.pytorch
import pytest
import pytorch_lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from wisesr import ConstraintCallback, create_head
from wisesr.errors import UserError
from wisesr.models.heads.base import Head


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Advice of Lightning's about workers and loggers, which small tests do not want."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="(lightning|pytorch_lightning).*")
        warnings.filterwarnings("ignore", message=".*isinstance\\(treespec, LeafSpec\\).*")
        yield


def kernel_of(head: nn.Module) -> Tensor:
    return head.get_parameter("aggregation.kernel").detach()


def module_of(base: Any, **settings: Any) -> Any:
    """A LightningModule with two heads and an optimizer for each, or one for both."""

    class Mine(base):  # type: ignore[misc]
        def __init__(self, *, manual: bool = False, kept: bool = False, fails: bool = False) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.heads = nn.ModuleList(create_head("wise", (4, 3, 3), 5) for _ in range(2))
            self.automatic_optimization = not manual
            self.made = [torch.optim.AdamW(head.parameters(), lr=0.01) for head in self.heads] if manual else [self.both()]
            self.kept, self.fails, self.steps = kept, fails, 0

        def both(self) -> torch.optim.Optimizer:
            return torch.optim.AdamW(self.heads.parameters(), lr=0.01)

        def configure_optimizers(self) -> Any:
            if not self.kept and self.automatic_optimization:
                self.made = [self.both()]
            return self.made

        def training_step(self, batch: Tensor, batch_idx: int) -> Tensor | None:
            if self.fails:
                raise ArithmeticError
            if self.automatic_optimization:
                return sum((head(batch).logsumexp(1).sum() for head in self.heads), torch.zeros(()))
            turn = batch_idx % 2
            optimizer = self.optimizers()[turn]
            optimizer.zero_grad()
            self.manual_backward(self.heads[turn](batch).logsumexp(1).sum())
            optimizer.step()
            return None

        def on_train_batch_end(self, *_: object) -> None:
            self.steps += 1
            if not self.automatic_optimization:
                assert (kernel_of(self.heads[0]) >= 0).all()
                assert bool((kernel_of(self.heads[1]) >= 0).all()) == (self.steps > 1), "free until its own first step"
            elif self.steps % self.trainer.accumulate_grad_batches == 0:
                assert all((kernel_of(head) >= 0).all() for head in self.heads)
            elif self.steps == 1:
                assert all((kernel_of(head) < 0).any() for head in self.heads)

    return Mine(**settings)


def fit(library: Any, module: Any, callback: ConstraintCallback, **settings: Any) -> None:
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = library.Trainer(accelerator="cpu", max_epochs=1, callbacks=[callback], **quiet, **settings)
    trainer.fit(module, DataLoader(torch.randn(8, 4, 3, 3), batch_size=2))  # type: ignore[arg-type]


@pytest.mark.parametrize("library", [lightning.pytorch, pytorch_lightning], ids=lambda library: library.__name__)
@pytest.mark.parametrize(
    "settings", [{}, {"accumulate_grad_batches": 2}, {"precision": "bf16-mixed"}], ids=["plain", "accumulation", "AMP"]
)
def test_after_every_step(library: Any, settings: dict[str, Any]) -> None:
    module = module_of(library.LightningModule)
    fit(library, module, ConstraintCallback(), **settings)
    assert module.steps == 4


def test_several_optimizers_of_manual_optimization() -> None:
    module = module_of(lightning.pytorch.LightningModule, manual=True)
    fit(lightning.pytorch, module, ConstraintCallback())
    assert module.steps == 4


def test_a_second_fit_hooks_once_and_an_end_leaves_nothing() -> None:
    callback, module = ConstraintCallback(), module_of(lightning.pytorch.LightningModule, kept=True)
    (optimizer,) = module.made
    hooks: list[int] = []
    optimizer.register_step_pre_hook(lambda *_: hooks.append(len(optimizer._optimizer_step_post_hooks)))
    fit(lightning.pytorch, module, callback)
    fit(lightning.pytorch, module, callback)
    assert hooks == [1] * 8
    assert not optimizer._optimizer_step_post_hooks
    module.fails = True
    with pytest.raises(ArithmeticError):
        fit(lightning.pytorch, module, callback)
    assert not optimizer._optimizer_step_post_hooks


def test_an_optimizer_without_the_kernel_is_refused() -> None:
    module = module_of(lightning.pytorch.LightningModule, kept=True)
    module.made = [torch.optim.SGD([head.classifier.weight for head in module.heads if isinstance(head, Head)], lr=0.1)]
    with pytest.raises(UserError, match="no parameter of the module's DepthwiseAggregation"):
        fit(lightning.pytorch, module, ConstraintCallback())
