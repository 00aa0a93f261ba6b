"""Confusions, and what of them changes from the baseline to a head, against loops over images and scikit-learn's."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from tests.support.studies import cell_config, write_cell
from wisesr.report import prediction_analysis as module
from wisesr.report.class_recall import by_gain, class_recall
from wisesr.report.confusion import ConfusionPair
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


def pair_of(root: Path) -> ConfusionPair:
    (found,) = analyse_predictions(read_study([root]))
    (pair,) = found.confusion_pairs
    return pair


def predicted(root: Path, head: str, seed: int) -> list[tuple[int, int]]:
    """True and predicted class of each test image."""
    cell = next(cell for cell in read_study([root]).cells if (cell.place.head, cell.place.seed) == (head, seed))
    its = read_predictions(cell.directory)
    assert its is not None
    return [(int(label), max(range(5), key=row.__getitem__)) for label, row in zip(its.labels, its.probabilities, strict=True)]


def answer(directory: Path, labels: list[int], said: list[int], classes: int = 3) -> None:
    """Predictions of a cell: for each image its class and what is said."""
    names, ids = tuple("xyz"[:classes]), np.array([f"{index}" for index in range(len(labels))])
    write_predictions(directory, Predictions(ids, np.array(labels), np.eye(classes, dtype=np.float32)[said], names))


def test_changes_are_those_of_a_loop_over_the_seeds_that_both_have(tmp_path: Path) -> None:
    cells(tmp_path, ("gap",), seeds=2)
    for seed in (1, 2, 3):
        write_cell(cell_config(tmp_path, head="wise", seed=seed), top1=0.6, draw=9)
    pair = pair_of(tmp_path)
    assert pair.head.seeds == pair.baseline.seeds == (1,)
    for true in range(5):
        for said in range(5):
            shares = []
            for head in ("wise", "gap"):
                own = [answered for label, answered in predicted(tmp_path, head, 1) if label == true]
                shares.append(100 * own.count(said) / len(own))
            assert pair.changes()[true, said] == pytest.approx(shares[0] - shares[1])
    fell, rose = pair.changed()
    wanted = {(true, said) for true in range(5) for said in range(5) if true != said and abs(pair.changes()[true, said]) > 1e-6}
    assert {*fell, *rose} == wanted and wanted
    for pairs, sign in ((fell, -1), (rose, 1)):
        changes = [sign * pair.changes()[at] for at in pairs]
        assert changes == sorted(changes, reverse=True) and all(change > 0 for change in changes)


def test_recall_is_that_of_a_loop_and_its_interval_a_paired_t(tmp_path: Path) -> None:
    cells(tmp_path, seeds=3)
    pair = pair_of(tmp_path)
    assert sorted(by_gain(pair)) == list(range(5))
    means = []
    for index in by_gain(pair):
        recall, by_seed = class_recall(pair, index), []
        for seed in range(3):
            both = []
            for head in ("gap", "wise"):
                own = [said == index for label, said in predicted(tmp_path, head, seed) if label == index]
                both.append(100 * sum(own) / len(own))
            by_seed.append(both)
        gains = [head - base for base, head in by_seed]
        mean, std = statistics.fmean(gains), statistics.stdev(gains)
        assert (recall.number, recall.images) == (index, 30)
        assert recall.baseline == pytest.approx(statistics.fmean(base for base, _ in by_seed))
        assert recall.head == pytest.approx(statistics.fmean(head for _, head in by_seed))
        assert recall.difference.mean == pytest.approx(mean)
        means.append(recall.difference.mean)
        reach = 4.302653 * std / 3**0.5  # Student's t, two degrees of freedom, 97.5 %
        ends = (recall.difference.low, recall.difference.high)
        assert ends == (pytest.approx((mean - reach, mean + reach), abs=1e-4) if std else (None, None))
    assert means == sorted(means, reverse=True)


def test_two_seeds_have_no_interval_of_a_class(tmp_path: Path) -> None:
    cells(tmp_path, seeds=2)
    pair = pair_of(tmp_path)
    assert {class_recall(pair, index).difference.low for index in by_gain(pair)} == {None}


def test_test_images_that_differ_between_seeds_widen_the_interval(tmp_path: Path) -> None:
    """Nadeau and Bengio: by the root of 1 + n times the tested over the trained images."""
    cells(tmp_path, seeds=3)
    pair = pair_of(tmp_path)
    assert pair.tested_over_trained is None
    found = [class_recall(pair._replace(tested_over_trained=ratio), by_gain(pair)[0]).difference for ratio in (None, 0.25)]
    widths = [one.high - one.low for one in found if one.high is not None and one.low is not None]
    assert widths[1] / widths[0] == pytest.approx((1 + 3 * 0.25) ** 0.5)


def test_a_head_that_answers_as_the_baseline_does_changes_nothing(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for seed in range(3):
            write_cell(cell_config(tmp_path, head=head, seed=seed), top1=0.7, draw=0)
    pair = pair_of(tmp_path)
    assert not pair.changes().any()
    assert pair.changed() == ([], [])
    assert by_gain(pair) == [0, 1, 2, 3, 4]
    assert [class_recall(pair, index).difference for index in range(5)] == [(0.0, None, None, None)] * 5


def test_a_class_without_an_image_has_no_recall_and_no_change(tmp_path: Path) -> None:
    for head, said in {"gap": [0, 1, 1], "wise": [0, 0, 0]}.items():
        answer(write_cell(cell_config(tmp_path, head=head)), [0, 0, 1], said)
    pair = pair_of(tmp_path)
    assert np.array_equal(pair.changes(), [[50, -50, 0], [100, -100, 0], [np.nan] * 3], equal_nan=True)
    assert by_gain(pair) == [0, 1]
    assert pair.changed() == ([(0, 1)], [(1, 0)])


def test_a_class_that_one_seed_lacks_counts_over_the_others(tmp_path: Path) -> None:
    """As in folds of few images."""
    for head, said in {"gap": [1, 1], "wise": [0, 1]}.items():
        for seed in range(2):
            answer(write_cell(cell_config(tmp_path, head=head, seed=seed)), [0, 1], said)
    pair = pair_of(tmp_path)
    assert class_recall(pair, 0).head == 100
    lacking = [one._replace(images=np.array([[1, 1, 0], [0, 1, 0]]), right=one.right * [[1], [0]]) for one in pair[:2]]
    recall = class_recall(pair._replace(head=lacking[0], baseline=lacking[1]), 0)
    assert (recall.images, recall.baseline, recall.head, recall.difference.mean) == (1, 0, 100, 100)
