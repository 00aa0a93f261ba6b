"""Accuracy against cost: overheads over the baseline where there is one, on scales that tell small ones apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.figures import Figure, all_figures
from wisesr.report.figures.cost_panels import overhead_scale
from wisesr.report.read import read_study


def cost_figure(root: Path) -> Figure:
    (figure,) = (figure for figure in all_figures(read_study([root])) if figure.section == "cost")
    return figure


def test_costs_are_shown_as_what_they_are_more_than_the_baselines(tmp_path: Path) -> None:
    for head in ("gap", "depthwise", "wise"):
        write_cell(cell_config(tmp_path, head=head))
    figure = cost_figure(tmp_path)
    values = {row["head"]: row for row in figure.spec["data"]["values"]}
    for row in values.values():
        more = 100 * (row["parameters"] / values["gap"]["parameters"] - 1)
        assert row["parameters_over"] == pytest.approx(more, rel=1e-5)
    assert 0 < values["wise"]["parameters_over"] < 0.05 < values["depthwise"]["parameters_over"] < 0.3
    panels = [panel["layer"][0]["encoding"]["x"]["field"] for panel in figure.spec["concat"]]
    assert panels == ["parameters_over", "flops_over", "step_ms_over"]
    assert "how many percent more a head costs than gap (11.18 M parameters, 0.296 GFLOPs, " in figure.caption


def test_costs_without_a_baseline_beside_are_shown_themselves(tmp_path: Path) -> None:
    for head in ("depthwise", "wise"):
        write_cell(cell_config(tmp_path, head=head))
    figure = cost_figure(tmp_path)
    panels = [panel["layer"][0]["encoding"]["x"]["field"] for panel in figure.spec["concat"]]
    assert panels == ["parameters", "head_parameters", "flops", "step_ms"]
    assert "_over" not in str(figure.spec) and "against cost." in figure.caption


@pytest.mark.parametrize(
    ("overheads", "ticks"),
    [
        ((0.0, 0.05, 0.2), None),
        ((0.0, 0.05, 40.0), [0, 0.01, 0.1, 1, 10]),
        ((0.0, -0.3, 12.0), [-0.1, 0, 0.1, 1, 10]),
        ((0.0, -2.0, 1.0), None),
    ],
)
def test_overheads_that_are_far_apart_have_a_scale_of_powers(overheads: tuple[float, ...], ticks: list[float] | None) -> None:
    """On either side of 0, which has no logarithm."""
    made = overhead_scale(overheads)
    assert (made["scale"].get("type") == "symlog") == (ticks is not None)
    assert made["axis"].get("values") == (pytest.approx(ticks) if ticks else None)


def test_heads_that_cost_the_same_lie_on_0(tmp_path: Path) -> None:
    for head in ("gap", "gap_dropout"):
        write_cell(cell_config(tmp_path, head=head))
    spec = cost_figure(tmp_path).spec
    assert {row["parameters_over"] for row in spec["data"]["values"]} == {0}
    assert spec["concat"][0]["layer"][0]["encoding"]["x"]["scale"] == {"domain": [-1, 1]}
