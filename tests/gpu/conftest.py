"""What needs a card: `pytest -m gpu tests/gpu`. Without one each test is skipped, and says so."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch


@pytest.fixture(autouse=True)
def _card() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device, and torch sees none")


@pytest.fixture
def on_gpu(config: dict[str, Any]) -> dict[str, Any]:
    """The toy cell on the card, with two workers and without what two devices draw differently."""
    changed = copy.deepcopy(config)
    changed["trainer"] |= {"accelerator": "gpu"}
    changed["dataset"]["workers"] = 2
    return changed
