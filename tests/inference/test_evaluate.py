"""An evaluation repeats the bits of the training that it is about."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.inference.evaluate_support import head, trained
from wisesr.config.options import load_option
from wisesr.errors import UserError
from wisesr.inference.evaluate import evaluate
from wisesr.inference.evaluation.evaluation import Evaluation
from wisesr.inference.evaluation.own_data import own_pictures
from wisesr.inference.evaluation.samples import Decoder
from wisesr.inference.load import load
from wisesr.results.metrics import read_metrics
from wisesr.results.predictions import read_predictions

_FROZEN = {"backbone.freeze": "all", "augment": load_option("augment", "none")}
KINDS: dict[str, dict[str, Any]] = {
    "float32": {"recipe.batch_size": 12},
    "float64": {"trainer.precision": "64-true"},
    "bfloat16": {"trainer.precision": "bf16-mixed"},
    "averaged": {"recipe.ema": 0.9},
    "contiguous": {"trainer.channels_last": False},
    "accumulated": {"trainer.accumulate": 2},
    "keras": {
        "augment": load_option("augment", "paper"),
        "recipe.structure": "keras",
        "recipe.batch_norm": "keras",
    },
    "paper": {"protocol": "paper"},
    "two threads": {"trainer.threads": 2},
    "maps": {**_FROZEN, "dataset.features": "on"},
    "half maps": {**_FROZEN, "dataset.features": "fp16"},
    "half maps of views": {
        "backbone.freeze": "all",
        "dataset.features": "fp16",
        "dataset.views": 2,
        "trainer.precision": "bf16-mixed",
    },
    "resnet": {"backbone.model": "test_resnet", "head": head("gap")},
}


@pytest.fixture(scope="module")
def plain(_composed_once: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cell that no test changes."""
    return trained(_composed_once, tmp_path_factory.mktemp("plain") / "outputs")


def measured(cell: Path, split: str = "test", **settings: Any) -> Evaluation:
    run = load(cell)
    return evaluate(run, own_pictures(run, split), **settings)


_SLOW = ("contiguous", "accumulated", "two threads")


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=pytest.mark.slow) if kind in _SLOW else kind for kind in KINDS])
def test_the_bits_of_the_record(config: dict[str, Any], tmp_path: Path, kind: str) -> None:
    cell = trained(config, tmp_path / "outputs", KINDS[kind])
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    began = load(cell).record.provenance.reads
    assert began["training"] == "maps" if "maps" in kind else began["training"] != "maps"
    tested = measured(cell)
    row, written = load(cell).record.best.row, read_predictions(cell)
    assert written is not None
    assert {f"test/{name}": value for name, value in tested.figures.items() if name != "balanced_accuracy"} == {
        name: value for name, value in row.items() if name.startswith("test/")
    }
    assert tested.predictions.classes == written.classes
    for name in ("ids", "labels", "probabilities"):
        assert np.array_equal(getattr(tested.predictions, name), getattr(written, name)), name
    assert tested.agreement is not None and tested.agreement.equal and not tested.agreement.reasons
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
    if kind == "paper":
        with pytest.raises(UserError, match="has no val split .protocol=paper chooses the epoch on the test split itself"):
            measured(cell, "val")
        return
    held_out = measured(cell, "val")
    assert {f"val/{name}": value for name, value in held_out.figures.items() if f"val/{name}" in row} == {
        name: value for name, value in row.items() if name.startswith("val/")
    }
    assert held_out.agreement is not None and held_out.agreement.equal


def test_workers_and_kept_pictures_change_no_bit(plain: Path, config: dict[str, Any], tmp_path: Path) -> None:
    cell, other = plain, trained(config, tmp_path / "outputs", {"seed": 1})
    decoder = Decoder()
    once, again = measured(cell, decoder=decoder), measured(cell, workers=1)
    assert once.figures == again.figures
    assert np.array_equal(once.predictions.probabilities, again.predictions.probabilities)
    run = load(other)
    pictures = own_pictures(run, "test")
    object.__setattr__(pictures, "load", lambda place: pytest.fail("decoded again"))
    assert evaluate(run, pictures, decoder=decoder).figures == measured(other).figures
    assert evaluate(run, own_pictures(run, "test"), decoder=Decoder(room=0)).figures == measured(other).figures


def test_the_training_split_is_measured_as_test_images_are(plain: Path) -> None:
    done = measured(plain, "train")
    assert len(done.predictions.ids) == 54 and done.agreement is None
    assert done.figures["top1"] == pytest.approx((done.predictions.probabilities.argmax(1) == done.predictions.labels).mean())


def test_what_differs_is_told_with_what_may_be_why(plain: Path, tmp_path: Path) -> None:
    cell = tmp_path / plain.name
    shutil.copytree(plain, cell)
    result = cell / "result.json"
    row = read_metrics(cell)[-1]
    text = result.read_text().replace('"training": "files"', '"training": "maps", "maps": {"differs": 2e-07}')
    text = text.replace('"threads": 1', '"threads": 2').replace('"cpu": "', '"cpu": "another ')
    best = load(cell).record.best.test_loss
    result.write_text(text.replace(f'"test/loss": {best!r}', f'"test/loss": {best + 1!r}'))
    done = measured(cell)
    assert row and done.agreement is not None and not done.agreement.equal
    assert done.agreement.differences["loss"] == (best, best + 1)
    assert any("kept maps" in reason and "2e-07" in reason for reason in done.agreement.reasons)
    assert any(reason.startswith("cpu: ") and "it was another" in reason for reason in done.agreement.reasons)


def test_another_resolution_says_what_was_resized(plain: Path, config: dict[str, Any], tmp_path: Path) -> None:
    run = load(plain, image_size=96)
    done = evaluate(run, own_pictures(run, "test"))
    assert done.agreement is None
    assert done.resized == (
        "feature map 3x3 (trained: 2x2)",
        "resized: head.aggregation.kernel, 256x2x2 to 256x3x3 (a channel's sum is kept)",
    )
    gap = trained(config, tmp_path / "outputs", {"head": head("gap"), "recipe.epochs": 1})
    bigger = load(gap, image_size=96)
    assert evaluate(bigger, own_pictures(bigger, "test")).resized[1] == "no weight needed resizing"
    flatten = trained(config, tmp_path / "outputs", {"head": head("flatten"), "recipe.epochs": 1})
    with pytest.raises(UserError, match="head flatten at 96 px"):
        load(flatten, image_size=96)


def test_pictures_that_no_memory_holds(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load(plain)
    monkeypatch.setattr(run.model.backbone, "forward", lambda _: torch.zeros(1 << 50))
    with pytest.raises(UserError, match=r"batches of 16 pictures of 64 px.* do not fit into the memory of cpu"):
        evaluate(run, own_pictures(run, "test"))
