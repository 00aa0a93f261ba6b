"""The critical-difference figure as it is drawn: heads at their ranks, names that do not meet, bars over what they join."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vl_convert

from tests.report.test_render import marks, texts
from tests.support.ranked import Result, like_cell, study_of
from wisesr.report.figures.rank_figures import rank_figures
from wisesr.report.figures.render import render
from wisesr.report.figures.style import config, head_order
from wisesr.report.ranking import Ranking, rankings
from wisesr.report.whole_study import Study

HEADS = ("gap", "wise", *(f"head{number} dropout=0.5" for number in range(14)))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """16 heads on 14 datasets, some of them far apart."""
    random, like = np.random.default_rng(0), like_cell(tmp_path_factory.mktemp("ranks"))
    return study_of(
        like,
        [
            Result(f"set{number}", head, float(np.round(60 + at + random.normal(0, 1.5), 2)))
            for number in range(14)
            for at, head in enumerate(HEADS)
        ],
    )


@pytest.fixture(scope="module")
def ranking(study: Study) -> Ranking:
    (ranking,) = rankings(study)
    assert len(ranking.bars) > 1 and 0 < len(ranking.apart) < 120
    return ranking


@pytest.fixture(scope="module")
def spec(study: Study, ranking: Ranking) -> dict[str, Any]:
    (figure,) = rank_figures([ranking], head_order(study))
    assert (figure.table, figure.section) == (ranking.key, "ranks")
    return figure.spec


@pytest.fixture(scope="module")
def scene(spec: dict[str, Any]) -> Any:
    return vl_convert.vegalite_to_scenegraph(spec | {"config": config("light")})


def test_heads_stand_at_their_ranks(ranking: Ranking, scene: Any) -> None:
    """Places rise with ranks along one straight line, from the first rank at the left end to the last at the right."""
    places = sorted(float(point["x"]) for point in marks(scene, "symbol"))
    assert places == pytest.approx([440 * (head.rank - 1) / 15 for head in ranking.heads], abs=0.05)


def test_every_head_is_named_beside_its_own_line(ranking: Ranking, scene: Any, spec: dict[str, Any]) -> None:
    named = [(item["text"], float(item["y"]), item["align"]) for item in marks(scene, "text")]
    assert len(named) == 16
    heights = {side: sorted(y for _, y, align in named if align == side) for side in ("left", "right")}
    assert all(low + 15 < high for own in heights.values() for low, high in itertools.pairwise(own))
    points = [(float(point["x"]), float(point["y"])) for point in marks(scene, "symbol")]
    for head in ranking.heads:
        ((text, height, _),) = [one for one in named if head.head in one[0].split("  ")]
        assert f"{head.rank:.2f}" in text
        assert any(y == height and x == pytest.approx(440 * (head.rank - 1) / 15, abs=0.05) for x, y in points)
    assert {text for text, _, _ in named} <= texts(render(spec).svg), "nothing is cut"


def test_bars_span_their_heads_and_do_not_touch(ranking: Ranking, spec: dict[str, Any]) -> None:
    (bars,) = [layer["data"]["values"] for layer in spec["layer"] if "data" in layer]
    spans = {(bar["low"], bar["high"]) for bar in bars}
    for joined in ranking.bars:
        first, last = ranking.heads[joined[0]].rank, ranking.heads[joined[-1]].rank
        assert any(low < first and last < high and high - low < last - first + 0.5 for low, high in spans)
    for one, other in itertools.combinations(bars, 2):
        assert one["y"] != other["y"] or one["high"] < other["low"] or other["high"] < one["low"]


def test_all_heads_apart_have_no_bar_and_two_heads_are_drawn(tmp_path: Path) -> None:
    results = [Result(f"set{number}", head, top1) for number in range(6) for head, top1 in (("gap", 50.0), ("wise", 60.0))]
    study = study_of(like_cell(tmp_path), results)
    (ranking,) = rankings(study)
    (figure,) = rank_figures([ranking], head_order(study))
    assert not [layer for layer in figure.spec["layer"] if "data" in layer]
    assert {"1", "2", "wise  1.00", "2.00  gap"} <= texts(render(figure.spec).svg)
