"""Images and folders for the tests of datasets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.images import noise


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Two classes of three training and two test images, with nothing to be said about."""
    root = tmp_path / "copy"
    for number, name in enumerate(
        f"{split}/{label}/{i}.png" for split, n in (("train", 3), ("test", 2)) for label in "ab" for i in range(n)
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        noise(number).save(root / name)
    return root
