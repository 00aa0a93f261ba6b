"""What training minimises: cross-entropy, with smoothed labels, classes weighted, and images mixed where the recipe says so.

Evaluation has none of these: `val/loss` and `test/loss` are the plain cross-entropy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.transforms import v2


class Objective(nn.Module):
    """Cross-entropy of a batch, an image at a time.

    Mixing draws from torch's default generator, which the module seeds before each batch. It pairs images of one device's
    part of a batch, so with it the numbers depend on devices and accumulation.

    Args:
        label_smoothing: share of each target that is spread evenly over all classes, in [0, 1) (Szegedy et al. 2015,
            https://arxiv.org/abs/1512.00567).
        class_weights: what an image of each class counts; None for 1.
        mixup: alpha of the Beta distribution of mixup (Zhang et al. 2017, https://arxiv.org/abs/1710.09412); 0 for none.
        cutmix: alpha of CutMix (Yun et al. 2019, https://arxiv.org/abs/1905.04899); 0 for none. With both, each batch has
            one of them, by an even chance.
    """

    class_weights: Tensor | None

    def __init__(
        self,
        num_classes: int,
        *,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
        mixup: float = 0.0,
        cutmix: float = 0.0,
    ) -> None:
        super().__init__()
        self._smoothing = label_smoothing
        weights = None if class_weights is None else torch.tensor(class_weights, dtype=torch.get_default_dtype())
        self.register_buffer("class_weights", weights, persistent=False)
        kinds: list[nn.Module] = []
        if mixup > 0:
            kinds.append(v2.MixUp(alpha=mixup, num_classes=num_classes))
        if cutmix > 0:
            kinds.append(v2.CutMix(alpha=cutmix, num_classes=num_classes))
        self._mixing = v2.RandomChoice(kinds) if len(kinds) > 1 else next(iter(kinds), None)

    @property
    def mixes(self) -> bool:
        """Whether `mix` does anything."""
        return self._mixing is not None

    def mix(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Images and targets to train on: labels, (batch,), or where images were mixed shares, (batch, classes)."""
        if self._mixing is None:
            return images, labels
        mixed: tuple[Tensor, Tensor] = self._mixing(images, labels)
        return mixed

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The loss of each image, (batch,), in nats: logits (batch, classes), targets as `mix` gives them."""
        if targets.is_floating_point():
            targets = targets.to(logits.dtype)
        weights = None if self.class_weights is None else self.class_weights.to(logits.dtype)
        return nn.functional.cross_entropy(logits, targets, weight=weights, reduction="none", label_smoothing=self._smoothing)


def balanced_weights(labels: Sequence[int], num_classes: int) -> list[float]:
    """N / (classes * n_c) for each class c: every class counts as much in all, and the mean over images is 1.

    scikit-learn's "balanced": https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html
    Every class must occur among the labels.
    """
    counts = Counter(labels)
    return [len(labels) / (num_classes * counts[label]) for label in range(num_classes)]
