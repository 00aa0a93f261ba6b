"""Confusions against a loop over images and scikit-learn's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from tests.support.studies import cell_config, write_cell
from wisesr.report import prediction_analysis as module
from wisesr.report.prediction_analysis import analyse_predictions
from wisesr.report.read import read_study
from wisesr.results.predictions import PREDICTIONS, Predictions, read_predictions, write_predictions


def cells(root: Path, heads: tuple[str, ...] = ("gap", "wise"), seeds: int = 2) -> None:
    for index, head in enumerate(heads):
        for seed in range(seeds):
            write_cell(cell_config(root, head=head, seed=seed), top1=0.7, draw=index)


def test_counts_are_those_of_scikit_learn_summed_over_seeds(tmp_path: Path) -> None:
    cells(tmp_path)
    study = read_study([tmp_path])
    (found,) = analyse_predictions(study)
    assert [one.entry.head for one in found.confusions] == ["gap", "wise"]
    assert found.unread == ()
    for one in found.confusions:
        wanted = np.zeros((5, 5), int)
        for cell in one.entry.cells:
            its = read_predictions(cell.directory)
            assert its is not None
            wanted += confusion_matrix(its.labels, its.probabilities.argmax(axis=1), labels=range(5))
        assert np.array_equal(one.counts, wanted)
        assert one.seeds == (0, 1)
        assert one.classes == tuple(f"class{index}" for index in range(5))
        assert np.allclose(one.shares().sum(axis=1), 1)
        assert np.trace(one.counts) / one.counts.sum() == pytest.approx(one.entry.mean / 100)


def test_pairs_are_sorted_by_images_and_the_true_class_is_none_of_them(tmp_path: Path) -> None:
    cells(tmp_path, ("gap",))
    (found,) = analyse_predictions(read_study([tmp_path]))
    (one,) = found.confusions
    pairs = one.pairs()
    counts = [one.counts[pair] for pair in pairs]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == one.counts.sum() - np.trace(one.counts)
    assert all(true != said for true, said in pairs)


def test_a_class_without_an_image_has_no_share(tmp_path: Path) -> None:
    cells(tmp_path, ("gap",), seeds=1)
    (cell,) = read_study([tmp_path]).cells
    probabilities = np.eye(3, dtype=np.float32)[[0, 1]]
    write_predictions(cell.directory, Predictions(np.array(["a", "b"]), np.array([0, 0]), probabilities, ("x", "y", "z")))
    ((one,),) = (found.confusions for found in analyse_predictions(read_study([tmp_path])))
    assert one.shares()[0].tolist() == [0.5, 0.5, 0]
    assert np.isnan(one.shares()[1:]).all(), "0 would say that none of its images is right"
    assert one.absent == ("y", "z")
    assert one.pairs() == [(0, 1)]


def test_predictions_that_are_damaged_or_of_other_images_are_named(tmp_path: Path) -> None:
    cells(tmp_path, seeds=3)
    study = read_study([tmp_path])
    wise = [cell for cell in study.cells if cell.place.head == "wise"]
    (wise[0].directory / PREDICTIONS).write_bytes(b"PK\x03\x04 no zip")
    its = read_predictions(wise[1].directory)
    assert its is not None
    write_predictions(wise[1].directory, its._replace(ids=its.ids[::-1]))
    (found,) = analyse_predictions(study)
    assert found.unread == (wise[0].name, wise[1].name)
    assert found.confusions[1].seeds == (2,)


def test_predictions_of_classes_with_other_names_are_of_other_classes(tmp_path: Path) -> None:
    cells(tmp_path)
    study = read_study([tmp_path])
    renamed = next(cell for cell in study.cells if cell.place.head == "wise")
    predictions = read_predictions(renamed.directory)
    assert predictions is not None
    write_predictions(renamed.directory, predictions._replace(classes=tuple(map(str, range(5)))))
    (found,) = analyse_predictions(study)
    assert found.unread == (renamed.name,)
    assert found.confusions[1].seeds == (1,)


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells(tmp_path)
    read: list[Path] = []

    def counted(directory: Path) -> Predictions | None:
        read.append(directory)
        return read_predictions(directory)

    monkeypatch.setattr(module, "read_predictions", counted)
    assert len(list(analyse_predictions(read_study([tmp_path])))) == 1
    assert len(read) == len(set(read)) == 4
