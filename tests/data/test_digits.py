"""The embedded digits are scikit-learn's, read without importing it, or through it where its file lies elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from wisesr.data import digits as module
from wisesr.data.digits import digits


@pytest.mark.parametrize("found", [True, False])
def test_they_are_scikit_learns(found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not found:
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    theirs, manifest = load_digits(), digits()
    assert list(manifest.labels) == theirs.target.tolist()
    for index in (0, 9, 1796):
        shown = np.asarray(manifest.load(index))
        assert shown.shape == (8, 8, 3)
        assert (np.abs(shown[..., 0] - theirs.images[index] * 255 / 16) <= 0.5).all()
