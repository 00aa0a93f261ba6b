"""What is measured on a split: loss, top-1, top-5, macro F1, calibration error."""

from __future__ import annotations

from torch import Tensor, nn
from torchmetrics import Metric, SumMetric
from torchmetrics.classification import MulticlassAccuracy, MulticlassCalibrationError, MulticlassF1Score


class MeanLoss(nn.Module):
    """Mean over images of a loss, synchronised over devices; NaN stays NaN.

    Batches are added here, as two updates of torchmetrics' cost 0.05 ms and more a batch; its sums, two of them, bring the
    devices together. Not its MeanMetric, which drops its weights with nan_strategy="disable" (seen in 1.9.0) and would hide or
    refuse NaN with any other.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total, self.images = SumMetric(nan_strategy="disable"), SumMetric(nan_strategy="disable")
        self._sum: Tensor | None = None
        """Of this device; None before any batch."""
        self._count = 0

    def update(self, losses: Tensor) -> None:
        """Add a batch: the loss of each image, (batch,)."""
        added = losses.detach().float().sum()
        self._sum = added if self._sum is None else self._sum + added
        self._count += len(losses)

    def result(self) -> float:
        """The mean since `reset`."""
        for metric, own in ((self.total, self._sum), (self.images, float(self._count))):
            metric.reset()
            metric.update(0.0 if own is None else own)
        return float(self.total.compute() / self.images.compute())

    def reset(self) -> None:
        """Forget all batches."""
        self._sum, self._count = None, 0


def top1(num_classes: int) -> MulticlassAccuracy:
    """The share of images whose most probable class is the true one.

    micro: over images, which is what "top-1" means; torchmetrics' default averages over classes.
    """
    return MulticlassAccuracy(num_classes, average="micro", validate_args=False)


class MacroF1(MulticlassF1Score):
    """F1 averaged over the classes that have images in what was measured, whatever was predicted, all of equal weight.

    A class without an image is left out, and named by the plan, the log and the record (`Manifest.notes`): no prediction of it
    can be right, so its F1 says nothing. torchmetrics' macro average leaves it out only as long as nothing is predicted as that
    class, so that of two cells on one split one may average 9 classes and the other 10. Images that are wrongly predicted as an
    absent class still count, as those that their own class lacks. Equal to scikit-learn's `f1_score(labels=present,
    average="macro", zero_division=0)`, and to the bit to torchmetrics' where every class has images.

    Args:
        num_classes: logits.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, average="none", validate_args=False)

    def compute(self) -> Tensor:
        """From 0 to 1; 0 before any image."""
        of_class: Tensor = super().compute()
        right, lacking = self.tp, self.fn  # of all devices: torchmetrics brings them together before it calls this
        assert isinstance(right, Tensor)
        assert isinstance(lacking, Tensor)
        weights = (right + lacking > 0).to(of_class.dtype)
        return (weights * of_class / weights.sum().clamp(min=1)).sum()


class SplitMetrics(nn.Module):
    """Metrics of one pass over one split, top-5 where there are more than five classes; torchmetrics synchronises devices.

    Only `macro_f1` is an average over classes; the others are means over images, which no absent class can move.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        metrics: dict[str, Metric] = {
            "top1": top1(num_classes),
            "macro_f1": MacroF1(num_classes),
            "ece": MulticlassCalibrationError(num_classes, n_bins=15, norm="l1", validate_args=False),
        }
        if num_classes > 5:
            metrics["top5"] = MulticlassAccuracy(num_classes, average="micro", top_k=5, validate_args=False)
        self.metrics = nn.ModuleDict(metrics)
        self.loss = MeanLoss()

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch: logits (batch, classes), labels (batch,)."""
        logits = logits.detach().float()
        self.loss.update(nn.functional.cross_entropy(logits, labels, reduction="none"))
        probabilities = logits.softmax(dim=1)
        for metric in self.metrics.values():
            metric.update(probabilities, labels)  # type: ignore[operator]

    def result(self) -> dict[str, float]:
        """Figures over all that was added since `reset`; shares from 0 to 1, the loss in nats."""
        values = {"loss": self.loss.result()}
        for name in ("top1", "top5", "macro_f1", "ece"):
            if name in self.metrics:
                values[name] = float(self.metrics[name].compute())  # type: ignore[operator]
        return values

    def reset(self) -> None:
        """Forget all batches."""
        self.loss.reset()
        for metric in self.metrics.values():
            metric.reset()  # type: ignore[operator]
