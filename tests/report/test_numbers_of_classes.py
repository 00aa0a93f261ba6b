"""Studies over sizes and numbers of classes: none is averaged with another, and how a gain grows is told with its interval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.report.test_claims import GAIN
from tests.support.simulated import Design, finished_cell, simulated
from tests.support.studies import cell_config, write_cell
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.claims.measures import MEASURES
from wisesr.report.claims.parts import number_in, without_number
from wisesr.report.figures.overview_figures import overview_figures
from wisesr.report.overview_forests import forests
from wisesr.report.ranking import rankings
from wisesr.report.read import read_study
from wisesr.report.study import ReportCell
from wisesr.report.tables.claim_block_sentences import headline
from wisesr.report.tables.claim_sentences import claim_text, estimate_text, remark
from wisesr.report.whole_study import Study

CLASSES, DRAWS = (5, 10, 40), (0, 1)
TOP1 = {5: 0.90, 10: 0.80, 40: 0.60}
GAINS = {5: 0.02, 10: 0.03, 40: 0.05}
"""A point for every doubling."""


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> ReportCell:
    return finished_cell(tmp_path_factory.mktemp("simulated"))


def write(root: Path, classes: int, draw: int, size: int = 64) -> None:
    """Cells of two heads and three seeds, all about as long in training."""
    for seed in range(3):
        for head in ("gap", "wise"):
            changes = {"dataset.classes": classes, "dataset.classes_seed": draw}
            config = cell_config(root, head=head, seed=seed, size=size, epochs=120 // classes, changes=changes)
            images = {"train": 30 * classes, "test": 20 * classes, "val": 3 * classes}
            data = {"data": {"fingerprint": f"{classes:032}{draw:032}", "images": images, "left_out": []}}
            noise = 0.01 * (seed - 1) * (head == "wise")
            top1 = TOP1[classes] + (GAINS[classes] + noise) * (head == "wise")
            write_cell(config, top1=top1, images=20 * classes, classes=classes, provenance=data, draw=classes + 100 * draw)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("classes")
    for classes in CLASSES:
        write(root, classes, 0)
    return root


@pytest.fixture(scope="module")
def study(root: Path) -> Study:
    return read_study([root])


def of(study: Study, name: str) -> list[Answer]:
    return [answer for block in study.claims for answer in block.answers if answer.claim.name == name]


def test_each_number_of_classes_has_an_answer_of_its_own(study: Study) -> None:
    gains = of(study, "gain")
    assert [(answer.size, answer.classes) for answer in gains] == [(64, classes) for classes in CLASSES]
    for answer in gains:
        assert answer.classes is not None and answer.found is not None and len(answer.rows) == 1
        assert answer.found.mean == pytest.approx(100 * GAINS[answer.classes], abs=0.35)
        assert claim_text(answer).endswith(f" at 64 px with {answer.classes} classes")
    assert len(of(study, "dropout")) == 1, "one reason for all"
    assert len(of(study, "parameters")) == 1, "counted, and a range over rows"
    said = " ".join(known.text + known.detail for known in headline(study.claims[0]))
    assert all(f"at 64 px with {classes} classes" in said for classes in CLASSES)


def test_how_the_gain_grows_has_an_estimate_and_says_what_else_grew(study: Study) -> None:
    (answer,) = of(study, "classes")
    assert answer.found is not None and answer.size == 64
    means = [one.found.mean for one in of(study, "gain") if one.found is not None]
    assert answer.found.mean == pytest.approx(np.polyfit(np.log2(CLASSES), means, 1)[0])
    assert answer.found.low < answer.found.mean < answer.found.high
    assert "points for every doubling of the number of classes (95 % interval" in estimate_text(answer)
    (row,) = answer.rows
    assert row.label == "resnet18, toy at 5, 10, 40 classes"
    ratios = [(100 * (1 - TOP1[n]) - mean) / (100 * (1 - TOP1[n])) for n, mean in zip(CLASSES, means, strict=True)]
    errors = ", ".join(f"{ratio:.2f} at {n}" for n, ratio in zip(CLASSES, ratios, strict=True))
    assert row.beside == f"150 to 1,200 training images, 960 to 120 steps; errors of wise by those of gap: {errors}"
    assert row.beside in remark(answer)


def test_numbers_of_classes_stand_beside_one_another(study: Study) -> None:
    assert [table.title for table in study.tables] == [f"toy classes={classes}, 64 px" for classes in CLASSES]
    (forest,) = forests(study)
    assert [panel.title for panel in forest.panels] == [f"64 px, {classes} classes" for classes in CLASSES]
    assert forest.title == "toy"
    figures = {figure.key: figure for figure in overview_figures(study, ["gap", "wise"])}
    assert len(figures) == 2
    slopes = next(figure for key, figure in figures.items() if "slopes" in key)
    rows = slopes.spec["data"]["values"]
    assert [row["size"] for row in rows] == list(CLASSES)
    assert "by number of classes" in slopes.title and "with each number of classes" in slopes.caption


def test_draws_of_classes_are_kept_apart(tmp_path: Path) -> None:
    for draw in DRAWS:
        for classes in CLASSES[:2]:
            write(tmp_path, classes, draw)
    study = read_study([tmp_path])
    slopes = of(study, "classes")
    assert [answer.draw for answer in slopes] == ["classes_seed=0", "classes_seed=1"]
    assert all(len(answer.rows) == 1 and answer.found is not None for answer in slopes)
    assert claim_text(slopes[1]).endswith(" at 64 px (classes_seed=1)")
    gains = of(study, "gain")
    assert [(answer.classes, answer.draw) for answer in gains] == [
        (classes, f"classes_seed={draw}") for classes in CLASSES[:2] for draw in DRAWS
    ]
    assert len(forests(study)) == len(DRAWS)


def test_of_a_dataset_s_numbers_of_classes_the_most_are_ranked(root: Path, tmp_path: Path) -> None:
    """Over datasets each counts once, and not with a mean over 5 and 40 classes."""
    for head in ("gap", "wise"):
        write_cell(cell_config(tmp_path, head=head, dataset="other"), top1=0.5)
    (ranking,) = rankings(read_study([root, tmp_path]))
    values = dict(zip(ranking.of.datasets, ranking.of.values, strict=True))
    assert values["toy"][ranking.of.heads.index("gap")] == pytest.approx(60.0, abs=0.1)


def test_sizes_of_one_number_of_classes_are_one_slope(like: ReportCell) -> None:
    """And not that of all numbers of classes together."""
    studies = simulated(like, Design(heads=("wise",), sizes=(64, 128), classes=(5, 10)), 1, seed=0)
    (block,) = studies.answered(GAIN._replace(slope="size"))
    assert [answer.classes for answer in block.answers] == [5, 10]
    assert all(row.sizes == (64, 128) for answer in block.answers for row in answer.rows)
    (block,) = studies.answered(GAIN._replace(slope="classes", sizes="each"))
    assert [(answer.size, answer.classes) for answer in block.answers] == [(64, None), (128, None)]
    (block,) = studies.answered(GAIN._replace(measure=MEASURES["parameters"], expected="no_higher", margin=5.0))
    assert len(block.answers) == 1


@pytest.mark.slow
def test_the_slope_over_three_numbers_covers_the_truth(like: ReportCell) -> None:
    """Two points for every doubling, in 100 studies: 95 in 100 intervals hold it, give or take four in 100."""
    design = Design(heads=("wise",), classes=(5, 10, 40), gains={"wise": 2.0}, per_classes=2.0)
    blocks = simulated(like, design, 100, seed=3).answered(GAIN._replace(slope="classes"))
    found = [answer.found for block in blocks for answer in block.answers if answer.found is not None]
    assert len(found) == 100
    assert sum(one.low <= 2.0 <= one.high for one in found) >= 91
    assert sum(answer.verdict is Verdict.SUPPORTED for block in blocks for answer in block.answers) >= 50


@pytest.mark.parametrize(
    ("label", "number", "rest"),
    [
        ("mit classes=10 classes_seed=1", 10, "mit classes_seed=1"),
        ("mit classes_seed=1", None, "mit classes_seed=1"),
        ("mit classes=null", None, "mit"),
    ],
)
def test_labels_tell_numbers_of_classes(label: str, number: int | None, rest: str) -> None:
    assert number_in(label) == number
    assert without_number(label) == rest
