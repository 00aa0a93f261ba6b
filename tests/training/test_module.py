"""The training step: accumulation equals one batch, the constraint holds inside Lightning, every image weighs the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.training import plain, trained
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.errors import UserError
from wisesr.models.heads.wise import WiseHead
from wisesr.results.cell_files import LAST
from wisesr.results.metrics import read_metrics
from wisesr.training.fit import fit


def test_accumulation_is_one_large_batch(config: dict[str, Any], tmp_path: Path) -> None:
    """54 training images in batches of 16: the last has 6, and must weigh as 6 under accumulation too."""
    whole = trained(plain(config), tmp_path / "whole")
    config["trainer"]["accumulate"] = 4
    parts = trained(plain(config), tmp_path / "parts")
    rows = [read_metrics(tmp_path / name) for name in ("whole", "parts")]
    assert [row["step"] for row in rows[0]] == [row["step"] for row in rows[1]] == [4, 8]
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[key], value, msg=key)
    for one, other in zip(*rows, strict=True):
        assert one == pytest.approx(other, rel=1e-6)


@pytest.mark.parametrize("accumulate", [1, 4])
def test_the_kernel_stays_non_negative_inside_lightning(config: dict[str, Any], tmp_path: Path, accumulate: int) -> None:
    config["trainer"]["accumulate"] = accumulate
    seen: list[bool] = []
    config["recipe"]["epochs"] = 1
    tmp_path.joinpath("cell").mkdir()
    parts = build(config, build_manifest(config))
    head = parts.module.model.head
    assert isinstance(head, WiseHead)
    assert (head.aggregation.kernel < 0).any()
    parts.module.on_train_batch_end = lambda *_: seen.append(bool((head.aggregation.kernel >= 0).all()))  # type: ignore[method-assign]
    fit(parts.module, parts.data, parts.trainer, directory=tmp_path / "cell", loggers=[])
    steps = seen[accumulate - 1 :: accumulate]
    assert len(steps) == 4
    assert all(steps)


def test_epoch_figures_are_means_over_images(config: dict[str, Any], tmp_path: Path) -> None:
    """With a rate of zero nothing moves, so the epoch's loss must be the mean over all training images."""
    config = plain(config)
    config["recipe"]["optimizer"]["lr"] = 0.0
    module = trained(config, tmp_path / "cell")
    parts = build(config, build_manifest(config))
    parts.module.load_state_dict(module.state_dict())
    losses = []
    with torch.no_grad():
        for batch in parts.data.train_dataloader():
            logits = parts.module.double()(batch.images.double())
            losses += torch.nn.functional.cross_entropy(logits, batch.labels, reduction="none").tolist()
    assert len(losses) == 54
    row = read_metrics(tmp_path / "cell")[1]  # the kernel was projected after the first step
    assert row["train/loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_a_batch_that_does_not_divide(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"]["accumulate"] = 3
    with pytest.raises(UserError, match="must divide by 1 devices x trainer.accumulate 3, which 16 does not"):
        trained(config, tmp_path / "cell")


def test_a_diverging_run_says_so(config: dict[str, Any], tmp_path: Path) -> None:
    config = plain(config)
    config["recipe"]["optimizer"]["lr"] = 1e200
    with pytest.raises(UserError, match="training diverged in epoch 1: .* is (nan|inf)"):
        trained(config, tmp_path / "cell")


def test_an_unreadable_image_is_named_by_workers_too(config: dict[str, Any], images: Path, tmp_path: Path) -> None:
    root = tmp_path / "corners"
    shutil.copytree(images, root)
    whole = (root / "train/class1/03.png").read_bytes()
    middle = len(whole) // 2  # which no look at its ends shows before training
    (root / "train/class1/03.png").write_bytes(whole[:middle] + bytes(200) + whole[middle + 200 :])
    config["dataset"] |= {"root": str(root), "workers": 1}
    with pytest.raises(UserError, match=r"^/.*train/class1/03.png: "):
        trained(config, tmp_path / "cell")


def test_a_precision_that_the_device_lacks(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"]["precision"] = "16-mixed"
    with pytest.raises(UserError, match="precision=16-mixed cannot be had on this device"):
        trained(config, tmp_path / "cell")


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_device_that_is_not_there(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"]["accelerator"] = "gpu"
    with pytest.raises(UserError, match="trainer: "):
        trained(config, tmp_path / "cell")


def test_a_checkpoint_without_its_history_is_refused(config: dict[str, Any], tmp_path: Path) -> None:
    """As another version's would be: epochs that it finished would be missing from the record."""
    trained(plain(config), tmp_path / "cell")
    last = tmp_path / "cell" / LAST
    held = torch.load(last, weights_only=True)
    torch.save(held | {"callbacks": {}}, last)
    parts = build(plain(config), build_manifest(config))
    with pytest.raises(UserError, match=r"last\.ckpt was written by another version of wisesr"):
        fit(parts.module, parts.data, parts.trainer, directory=tmp_path / "cell", loggers=[])
