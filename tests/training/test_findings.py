"""What loggers are shown of a finished cell, and a cell whose loggers are broken."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix

from tests.support.studies import write_waiting
from wisesr.cell.run import DONE, run
from wisesr.config.files import to_yaml
from wisesr.data.manifest import Manifest
from wisesr.errors import UserError
from wisesr.results.predictions import Predictions, read_predictions, write_predictions
from wisesr.results.reading import reading_words
from wisesr.results.record_file import read_record
from wisesr.training.loggers.base import Findings, RunLogger
from wisesr.training.loggers.findings import gather, hardest
from wisesr.training.loggers.pictures import confusion, confusion_picture

COUNT, CLASSES = 30, 4


def manifest(unreadable: frozenset[int] = frozenset()) -> Manifest:
    """30 test images after 8 of the training split, each of its own grey."""

    def load(index: int) -> Image.Image:
        if index in unreadable:
            raise UserError(f"{index} is damaged")
        return Image.new("L", (300, 500), index)

    total = COUNT + 8
    splits = ["train"] * 8 + ["test"] * COUNT
    names = [f"{index}.png" for index in range(total)]
    return Manifest(names, [index % CLASSES for index in range(total)], list("abcd"), splits, load, [1] * total)


def predictions(seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(CLASSES), COUNT).astype(np.float32)
    labels = np.arange(8, COUNT + 8) % CLASSES
    return Predictions(np.array([f"{index}.png" for index in range(8, COUNT + 8)]), labels, probabilities, tuple("abcd"))


def test_the_hardest_images_against_a_loop() -> None:
    tested = predictions()
    loss = {
        str(name): -math.log(float(row[label]))
        for name, label, row in zip(tested.ids, tested.labels, tested.probabilities, strict=True)
    }
    expected = sorted(loss, key=lambda name: -loss[name])[:5]
    found = list(hardest(tested, manifest(), 5))
    assert [hard.id for hard in found] == expected
    for hard in found:
        index = int(hard.id.removesuffix(".png"))
        row = tested.probabilities[index - 8]
        assert hard.loss == pytest.approx(loss[hard.id])
        assert (hard.label, hard.predicted) == ("abcd"[index % CLASSES], "abcd"[int(np.argmax(row))])
        assert hard.probability == pytest.approx(float(row[index % CLASSES]))
        assert (hard.image.mode, hard.image.size) == ("RGB", (134, 224))
        assert hard.image.getpixel((5, 5)) == (index, index, index)


def test_images_that_cannot_be_opened_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    tested = predictions()
    worst = [hard.id for hard in hardest(tested, manifest(), 4)]
    found = hardest(tested, manifest(frozenset({int(worst[1].removesuffix(".png"))})), 4)
    assert [hard.id for hard in found] == [worst[0], *worst[2:]]
    assert f"a picture of {worst[1]}" in caplog.text


def test_a_cell_without_predictions_still_has_findings(tmp_path: Path) -> None:
    assert gather(tmp_path, manifest(), Broken()) == Findings(None, None, ())
    write_predictions(tmp_path, predictions())
    found = gather(tmp_path, manifest(), Broken())
    assert found.predictions is not None
    assert len(found.hardest) == 16


def test_a_probability_of_nought_has_a_loss() -> None:
    tested = Predictions(np.array(["8.png"]), np.array([0]), np.array([[0.0, 1.0]], np.float32), ("a", "b"))
    (hard,) = hardest(tested, manifest())
    assert 80 < hard.loss < 100


def test_confusion_against_scikit_learn() -> None:
    tested = predictions(1)
    truth = confusion_matrix(tested.labels, tested.probabilities.argmax(axis=1), labels=range(CLASSES))
    assert np.array_equal(confusion(tested), truth)


def test_the_row_of_a_class_without_images_is_grey_and_no_other() -> None:
    tested = predictions()
    kept = tested.labels != 2
    absent = Predictions(tested.ids[kept], tested.labels[kept], tested.probabilities[kept], tested.classes)
    side = 640 // CLASSES
    for shown, row in ((tested, None), (absent, 2)):
        picture = confusion_picture(shown)
        corners = [picture.getpixel((152, 152 + side * label)) for label in range(CLASSES)]
        assert [label for label, colour in enumerate(corners) if colour == (208, 208, 208)] == ([] if row is None else [row])


@pytest.mark.parametrize("classes", [2, 30, 31, 700])
def test_the_picture_of_a_confusion_matrix(classes: int) -> None:
    """A model that is always right, but of the last class: the diagonal is dark, the last row is dark at its left."""
    labels = np.arange(classes)
    predicted = np.where(labels == classes - 1, 0, labels)
    tested = Predictions(
        labels.astype(str), labels, np.eye(classes, dtype=np.float32)[predicted], tuple(f"class {n}" for n in labels)
    )
    picture = confusion_picture(tested)
    side = max(1, 640 // classes)
    margin = picture.width - 8 - classes * side
    pixels = np.asarray(picture).astype(int)

    def darkness(row: int, column: int) -> float:
        top, left = margin + row * side, margin + column * side
        return float(255 * 3 - pixels[top : top + side, left : left + side].sum(axis=2).min())

    assert darkness(0, 0) > 400
    assert darkness(classes - 1, 0) > 400
    assert darkness(classes - 1, classes - 1) == 0
    assert darkness(0, classes - 1) == 0


class Broken(RunLogger):
    """Raises at the end; as a module, it has no kernels to show either."""

    def __init__(self, run: Any = None) -> None:
        if run is not None:
            super().__init__(run)

    def modules(self) -> list[Any]:
        raise RuntimeError("no kernels")

    def finish(self, summary: Any, findings: Findings) -> None:
        (self.run.directory / "told.json").write_text(json.dumps({**summary, "hardest": len(findings.hardest)}))
        raise RuntimeError("broken on purpose")


def test_a_cell_whose_loggers_break_has_its_record(config: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    config["recipe"]["epochs"] = 1
    config["logger"] = {"broken": {"_target_": "tests.training.test_findings.Broken"}}
    cell = write_waiting(config)
    (cell / "config.yaml").write_text(to_yaml(config))
    assert run(cell) == DONE
    record = read_record(cell)
    assert record is not None
    assert "Broken.finish failed" in caplog.text and "RuntimeError: broken on purpose" in caplog.text
    told = json.loads((cell / "told.json").read_text())
    assert told["best/test/top1"] == record.best.test_top1
    assert (told["selection"], told["protocol"]) == (record.selection, record.protocol)
    assert (told["fingerprint"], told["data_fingerprint"]) == (
        record.fingerprint,
        record.provenance.data.fingerprint,
    )
    assert told["head_parameters"] == record.cost.parameters.head
    assert told["backbone_flops"] == record.cost.flops.backbone
    assert told["train_seconds"] == record.cost.train_seconds
    assert told["compute_train_ms"] == record.cost.compute.train_ms
    assert told["reads"] == reading_words(record.provenance.reads)
    assert told["steps"] == record.budget.steps
    assert told["hardest"] == 16
    tested = read_predictions(cell)
    assert tested is not None and len(tested.ids) == 18
