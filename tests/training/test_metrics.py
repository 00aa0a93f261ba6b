"""Metrics against scikit-learn and a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss, top_k_accuracy_score

from wisesr.training.metrics import SplitMetrics


def measure(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
    metrics = SplitMetrics(logits.shape[1])
    for part in torch.arange(len(logits)).split(7):  # batches of unequal size must weigh by their images
        metrics.update(logits[part], labels[part])
    return metrics.result()


def test_against_scikit_learn() -> None:
    torch.manual_seed(0)
    logits = 2 * torch.randn(200, 8)
    labels = (torch.rand(200) ** 3 * 8).long()  # unbalanced: micro and macro differ
    result = measure(logits, labels)
    probabilities = logits.softmax(1).numpy().astype(np.float64)
    probabilities /= probabilities.sum(1, keepdims=True)
    predicted = logits.argmax(1)
    assert result["top1"] == pytest.approx(accuracy_score(labels, predicted))
    assert result["macro_f1"] == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-6)
    assert result["top5"] == pytest.approx(top_k_accuracy_score(labels, probabilities, k=5))
    assert result["loss"] == pytest.approx(log_loss(labels, probabilities), rel=1e-5)
    confidence, hit = probabilities.max(1), (predicted == labels).numpy()
    gap = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            gap += inside.mean() * abs(hit[inside].mean() - confidence[inside].mean())
    assert result["ece"] == pytest.approx(gap, abs=1e-5)


def test_top5_only_above_five_classes() -> None:
    assert "top5" not in measure(torch.randn(20, 5), torch.randint(5, (20,)))
