"""Confusion and recall against the baseline, drawn: counts of both heads, colours that mean better, ends of many classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vl_convert

from tests.report.test_figures import rows
from tests.support.studies import cell_config, write_cell
from wisesr.report.figures import Figure, all_figures
from wisesr.report.figures.render import render
from wisesr.report.figures.style import config
from wisesr.report.prediction_analysis import analyse_predictions
from wisesr.report.read import read_study
from wisesr.report.whole_study import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("confusions")
    for index, head in enumerate(("gap", "wise")):
        for backbone, seeds in {"resnet18": 3, "resnet50": 1}.items():
            for seed in range(seeds):
                write_cell(cell_config(root, head=head, backbone=backbone, seed=seed), top1=0.7 + 0.02 * index, draw=index)
    return read_study([root])


@pytest.fixture(scope="module")
def figures(study: Study) -> dict[str, Figure]:
    return {figure.key: figure for figure in all_figures(study)}


def test_a_map_of_changes_has_both_heads_counts(study: Study, figures: dict[str, Figure]) -> None:
    """What each head's own matrix would tell is in the data, and told by the pointer."""
    spec = figures["toy-64-confusion-resnet18-wise"].spec
    found = next(analysis for analysis in analyse_predictions(study) if analysis.table == "toy-64")
    own = {confusion.entry.head: confusion for confusion in found.confusions}
    place = {name: index for index, name in enumerate(own["gap"].classes)}
    shown = {(place[row["true"]], place[row["predicted"]]): row for row in rows(spec)}
    for head, field in (("wise", "images"), ("gap", "before")):
        for at, count in np.ndenumerate(own[head].counts):
            assert (shown[at[0], at[1]][field] if at in shown else 0) == count
    assert {row["total"] for row in shown.values()} == {30}
    told = {line["title"] for line in spec["layer"][1]["encoding"]["tooltip"]}
    assert {"wise, images", "gap, images", "wise, %", "gap, %", "images of the true class", "change, points"} <= told


def test_blue_is_better_on_the_diagonal_and_off_it(study: Study, figures: dict[str, Figure]) -> None:
    spec = figures["toy-64-confusion-resnet18-wise"].spec
    drawn = vl_convert.vegalite_to_scenegraph(spec | {"config": config("light")})
    place = {name: index for index, name in enumerate(spec["layer"][1]["encoding"]["x"]["sort"])}
    (pair,) = (
        pair
        for analysis in analyse_predictions(study)
        for pair in analysis.confusion_pairs
        if (pair.head.entry.head, pair.head.entry.backbone) == ("wise", "resnet18")
    )
    seen = 0
    for item in tinted(drawn):
        red, _, blue = (int(part) for part in re.findall(r"\d+", item["fill"]))
        true, said = (place[re.search(rf"{name} class: (\w+)", item["description"]).group(1)] for name in ("true", "predicted"))  # type: ignore[union-attr]
        change = pair.changes()[true, said]
        better = change if true == said else -change
        assert (blue > red + 4) == (better > 0.3) and (red > blue + 4) == (better < -0.3)
        seen += abs(better) > 0.3
    assert seen == (np.abs(pair.changes()) > 0.3).sum() > 5


def tinted(part: Any) -> list[dict[str, Any]]:
    """Rectangles of a scene that are described: those that have a class each."""
    if isinstance(part, list):
        return [item for one in part for item in tinted(one)]
    if not isinstance(part, dict):
        return []
    own = [part] if "predicted class" in str(part.get("description")) and "rgb" in str(part.get("fill")) else []
    return own + [item for value in part.values() for item in tinted(value)]


def test_a_head_like_the_baseline_has_an_empty_map(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        write_cell(cell_config(tmp_path, head=head), draw=0)
    figure = next(figure for figure in all_figures(read_study([tmp_path])) if "confusion-resnet18-wise" in figure.key)
    assert all(row["images"] == row["before"] for row in rows(figure.spec))
    assert "+" not in render(figure.spec).svg.split("</style>")[-1].replace("e+", "")


def test_recall_has_a_row_for_each_class_and_its_interval(study: Study, figures: dict[str, Figure]) -> None:
    figure = figures["toy-64-recall-resnet18-wise"]
    values = figure.spec["data"]["values"]
    gains = [row["difference"] for row in values]
    assert len(values) == 5 and gains == sorted(gains, reverse=True)
    for row in values:
        assert row["heads"] == ["gap", "wise"]
        assert row["recalls"][1] - row["recalls"][0] == pytest.approx(row["difference"], abs=0.02)
        assert "low" not in row or row["low"] < row["difference"] < row["high"]
    assert any("low" in row for row in values)
    assert "for other seeds on these test images (paired t), not corrected for the number of classes" in figure.caption
    assert "fewer than three seeds have no interval" in figures["toy-64-recall-resnet50-wise"].caption


def test_of_many_classes_the_ends_are_shown(tmp_path: Path) -> None:
    for index, head in enumerate(("gap", "wise")):
        write_cell(cell_config(tmp_path, head=head), classes=41, images=410, top1=0.6, draw=index)
    study = read_study([tmp_path])
    shown = {figure.key: figure for figure in all_figures(study)}
    recall = shown["toy-64-recall-resnet18-wise"]
    values, domain = recall.spec["data"]["values"], recall.spec["hconcat"][0]["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert [len(values), len(domain), domain[15]] == [30, 31, "\N{HORIZONTAL ELLIPSIS} 11 classes between"]
    (pair,) = (pair for analysis in analyse_predictions(study) for pair in analysis.confusion_pairs)
    gains = sorted(np.diag(pair.changes()), reverse=True)
    assert [row["difference"] for row in values] == pytest.approx([*gains[:15], *gains[-15:]], abs=0.01)
    assert ("lost most or gained least. Left" in recall.caption) == (gains[-15] >= 0)
    above, below = shown["toy-64-confusion-resnet18-wise"].spec["vconcat"]
    changes = [row["change"] for row in above["data"]["values"]]
    assert changes == sorted(changes) and sum(change < 0 for change in changes) == sum(change > 0 for change in changes) == 15
    assert all(
        row["change"] == pytest.approx(10 * (row["images"] - row["before"]), abs=0.01) for row in above["data"]["values"]
    )
    assert len(below["data"]["values"]) == 20
    assert "Most confused by the head itself" in render(shown["toy-64-confusion-resnet18-wise"].spec).svg
