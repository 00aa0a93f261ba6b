"""An exponential moving average of the weights over the optimizer's steps; where there is one, it is what is measured."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged_model(model: nn.Module, decay: float) -> AveragedModel:
    """A copy of a model that follows it: average <- keep * average + (1 - keep) * weights after each step.

    keep is min(decay, (1 + n) / (10 + n)) after n steps, so that the first average of a short run is not its random start
    (https://www.tensorflow.org/api_docs/python/tf/train/ExponentialMovingAverage). BatchNorm's statistics are averaged too.
    A kernel that is non-negative after every step has a non-negative average. The model is followed with `update_parameters`,
    whose first call copies; decay is in (0, 1).
    """

    def follow(average: Any, current: Any, steps: Tensor | int) -> None:
        keep = min(decay, (1 + int(steps)) / (10 + int(steps)))
        for mean, value in zip(average, current, strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - keep)
            else:
                mean.copy_(value)

    average = AveragedModel(model, multi_avg_fn=follow, use_buffers=True)
    average.requires_grad_(False)
    return average
