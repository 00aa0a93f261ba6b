"""The LightningModule: one training step, one evaluation step, and randomness that depends on nothing but the step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from wisesr.data.datamodule import Batch
from wisesr.errors import UserError
from wisesr.models.classifier import Classifier
from wisesr.models.keras_conventions import epsilons
from wisesr.models.keras_structure import has_keras_structure
from wisesr.training.average import averaged_model
from wisesr.training.constraint import constrain
from wisesr.training.metrics import MeanLoss, SplitMetrics, top1
from wisesr.training.objective import Objective
from wisesr.training.parameter_groups import finish_groups, named_group
from wisesr.training.randomness import seed_generators
from wisesr.training.schedules import Schedule
from wisesr.training.single_image import check_single_images
from wisesr.types import Steps, derive_seed


class ClassificationModule(LightningModule):
    """Training of a classifier.

    Args:
        model: images -> logits.
        class_names: in the order of the logits.
        image_size: pixels, height and width.
        optimizer: two groups of parameters with their names, the backbone's and the head's -> optimizer.
        schedule: optimizer step -> factor of the optimizer's rate.
        seed: of the cell; dropout and mixing are drawn from (seed, epoch, batch, device).
        inputs: what images are normalised with, plain data for checkpoints (`Augmentation.inputs`).
        objective: the loss.
        head_lr_scale: the head's learning rate as a multiple of the backbone's.
        ema: decay of the moving average of the weights, which is then what is validated, tested and shown; None for none.
        channels_last: memory layout of images and weights.
    """

    def __init__(
        self,
        model: Classifier,
        *,
        class_names: Sequence[str],
        image_size: int,
        optimizer: Callable[[Iterable[dict[str, Any]]], Optimizer],
        schedule: Schedule,
        steps: Steps,
        seed: int,
        inputs: Mapping[str, Any],
        objective: Objective,
        head_lr_scale: float,
        ema: float | None,
        channels_last: bool,
    ) -> None:
        super().__init__()
        self.model = model
        self.steps = steps
        self.inputs = dict(inputs)
        self.train_loss = MeanLoss()
        self.class_names = tuple(class_names)
        self.val_metrics = SplitMetrics(len(class_names))
        self.train_top1 = top1(len(class_names))
        self.test_metrics = SplitMetrics(len(class_names))
        self.figures: dict[str, float] = {}
        """The latest results: `val/top1`, `test/loss`, ..."""
        self.predictions: list[tuple[Tensor, Tensor, Tensor]] = []
        """Of the test on this device: positions in the manifest, labels, probabilities."""
        self.objective = objective
        self._optimizer, self._schedule, self._seed = optimizer, schedule, seed
        self._head_lr_scale, self.image_size = head_lr_scale, image_size
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.model.to(memory_format=self.layout)
        self.ema = None if ema is None else averaged_model(self.model, ema)

    @property
    def measured(self) -> Classifier:
        """The model that is validated and tested: the average where there is one."""
        return self.model if self.ema is None else self.ema.module  # type: ignore[return-value]

    def configure_optimizers(self) -> Any:
        """The recipe's optimizer with its schedule, stepped every optimizer step; then kernels projected, then averaged."""
        optimizer = self.make_optimizer(self.model)
        if self.ema is not None:
            average = self.ema
            optimizer.register_step_post_hook(lambda *_: average.update_parameters(self.model))
        scheduler = LambdaLR(optimizer, self._schedule)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def make_optimizer(self, model: Classifier) -> Optimizer:
        """The recipe's optimizer of a model, whose kernels are projected after each step. Errors: as of `finish_groups`."""
        optimizer = self._optimizer([named_group(model.backbone), named_group(model.head)])
        finish_groups(optimizer, model.head, self._head_lr_scale)
        constrain(optimizer, model)
        return optimizer

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Beside the weights, what belongs to them: classes, what images were normalised with, epsilons, whose strides."""
        checkpoint["class_names"] = list(self.class_names)
        checkpoint["inputs"] = self.inputs
        checkpoint["epsilons"] = epsilons(self.model.backbone)
        if has_keras_structure(getattr(self.model.backbone, "model", self.model.backbone)):
            checkpoint["structure"] = "keras"

    def on_fit_start(self) -> None:
        """Check objective and model against the devices, once they are known: see `check_parts`."""
        self.check_parts(self.trainer.world_size, self.trainer.accumulate_grad_batches)

    def check_parts(self, world: int, accumulate: int) -> None:
        """Check objective and model against the parts that a batch is cut into: so many devices x accumulation.

        Raises:
            UserError: images are to be mixed, and there are none to mix with; a part holds one image, which the model refuses.
        """
        parts = world * accumulate
        if self.objective.mixes and self.steps.batch_size < 2 * parts:
            raise UserError(
                f"recipe.mixup and recipe.cutmix mix the images of one device's part of a batch: recipe.batch_size must be at "
                f"least 2 for each of the {parts} parts (devices x trainer.accumulate), not {self.steps.batch_size}"
            )
        check_single_images(self.model, self.image_size, self.steps, world=world, accumulate=accumulate)

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> logits of the measured model, (batch, classes)."""
        return self.logits_of(self.measured, images)

    def logits_of(self, model: Classifier, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> (batch, classes) of this model or a copy, in the memory layout of training."""
        logits: Tensor = model(images.contiguous(memory_format=self.layout))
        return logits

    def maps_of(self, model: Classifier, images: Tensor) -> Tensor:
        """(batch, 3, size, size) -> the backbone's maps, (batch, channels, height, width), in the memory layout of training."""
        maps: Tensor = model.backbone(images.contiguous(memory_format=self.layout))
        return maps

    def logits_of_batch(self, model: Classifier, images: Tensor, *, are_maps: bool) -> Tensor:
        """Logits, (batch, classes), of images, or of their maps."""
        return model.head(images) if are_maps else self.logits_of(model, images)

    def on_train_epoch_start(self) -> None:
        """Start the epoch's mean loss."""
        self.train_loss.reset()

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Reseed, so that a run that resumes draws what an undisturbed one draws."""
        seed_generators(derive_seed(self._seed, "model", self.current_epoch, batch_idx, self.global_rank), self.device)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The loss of one device's batch, weighted so that a step's gradient is the mean over its global batch.

        Lightning divides by accumulation and DDP by devices, as if all parts were of equal size; the last batch's are not.
        """
        images, targets = self.objective.mix(batch.images, batch.labels)
        losses: Tensor = self.objective(self.logits_of_batch(self.model, images, are_maps=batch.are_maps), targets)
        self.train_loss.update(losses)
        parts = self.trainer.world_size * self.trainer.accumulate_grad_batches
        start = (batch_idx // self.trainer.accumulate_grad_batches) * self.steps.batch_size
        global_batch = min(self.steps.batch_size, self.steps.train_images - start)
        return losses.sum() * (parts / max(global_batch, parts))

    def on_train_epoch_end(self) -> None:
        """The epoch's mean of what was minimised, over all training images."""
        self.figures["train/loss"] = self.train_loss.result()

    def _measured_logits(self, batch: Batch) -> Tensor:
        return self.logits_of_batch(self.measured, batch.images, are_maps=batch.are_maps)

    def on_validation_epoch_start(self) -> None:
        """Forget the last epoch's batches."""
        self.val_metrics.reset()
        self.train_top1.reset()

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Add a batch to the validation figures; of the second loader (`ImageData.val_dataloader`) to the training accuracy."""
        if dataloader_idx == 0:
            self.val_metrics.update(self._measured_logits(batch), batch.labels)
        else:
            self.train_top1.update(self._measured_logits(batch).float(), batch.labels)

    def on_validation_epoch_end(self) -> None:
        """Publish the validation figures, and the training accuracy where it is measured."""
        self._publish("val", self.val_metrics)
        if self.train_top1.update_called:
            self.figures["train/top1"] = float(self.train_top1.compute())

    def on_test_epoch_start(self) -> None:
        """Forget an earlier test."""
        self.test_metrics.reset()
        self.predictions = []

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Add a batch to the test figures, and keep its probabilities."""
        logits = self._measured_logits(batch).float()
        self.test_metrics.update(logits, batch.labels)
        self.predictions.append((batch.positions.cpu(), batch.labels.cpu(), logits.softmax(dim=1).cpu()))

    def on_test_epoch_end(self) -> None:
        """Publish the test figures."""
        self._publish("test", self.test_metrics)

    def _publish(self, split: str, metrics: SplitMetrics) -> None:
        self.figures |= {f"{split}/{name}": value for name, value in metrics.result().items()}
