"""Metrics against scikit-learn and a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, log_loss, top_k_accuracy_score
from torchmetrics.classification import MulticlassF1Score

from wisesr.training.metrics import MacroF1, SplitMetrics


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


def drawn(classes: int, present: list[int], images: int, seed: int, skill: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits, of any class, and labels, of the present ones alone and of each of them."""
    generator = torch.Generator().manual_seed(seed)
    among = torch.tensor(present)
    more = among[torch.randint(len(present), (max(0, images - len(present)),), generator=generator)]
    labels = torch.cat([among, more])
    logits = torch.randn(len(labels), classes, generator=generator)
    logits[torch.arange(len(labels)), labels] += skill
    return logits, labels


@settings(max_examples=60)
@given(st.data())
def test_figures_with_absent_classes_are_those_of_scikit_learn(data: st.DataObject) -> None:
    classes = data.draw(st.integers(2, 12))
    present = data.draw(st.lists(st.integers(0, classes - 1), min_size=1, unique=True))
    logits, labels = drawn(classes, present, data.draw(st.integers(1, 60)), data.draw(st.integers(0, 10**6)), 1.5)
    result, predicted = measure(logits, labels), logits.argmax(1)
    wanted = f1_score(labels, predicted, labels=sorted(present), average="macro", zero_division=0)
    assert result["macro_f1"] == pytest.approx(wanted, abs=1e-6)
    assert result["top1"] == pytest.approx(accuracy_score(labels, predicted))
    if classes > 5:
        place = (logits > logits.gather(1, labels[:, None])).sum(1)
        assert result["top5"] == pytest.approx(float((place < 5).double().mean()))
    confidence, hit = logits.softmax(1).max(1).values.numpy(), (predicted == labels).numpy()
    bins = np.clip(np.ceil(confidence * 15) - 1, 0, 14)
    gaps = [abs(hit[bins == one].sum() - confidence[bins == one].sum()) for one in range(15)]
    assert result["ece"] == pytest.approx(sum(gaps) / len(hit), abs=1e-5)


@settings(max_examples=60)
@given(st.integers(2, 40), st.integers(1, 300), st.integers(0, 10**6), st.floats(0, 5))
def test_where_every_class_has_images_macro_f1_is_torchmetrics_to_the_bit(
    classes: int, images: int, seed: int, skill: float
) -> None:
    logits, labels = drawn(classes, list(range(classes)), images, seed, skill)
    metric = MulticlassF1Score(classes, average="macro")
    metric.update(logits, labels)
    assert measure(logits, labels)["macro_f1"] == float(metric.compute())


def test_macro_f1_averages_the_same_classes_whatever_is_predicted() -> None:
    """Of a, b and c none is c. Predicting c once must not make it one of the classes that are averaged."""
    labels = torch.tensor([0, 0, 1, 1])
    right = MacroF1(3)
    right.update(labels, labels)
    assert float(right.compute()) == 1
    once = MacroF1(3)
    once.update(torch.tensor([0, 0, 1, 2]), labels)
    assert float(once.compute()) == pytest.approx((1 + 2 / 3) / 2)


def test_macro_f1_of_nothing_is_0() -> None:
    with pytest.warns(UserWarning, match="before the ``update``"):
        assert float(MacroF1(3).compute()) == 0
