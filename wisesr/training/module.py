"""The LightningModule: one training step, one evaluation step, and randomness that depends on nothing but the step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from wisesr.data.datamodule import Batch
from wisesr.models.classifier import Classifier
from wisesr.training.constraint import constrain
from wisesr.training.metrics import MeanLoss, SplitMetrics
from wisesr.training.schedules import Schedule
from wisesr.types import Steps, derive_seed


class ClassificationModule(LightningModule):
    """Cross-entropy training of a classifier.

    Args:
        model: images -> logits.
        num_classes: logits.
        optimizer: parameters -> optimizer.
        schedule: optimizer step -> factor of the optimizer's rate.
        steps: of the run.
        seed: of the cell; dropout is drawn from (seed, epoch, batch, device).
        channels_last: memory layout of images and weights.
    """

    def __init__(
        self,
        model: Classifier,
        *,
        num_classes: int,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        schedule: Schedule,
        steps: Steps,
        seed: int,
        channels_last: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.steps = steps
        self.train_loss = MeanLoss()
        self.val_metrics = SplitMetrics(num_classes)
        self.test_metrics = SplitMetrics(num_classes)
        self.figures: dict[str, float] = {}
        """The latest results: `val/top1`, `test/loss`, ..."""
        self.predictions: list[tuple[Tensor, Tensor, Tensor]] = []
        """Of the test on this device: positions in the manifest, labels, probabilities."""
        self._optimizer, self._schedule, self._seed = optimizer, schedule, seed
        self._layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model.to(memory_format=self._layout)

    def configure_optimizers(self) -> Any:
        """The recipe's optimizer with its schedule, stepped every optimizer step; kernels projected after each."""
        optimizer = self._optimizer(self.model.parameters())
        constrain(optimizer, self.model)
        scheduler = LambdaLR(optimizer, self._schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> logits, (batch, classes)."""
        logits: Tensor = self.model(images.contiguous(memory_format=self._layout))
        return logits

    def on_train_epoch_start(self) -> None:
        """Start the epoch's mean loss."""
        self.train_loss.reset()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Reseed, so that a run that resumes draws what an undisturbed one draws."""
        torch.manual_seed(derive_seed(self._seed, "model", self.current_epoch, batch_idx, self.global_rank))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one device's batch, weighted so that a step's gradient is the mean over its global batch.

        Lightning divides by accumulation and DDP by devices, as if all parts were of equal size; the last batch's are not.
        """
        losses = nn.functional.cross_entropy(self(batch.images), batch.labels, reduction="none")
        self.train_loss.update(losses)
        parts = self.trainer.world_size * self.trainer.accumulate_grad_batches
        start = (batch_idx // self.trainer.accumulate_grad_batches) * self.steps.batch_size
        global_batch = min(self.steps.batch_size, self.steps.train_images - start)
        return losses.sum() * (parts / max(global_batch, parts))

    def on_train_epoch_end(self) -> None:
        """The epoch's mean loss over all training images."""
        self.figures["train/loss"] = self.train_loss.result()

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's batches."""
        self.val_metrics.reset()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the validation figures."""
        self.val_metrics.update(self(batch.images), batch.labels)

    def on_validation_epoch_end(self) -> None:
        """Publish the validation figures."""
        self._publish("val", self.val_metrics)

    def on_test_epoch_start(self) -> None:
        """Forget an earlier test."""
        self.test_metrics.reset()
        self.predictions = []

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the test figures, and keep its probabilities."""
        logits = self(batch.images).float()
        self.test_metrics.update(logits, batch.labels)
        self.predictions.append((batch.positions.cpu(), batch.labels.cpu(), logits.softmax(dim=1).cpu()))

    def on_test_epoch_end(self) -> None:
        """Publish the test figures."""
        self._publish("test", self.test_metrics)

    def _publish(self, split: str, metrics: SplitMetrics) -> None:
        self.figures |= {f"{split}/{name}": value for name, value in metrics.result().items()}
