"""`constrain` for whoever trains with Lightning: a callback, whatever optimizers a LightningModule makes."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer
from torch.utils.hooks import RemovableHandle

from wisesr.training.constraint import constrain_all


class ConstraintCallback(Callback):
    """Holds kernels in their constraint after every optimizer step: `Trainer(callbacks=[wisesr.ConstraintCallback()])`.

    Of any LightningModule that contains heads of wisesr's, with automatic or manual optimization, several optimizers,
    accumulation, AMP and DDP; each optimizer constrains the parameters that it moves. Trainers of `lightning.pytorch` and of
    `pytorch_lightning` take it. Strategies that put parameters of their own in the place of the module's (FSDP, DeepSpeed) are
    not supported.
    """

    def __init__(self) -> None:
        self._handles: list[RemovableHandle] = []

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Constrain the optimizers of this fit.

        Raises:
            UserError: none of them has a parameter that is to be constrained.
        """
        self._lift()
        self._handles = constrain_all(trainer.optimizers, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Lift the constraint, which the next fit sets again, on the same optimizers or others."""
        self._lift()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """As at the end."""
        self._lift()

    def _lift(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
