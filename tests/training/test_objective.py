"""What is minimised, against loops over images and classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor

from wisesr.training.objective import Objective, balanced_weights


def by_hand(logits: Tensor, shares: Tensor, smoothing: float, weights: list[float]) -> list[float]:
    losses = []
    for row, target in zip(logits.tolist(), shares.tolist(), strict=True):
        total = math.log(sum(math.exp(value) for value in row))
        loss = 0.0
        for value, share, weight in zip(row, target, weights, strict=True):
            loss -= weight * (share * (1 - smoothing) + smoothing / len(row)) * (value - total)
        losses.append(loss)
    return losses


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0]])
def test_labels_and_shares(smoothing: float, weights: list[float] | None) -> None:
    objective = Objective(3, label_smoothing=smoothing, class_weights=weights)
    logits = torch.randn(6, 3, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 2, 1, 0])
    one_hot = torch.nn.functional.one_hot(labels, 3)
    factors = weights or [1.0] * 3
    assert objective(logits, labels).tolist() == pytest.approx(by_hand(logits, one_hot, smoothing, factors))
    shares = torch.softmax(torch.randn(6, 3), 1)
    assert objective(logits, shares).tolist() == pytest.approx(by_hand(logits, shares, smoothing, factors), rel=1e-6)


def test_plain_cross_entropy_is_untouched() -> None:
    images, labels, logits = torch.randn(4, 3, 8, 8), torch.tensor([0, 1, 2, 1]), torch.randn(4, 3)
    objective = Objective(3)
    same, targets = objective.mix(images, labels)
    assert same is images
    assert targets is labels
    assert torch.equal(objective(logits, labels), torch.nn.functional.cross_entropy(logits, labels, reduction="none"))


def test_balanced_weights_are_scikit_learns_and_their_mean_over_images_is_one() -> None:
    labels = [0] * 50 + [1] * 7 + [2] * 3
    weights = balanced_weights(labels, 3)
    assert weights == pytest.approx(compute_class_weight("balanced", classes=np.arange(3), y=labels))
    assert np.mean([weights[label] for label in labels]) == pytest.approx(1)


@pytest.mark.parametrize("settings", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}])
def test_targets_tell_how_much_of_each_image_there_is(settings: dict[str, float]) -> None:
    """Image n is n everywhere, so a mixed image's mean and its target's must tell the same."""
    count = 8
    objective = Objective(count, **settings)
    images = torch.arange(count, dtype=torch.float64)[:, None, None, None].expand(-1, 3, 32, 32).contiguous()
    labels = torch.arange(count)
    seen = set()
    for seed in range(12):
        torch.manual_seed(seed)
        mixed, targets = objective.mix(images.clone(), labels)
        assert targets.sum(1).tolist() == pytest.approx([1.0] * count)
        means = (targets.double() * labels).sum(1)
        torch.testing.assert_close(mixed.mean((1, 2, 3)), means, atol=1e-4, rtol=0)
        seen.add(bool(torch.equal(mixed, mixed.round())))
        torch.manual_seed(seed)
        again, _ = objective.mix(images.clone(), labels)
        assert torch.equal(mixed, again), "a pure function of the seed"
    if len(settings) == 2:
        assert seen == {True, False}, "CutMix leaves pixels as they are, mixup does not: both occur"


def test_nothing_of_it_is_in_a_checkpoint() -> None:
    assert not Objective(3, class_weights=[1.0, 2.0, 3.0], mixup=0.2).state_dict()
