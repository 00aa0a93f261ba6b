"""What is said and drawn of speed: sentences, the block of the page, the line of the figure."""

from __future__ import annotations

import math
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from tests.support.pages import render
from tests.support.rises import of_head, rise, write_heads
from wisesr.report.figures.convergence_figures import convergence_figures
from wisesr.report.read import read_study
from wisesr.report.tables.speed_words import change, change_interval, percent_change
from wisesr.statistics.intervals import Interval


def test_the_words(tmp_path: Path) -> None:
    table = write_heads(tmp_path, {"gap": [rise(9), rise(9.5), rise(8.5)], "wise": [rise(6), rise(7), rise(5)]})
    found = of_head(table, "wise")
    assert found.epochs is not None
    ratio = found.epochs.ratio
    low, mean, high = (100 * (math.exp(value) - 1) for value in (ratio.low or 0, ratio.mean, ratio.high or 0))
    assert high < 0
    assert change(found.epochs, bound=False) == f"\N{MINUS SIGN}{-mean:.0f} %"
    assert change_interval(ratio) == f"\N{MINUS SIGN}{-low:.0f} to \N{MINUS SIGN}{-high:.0f} %"


def test_a_ratio_and_its_inverse_are_percent_up_and_down() -> None:
    assert percent_change(math.log(0.75)) == pytest.approx(-25)
    assert percent_change(-math.log(0.75)) == pytest.approx(100 / 3)
    assert change_interval(Interval(0.0, -0.001, math.log(1.04), 0.9)) == "0 to +4 %"


@pytest.mark.parametrize("protocol", ["holdout", "paper"])
def test_the_block_of_the_page(protocol: str, tmp_path: Path) -> None:
    changes = {"protocol": protocol}
    heads = {"gap": [rise(9), rise(9.5), rise(8.5)], "wise": [rise(6), rise(7), rise(5)], "flatten": [rise(9, 0.6)] * 3}
    table = write_heads(tmp_path, heads, changes=changes)
    html = render(tmp_path)
    assert f"mean {'test' if protocol == 'paper' else 'validation'} top-1 of gap" in html
    assert html.count("The learning rate ends at zero after 60 epochs") == 1
    (block,) = html.split("<h3>Convergence</h3>")[1].split("<h3>")[:1]
    found = of_head(table, "wise").epochs
    assert found is not None
    assert change_interval(found.ratio) in block
    assert "0 of 3" in block and "≥ 60.0" in block


def test_a_page_of_short_trainings_says_why_there_is_no_speed(tmp_path: Path) -> None:
    write_heads(tmp_path, {"gap": [rise(2, epochs=3)] * 3, "wise": [rise(2, epochs=3)] * 3, "flatten": [rise(2, epochs=3)]})
    html = unescape(render(tmp_path))
    said = "wise, flatten are at 95 % of gap's plateau cannot be said: a curve of 3 epochs cannot be smoothed"
    assert html.count(said) == 1
    assert "ends at zero" not in html


def test_the_goal_is_a_line_of_the_figure(tmp_path: Path) -> None:
    """95 % of the mean over the last 6 of 60 epochs, and over seeds."""
    curves = [rise(9), rise(9, 0.7)]
    write_heads(tmp_path, {"gap": curves, "wise": [rise(6)] * 2})
    (table,) = read_study([tmp_path]).tables
    (figure,) = convergence_figures(table, ["gap", "wise"])
    (line,) = [layer["data"]["values"] for layer in figure.spec["layer"] if "data" in layer]
    assert line == [{"level": pytest.approx(95 * np.mean([curve[-6:] for curve in curves]), abs=0.01)}]
    assert "95 % of gap's plateau" in figure.caption


def test_without_heads_to_compare_there_is_no_goal(tmp_path: Path) -> None:
    (figure,) = convergence_figures(write_heads(tmp_path, {"gap": [rise(9)]}), ["gap"])
    assert not [layer for layer in figure.spec["layer"] if "data" in layer]
    assert "plateau" not in figure.caption
