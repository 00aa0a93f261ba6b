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


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for what is kept."""
    monkeypatch.setenv("WISESR_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


@pytest.fixture
def root(tmp_path: Path, kept: Path) -> Path:
    """Two classes of 12 images, drawn from two seeds."""
    for label, name in enumerate("ab"):
        for index in range(12):
            path = tmp_path / "images" / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise(100 * label + index).save(path)
    return tmp_path / "images"
