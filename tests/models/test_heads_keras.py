"""Heads against Keras: numbers that Keras made (fixtures/make_keras_heads.py), reproduced without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from wisesr import constrain, create_head
from wisesr.models.heads.base import Head

ARMS = {
    "gap": ("gap", {}),
    "depthwise": ("depthwise", {}),
    "depthwise_nonneg": ("depthwise_nonneg", {}),
    "wise_7": ("wise", {}),
    "wise_16": ("wise", {}),
    "flatten_16": ("flatten", {"pre_pool": 3}),
}
NAMES = {
    "aggregation.kernel": "kernel",
    "aggregation.bias": "bias",
    "classifier.weight": "dense_kernel",
    "classifier.bias": "dense_bias",
}


@pytest.fixture(scope="module")
def keras() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parent.parent / "fixtures" / "keras_heads.npz") as file:
        return dict(file)


def load(arm: str, keras: dict[str, np.ndarray]) -> tuple[Head, torch.Tensor]:
    features = torch.from_numpy(keras["features_16" if arm.endswith("16") else "features_7"])
    name, settings = ARMS[arm]
    head = create_head(name, tuple(features.shape[2:]), 6, **settings)
    head.load_state_dict({key: torch.from_numpy(keras[f"{arm}/{NAMES[key]}"]) for key in head.state_dict()})
    return head, features


@pytest.mark.parametrize("arm", ARMS)
def test_logits(arm: str, keras: dict[str, np.ndarray]) -> None:
    head, features = load(arm, keras)
    with torch.no_grad():
        np.testing.assert_allclose(head(features[0]), keras[f"{arm}/logits"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("arm", ARMS)
def test_weights_after_a_dozen_steps_of_sgd(arm: str, keras: dict[str, np.ndarray]) -> None:
    head, features = load(arm, keras)
    labels = torch.from_numpy(keras["labels"])
    optimizer = torch.optim.SGD(head.parameters(), lr=0.2, momentum=0.9)
    constrain(optimizer, head)
    losses = []
    for x, y in zip(features, labels, strict=True):
        optimizer.zero_grad()
        loss = cross_entropy(head(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(losses, keras[f"{arm}/losses"], atol=1e-4, rtol=1e-5)
    for key, value in head.state_dict().items():
        np.testing.assert_allclose(value, keras[f"{arm}/after/{NAMES[key]}"], atol=1e-4, rtol=1e-5, err_msg=key)
