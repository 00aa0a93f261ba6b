"""Training accuracy: of the validated weights, in eval mode, on images that no cell's seed chooses, and moving nothing else."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.cells import weights
from tests.support.training import trained
from wisesr.build.cell import build
from wisesr.build.data import build_manifest
from wisesr.config.identity import fingerprint
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.data.train_part import draw_train_part
from wisesr.errors import UserError
from wisesr.results.metrics import read_metrics, write_metrics


def _manifest(*counts: int, val: int = 0, test: int = 0) -> Manifest:
    """Training images of each class in a mixed order, then `val` and `test` images of class 0."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts)).tolist() + [0] * (val + test)
    splits = ["train"] * sum(counts) + ["val"] * val + ["test"] * test
    names = [f"{index}.png" for index in range(len(labels))]

    def load(index: int) -> Any:
        raise AssertionError(index)

    return Manifest(names, labels, [f"c{label}" for label in range(len(counts))], splits, load, sizes=[1] * len(labels))


def _drawn(manifest: Manifest, images: Any, split_seed: int = 0, protocol: str = "holdout") -> list[int]:
    return draw_train_part(manifest, images, protocol=protocol, split_seed=split_seed).tolist()


@pytest.mark.parametrize("images", [1, 2, 7, 100, 333, 599])
def test_a_part_is_drawn_by_class(images: int) -> None:
    counts = (400, 150, 47, 3)
    manifest = _manifest(*counts, val=50)
    part = _drawn(manifest, images)
    assert len(part) == images == len(set(part))
    assert part == sorted(part)
    assert set(part) <= set(manifest.indices(TRAIN).tolist())
    of_class = Counter(int(manifest.labels[position]) for position in part)
    for label, count in enumerate(counts):
        assert abs(of_class[label] - images * count / sum(counts)) <= 1
    assert set(part) < set(_drawn(manifest, images + 1)), "a larger part holds every smaller one"
    assert part == _drawn(manifest, images)
    assert images in (1, 599) or part != _drawn(manifest, images, split_seed=1)


def test_a_part_is_as_large_as_what_is_validated_and_never_more_than_there_is() -> None:
    manifest = _manifest(600, 400, val=300, test=550)
    assert len(_drawn(manifest, "auto")) == 300
    assert len(_drawn(manifest, "auto", protocol="paper")) == 550
    assert len(_drawn(_manifest(600, 400, val=30), "auto")) == 200
    assert len(_drawn(_manifest(60, 40, val=30), "auto")) == 100
    assert len(_drawn(manifest, 5000)) == 1000
    assert _drawn(manifest, 0) == []


@pytest.mark.parametrize("change", [{}, {"ema": 0.7}, {"protocol": "paper"}, {"accumulate": 4}])
def test_training_accuracy_is_that_of_a_plain_loop_and_moves_nothing_else(
    config: dict[str, Any], tmp_path: Path, change: dict[str, Any]
) -> None:
    config["recipe"] |= {"epochs": 2, "ema": change.get("ema")}
    config["protocol"] = change.get("protocol", "holdout")
    config["trainer"] |= {"accumulate": change.get("accumulate", 1), "train_eval_images": 0}
    without = copy.deepcopy(config)
    config["trainer"]["train_eval_images"] = 41
    module = trained(config, tmp_path / "with")
    trained(without, tmp_path / "without")
    rows, plain = (read_metrics(tmp_path / name) for name in ("with", "without"))
    assert [{name: value for name, value in row.items() if name != "train/top1"} for row in rows] == plain
    for name in ("last.ckpt", "best.ckpt"):
        one, other = (weights(tmp_path / directory, name) for directory in ("with", "without"))
        assert all(torch.equal(one[key], other[key]) for key in one) and one.keys() == other.keys()
    files = [np.load(tmp_path / name / "predictions.npz") for name in ("with", "without")]
    assert np.array_equal(files[0]["probabilities"], files[1]["probabilities"])

    module.load_state_dict(weights(tmp_path / "with"))  # of the last epoch
    parts = build(config, manifest := build_manifest(config))
    right = 0
    part = draw_train_part(manifest, 41, protocol=config["protocol"], split_seed=0).tolist()
    module.measured.eval()
    for position in part:
        image = parts.data.augment(manifest.load(position), training=False)
        with torch.no_grad():
            right += int(module.measured(image[None]).argmax()) == int(manifest.labels[position])
    assert rows[-1]["train/top1"] == pytest.approx(right / 41)


def test_the_part_is_no_part_of_the_computation(config: dict[str, Any]) -> None:
    other = copy.deepcopy(config)
    other["trainer"]["train_eval_images"] = 7
    older = copy.deepcopy(config)
    del older["trainer"]["train_eval_images"]
    assert fingerprint(config) == fingerprint(other) == fingerprint(older)


def test_every_device_must_have_an_image_of_it(config: dict[str, Any]) -> None:
    config["trainer"]["train_eval_images"] = 1
    data = build(config, build_manifest(config)).data
    data.check_devices(1)
    with pytest.raises(UserError, match="train_eval_images must be 0, or at least 1 for each of 2 devices, not 1"):
        data.check_devices(2)


def test_epochs_without_it_stay_empty_and_a_file_without_it_has_no_column(tmp_path: Path) -> None:
    rows = [{"epoch": 1.0, "train/loss": 0.5}, {"epoch": 2.0, "train/loss": 0.25, "train/top1": 0.75}]
    write_metrics(tmp_path / "metrics.csv", rows)
    assert read_metrics(tmp_path) == rows
    write_metrics(tmp_path / "metrics.csv", rows[:1])
    assert "train/top1" not in (tmp_path / "metrics.csv").read_text()
