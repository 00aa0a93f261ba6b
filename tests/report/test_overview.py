"""The study at a glance: every difference once, where its table has it; the same on the page and in the figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report.figures.overview_figures import overview_figures
from wisesr.report.figures.render import render
from wisesr.report.figures.style import head_order
from wisesr.report.overview import TOGETHER, Forest, ForestRow, forest_caption
from wisesr.report.overview_forests import forests
from wisesr.report.page.document import render_page
from wisesr.report.page.overview import ROWS, nice_ticks, overview_parts
from wisesr.report.read import read_study
from wisesr.report.whole_study import Study

GAINS = {"gap": 0.0, "wise": 0.06, "gap_dropout": 0.002}
"""Of top-1 over gap, as a share."""


def write_grid(
    root: Path, sizes: tuple[int, ...], backbones: tuple[str, ...], seeds: int, heads: dict[str, float] = GAINS, **how: Any
) -> Study:
    drawn = np.random.default_rng(0)
    for size in sizes:
        for place, backbone in enumerate(backbones):
            for head, gain in heads.items():
                for seed in range(seeds):
                    top1 = 0.7 + 0.02 * place + gain * size / 128 + drawn.normal(0, 0.003)
                    config = cell_config(root, head=head, backbone=backbone, size=size, seed=seed, **how)
                    write_cell(config, top1=round(400 * top1) / 400, images=400, draw=seed * 7 + size)
    return read_study([root])


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return write_grid(tmp_path_factory.mktemp("overview"), (64, 128), ("resnet18", "resnet50", "densenet121"), 3)


@pytest.fixture(scope="module")
def forest(study: Study) -> Forest:
    (found,) = forests(study)
    return found


def rows_of(forest: Forest) -> dict[tuple[int, str, str], ForestRow]:
    return {(panel.size, group.name, row.head): row for panel in forest.panels for group in panel.groups for row in group.rows}


def test_every_difference_of_the_tables_stands_once(study: Study, forest: Forest) -> None:
    shown = {place: row.mark for place, row in rows_of(forest).items() if place[1] != TOGETHER}
    wanted = {
        (entry.place.size, entry.group, entry.head): entry.difference
        for table in study.tables
        for entry in table.entries
        if entry.head != table.baseline
    }
    assert shown.keys() == wanted.keys() and len(shown) == 2 * 3 * 2
    for place, mark in shown.items():
        difference = wanted[place]
        assert mark is not None and difference is not None
        assert (mark.mean, mark.low, mark.high) == (difference.mean, difference.low, difference.high)
        assert (mark.kind == "significant") == difference.significant
    assert forest.heads == ("wise", "gap_dropout")
    assert {group.baseline for panel in forest.panels for group in panel.groups if group.name == "resnet18"} == {
        f"{entry.mean:.2f}" for table in study.tables for entry in table.entries if entry.label == "resnet18 gap"
    }


def test_all_backbones_together_are_the_claim(study: Study, forest: Forest) -> None:
    answers = {answer.size: answer for answer in study.claims[0].answers if answer.claim.name == "gain"}
    together = {size: row for (size, name, _), row in rows_of(forest).items() if name == TOGETHER}
    assert together.keys() == answers.keys() == {64, 128}
    for size, row in together.items():
        found = answers[size].found
        assert row.head == "wise" and row.mark is not None and found is not None
        assert (row.mark.mean, row.mark.low, row.mark.high) == tuple(found)


def test_of_several_claims_that_of_a_difference_is_shown(study: Study, tmp_path: Path) -> None:
    keys = "head: wise, baseline: gap, measure: top1, sizes: each"
    claims = tmp_path / "claims.yaml"
    each = (f"- {{name: {name}, claim: it, expected: {name}, {keys}}}\n" for name in ("no_lower", "higher"))
    claims.write_text("".join(each))
    root = study.cells[0].directory.parents[3]
    (found,) = forests(read_study([root], claims=claims))
    together = [row.mark for (_, name, _), row in rows_of(found).items() if name == TOGETHER]
    assert [mark.kind for mark in together if mark is not None] == ["significant", "significant"]


def test_one_backbone_is_not_said_twice(tmp_path: Path) -> None:
    (found,) = forests(write_grid(tmp_path, (64,), ("resnet18",), 3))
    assert found.backbones == ("resnet18",) and not found.together
    assert [figure.key for figure in overview_figures(read_study([tmp_path]), ("gap", "wise"))] == ["toy-64-forest"]


def test_with_one_seed_nothing_is_coloured(tmp_path: Path) -> None:
    (found,) = forests(write_grid(tmp_path, (64,), ("resnet18",), 1))
    assert {mark.kind for mark in found.marks} == {"images"}
    (part,) = overview_parts(study := read_study([tmp_path]), [])
    assert "says nothing about the heads" in part.caption and "for other seeds" not in part.caption
    (figure,) = overview_figures(study, head_order(study))
    assert 'stroke-dasharray="3,3"' in render(figure.spec).svg.replace("\n", "")
    assert "star" not in figure.caption


def test_an_interval_without_predictions_is_for_other_seeds_alone(tmp_path: Path) -> None:
    study = write_grid(tmp_path, (64,), ("resnet18",), 3)
    assert "for other seeds and test images" in forest_caption(forests(study)[0])
    for path in tmp_path.rglob("predictions.npz"):
        path.unlink()
    assert "for other seeds on these test images" in forest_caption(forests(read_study([tmp_path]))[0])


def test_nothing_to_compare_has_no_overview(tmp_path: Path) -> None:
    write_cell(cell_config(tmp_path, head="gap"))
    study = read_study([tmp_path])
    assert forests(study) == () and overview_parts(study, []) == ()
    assert list(overview_figures(study, head_order(study))) == []


def test_datasets_and_protocols_have_forests_of_their_own(tmp_path: Path) -> None:
    two = {"gap": 0.0, "wise": 0.06}
    write_grid(tmp_path, (64,), ("resnet18",), 3, two, dataset="one")
    write_grid(tmp_path, (64,), ("resnet18",), 3, two, dataset="two")
    study = write_grid(tmp_path, (64,), ("resnet18",), 3, two, dataset="one", changes={"protocol": "paper"})
    assert sorted(found.title for found in forests(study)) == ["all datasets", "one", "one, protocol=paper", "two"]
    assert len({found.key for found in forests(study)}) == 4
    assert len({figure.key for figure in overview_figures(study, head_order(study))}) == 4


def test_over_datasets_stands_what_the_claims_say(tmp_path: Path) -> None:
    two = {"gap": 0.0, "wise": 0.06}
    write_grid(tmp_path, (64, 128), ("resnet18", "resnet50"), 3, two, dataset="one")
    study = write_grid(tmp_path, (64, 128), ("resnet18", "resnet50"), 3, two, dataset="two")
    first, *others = forests(study)
    assert (first.title, [other.title for other in others]) == ("all datasets", ["one", "two"])
    assert not any(other.together for other in others)
    found = {answer.size: answer.found for answer in study.claims[0].answers if answer.claim.name == "gain"}
    for size, name, head in rows_of(first):
        mark = rows_of(first)[size, name, head].mark
        assert (name, head) == (TOGETHER, "wise") and mark is not None
        assert (mark.mean, mark.low, mark.high) == found[size]
    links = [[panel.link for panel in part.shown.panels] for part in overview_parts(study, [])]
    assert links == [["", ""], ["table-one-64", "table-one-128"], ["table-two-64", "table-two-128"]]
    assert len(overview_parts(study, [])) == len({figure.key for figure in overview_figures(study, head_order(study))}) - 2 == 3


def test_each_study_has_its_own(tmp_path: Path) -> None:
    for name in ("first", "second"):
        for head in ("gap", "wise"):
            write_cell(cell_config(tmp_path, head=head, study=name))
    html = render_page(read_study([tmp_path]), [], made="now", command="", script="0")
    for number, name in enumerate(("first", "second")):
        section = html[html.index(f'id="claims-{number}"') :].partition('<section class="table')[0]
        assert f"What is known of {name}" in section
        assert section.count('class="dot"') == 1 and f'aria-label="{name}: toy"' in section


def test_many_rows_are_folded_and_none_is_lost(tmp_path: Path) -> None:
    heads = {"gap": 0.0, "wise": 0.06} | {f"head{number}": 0.01 for number in range(9)}
    study = write_grid(tmp_path, (64,), ("resnet18", "resnet50", "densenet121"), 1, heads)
    (part,) = overview_parts(study, [])
    assert part.folded is not None
    assert part.shown.heads[0] == "wise" and len(part.shown.heads) * 3 == ROWS
    assert {*part.shown.heads, *part.folded.heads} == set(heads) - {"gap"}


@pytest.mark.parametrize(("low", "high"), [(-1.0, 10.3), (-0.02, 0.013), (-250.0, 3.0), (0.0, 1.0), (-1e-6, 1e-6)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 7 and 0.0 in ticks
    assert all(low <= tick <= high for tick in ticks)
    steps = {round((after - before) / (ticks[1] - ticks[0]), 6) for before, after in zip(ticks, ticks[1:], strict=False)}
    assert steps == {1.0}
    assert re.fullmatch(r"[125]0*", f"{(ticks[1] - ticks[0]) * 1e12:.0f}")


def test_the_page_has_each_figure_as_text(study: Study, forest: Forest) -> None:
    html = render_page(study, list(overview_figures(study, head_order(study))), made="now", command="wisesr report", script="0")
    overview = html[html.index('class="overview"') :].partition("</section>")[0]
    marks = [row.mark for row in rows_of(forest).values()]
    assert overview.count('class="dot"') == len(marks) == 2 * (3 * 2 + 1)
    assert overview.count('class="hole"') == sum(mark is not None and mark.kind != "significant" for mark in marks)
    for mark in marks:
        assert mark is not None and f"<b>{mark.mean:+.2f}</b>".replace("-", "\N{MINUS SIGN}") in overview


def test_the_figures_draw_the_same(study: Study, forest: Forest) -> None:
    forest_figure, slopes = overview_figures(study, head_order(study))
    rows = [row for part in forest_figure.spec["vconcat"] for row in part["data"]["values"]]
    means = {(int(row["size"].removesuffix(" px")), row["group"], row["head"]): row["mean"] for row in rows}
    assert means == {place: pytest.approx(row.mark.mean, abs=1e-3) for place, row in rows_of(forest).items() if row.mark}
    assert {(row["size"], row["group"], row["head"]) for row in slopes.spec["data"]["values"]} == {
        place for place in rows_of(forest) if place[1] != TOGETHER
    }
    svg = render(forest_figure.spec).svg
    assert "all backbones" in svg and "undefined" not in svg and "NaN" not in svg
