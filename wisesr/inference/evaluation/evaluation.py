"""What came of measuring a run on pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from wisesr.inference.evaluation.agreement import Agreement
from wisesr.inference.evaluation.pictures import Source
from wisesr.results.predictions import Predictions


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Figures of a run on some pictures, and how they were obtained."""

    source: Source
    figures: Mapping[str, float]
    """`loss`, `top1`, `top5` (of more than five classes), `macro_f1`, `ece` as in the record; `balanced_accuracy`."""
    predictions: Predictions
    """Of the pictures that could be read, in their order; labels and probabilities by the run's logits."""
    unread: Mapping[str, str]
    """Name of a picture that cannot be read -> why."""
    tiny: tuple[str, ...]
    """Names of pictures of so few pixels that little of them is left when they are blown up."""
    resized: tuple[str, ...]
    """What is otherwise at this resolution; empty at that of the training."""
    agreement: Agreement | None
    """With the record, where it has figures of these pictures."""
    device: str
    """`cpu`, or the GPU's name."""
    threads: int

    @property
    def present(self) -> tuple[str, ...]:
        """Classes that have images here, in the order of the logits."""
        counts = np.bincount(self.predictions.labels, minlength=len(self.predictions.classes))
        return tuple(name for name, count in zip(self.predictions.classes, counts, strict=True) if count)
