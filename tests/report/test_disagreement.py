"""The images on which heads disagree most, against a loop over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.disagreement import MOST, Disagreement
from wisesr.report.prediction_analysis import analyse_predictions
from wisesr.report.read import read_study
from wisesr.report.whole_study import Study
from wisesr.results.predictions import PREDICTIONS, read_predictions


@pytest.fixture
def study(tmp_path: Path) -> Study:
    for index, (head, seeds) in enumerate({"gap": (0, 1, 2), "wise": (1, 2, 3)}.items()):
        for seed in seeds:
            write_cell(cell_config(tmp_path, head=head, seed=seed), top1=0.7, draw=index)
    return read_study([tmp_path])


def only(study: Study) -> Disagreement:
    (found,) = analyse_predictions(study)
    (one,) = found.disagreements
    return one


def test_the_images_against_a_loop(study: Study) -> None:
    one = only(study)
    assert one.seeds == (1, 2)
    assert (one.baseline, one.entry.head) == ("gap", "wise")
    gains: dict[str, float] = {}
    for head, sign in (("wise", 1), ("gap", -1)):
        for cell in study.cells:
            if cell.place.head == head and cell.place.seed in (1, 2):
                its = read_predictions(cell.directory)
                assert its is not None
                for name, label, row in zip(its.ids, its.labels, its.probabilities, strict=True):
                    gains[str(name)] = gains.get(str(name), 0.0) + sign * float(row[label]) / 2
    ranked = sorted(gains, key=lambda name: gains[name])
    assert [case.id for case in one.worse] == ranked[:MOST]
    assert [case.id for case in one.better] == ranked[::-1][:MOST]
    for case in (*one.better, *one.worse):
        assert case.head.true_probability - case.baseline.true_probability == pytest.approx(gains[case.id], abs=1e-6)
        assert f"/{case.label}/" in case.id


def test_what_is_said_is_the_most_probable_class_of_the_mean(study: Study) -> None:
    case = only(study).better[0]
    rows = []
    for cell in study.cells:
        its = read_predictions(cell.directory)
        assert its is not None
        if cell.place.head == "wise" and cell.place.seed in (1, 2):
            rows.append(its.probabilities[list(its.ids).index(case.id)])
    mean = np.mean(rows, axis=0)
    assert case.head.predicted == f"class{mean.argmax()}"
    assert case.head.probability == pytest.approx(mean.max())


def test_an_image_stands_on_one_side_only(tmp_path: Path) -> None:
    """Of heads that say the same none is better, and no image disagrees."""
    for head in ("gap", "wise"):
        write_cell(cell_config(tmp_path, head=head), draw=0, images=10)
    one = only(read_study([tmp_path]))
    assert one.better == one.worse == ()


def test_without_the_predictions_of_a_seed_of_both_there_is_none(study: Study) -> None:
    for cell in study.cells:
        if cell.place.head == "gap" and cell.place.seed > 0:
            (cell.directory / PREDICTIONS).unlink()
    (found,) = analyse_predictions(study)
    assert found.disagreements == ()
    assert len(found.unread) == 2
