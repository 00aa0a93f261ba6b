"""Small real things for the tests: images made on the fly, a toy backbone of timm's, cells in a temporary folder."""

from __future__ import annotations

import copy
import gc
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.configs import composed
from tests.support.images import paint
from wisesr.config.check import check

# Before wandb is imported by anything: no test talks to a server, none depends on this machine's login.
os.environ["WANDB_MODE"] = "offline"
os.environ.pop("WANDB_API_KEY", None)

# What is kept of datasets between commands goes where no other run of the tests, and no user, sees it; children inherit it.
_KEPT = tempfile.TemporaryDirectory(prefix="wisesr-tests-")
os.environ["WISESR_CACHE"] = _KEPT.name

# `make test` runs several processes beside each other: together they would be far slower than one with several threads each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says how busy the machine is, and fails no test.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# A script that runs the tests in the background has SIGINT ignored, and so would all processes that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What is imported stays: a tenth of all time went into looking for garbage among torch's objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`train/` and `test/` with three classes of 20 and 6 images."""
    root = tmp_path_factory.mktemp("images") / "corners"
    for split, count in (("train", 20), ("test", 6)):
        for label in range(3):
            for index in range(count):
                paint(root / split / f"class{label}" / f"{index:02d}.png", label, index + (100 if split == "test" else 0))
    return root


TINY = [
    *("backbone=timm", "backbone.name=toy", "backbone.model=test_efficientnet", "head=wise_dropout", "head.dropout=0.25"),
    *("dataset=folder", "dataset.resolution=64", "recipe=quick", "recipe.batch_size=16", "recipe.optimizer.lr=0.002"),
    *("augment=standard", "augment.min_area=0.5", "trainer=cpu", "trainer.threads=1", "logger=none", "study=tests"),
]


@pytest.fixture(scope="session")
def _composed_once(images: Path) -> dict[str, Any]:
    cell = composed(*TINY, f"dataset.root={images}")
    assert check(cell) == []
    return cell


@pytest.fixture
def config(_composed_once: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A cell that trains in a second: a toy backbone at 64 px, three epochs."""
    return copy.deepcopy(_composed_once) | {"output_dir": str(tmp_path / "outputs")}
