"""The content of a table, and that each of its renderings shows it."""

from __future__ import annotations

import io
import re
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.pages import render
from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.report.read import read_study
from wisesr.report.tables.latex import latex
from wisesr.report.tables.markdown import markdown
from wisesr.report.tables.sentences import by_state, count_states
from wisesr.report.tables.table_content import MatrixPlace, TableContent, table_content
from wisesr.report.tables.terminal import print_study, unfinished
from wisesr.report.whole_study import Study
from wisesr.results.state import State


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds of two heads, of a third one only cells that did not finish, on two backbones; two rates of one."""
    root = tmp_path_factory.mktemp("content")
    for seed in range(3):
        for head, top1 in (("gap", 0.6), ("wise", 0.9)):
            write_cell(cell_config(root, head=head, seed=seed), top1=top1 + 0.02 * (seed * len(head) % 4))
            for lr in (0.1, 0.01):
                config = cell_config(root, head=head, seed=seed, backbone="resnet50", changes={"recipe.optimizer.lr": lr})
                write_cell(config, top1=top1, val_top1=top1 - lr)
    write_failed(cell_config(root, head="flatten", seed=0), "out of memory")
    for seed in (1, 2):
        write_waiting(cell_config(root, head="flatten", seed=seed))
    return root


@pytest.fixture(scope="module")
def study(root: Path) -> Study:
    return read_study([root])


@pytest.fixture(scope="module")
def content(study: Study) -> TableContent:
    (table,) = study.tables
    return table_content(table)


def _places(content: TableContent) -> dict[tuple[str, str], MatrixPlace]:
    return {
        (row.backbone, head): place
        for row in content.matrix.rows
        for head, place in zip(content.matrix.heads, row.places, strict=True)
    }


def test_the_matrix_has_a_place_for_each_backbone_and_head(study: Study, content: TableContent) -> None:
    places = _places(content)
    assert content.matrix.heads[0] == "gap"
    assert set(places) == {(one, other) for one in ("resnet18", "resnet50") for other in ("gap", "flatten", "wise")}
    for (backbone, head), place in places.items():
        here = [cell for cell in study.cells if (cell.place.backbone, cell.place.head) == (backbone, head)]
        finished = {cell.place.seed for cell in here if cell.record is not None}
        assert finished == set(place.entry.seeds if place.entry else ())
    assert places["resnet18", "flatten"].absent == "1 failed, 2 waiting"
    assert places["resnet18", "wise"].absent == ""


def test_rates_count_the_seeds_that_chose_them(content: TableContent) -> None:
    assert {(tried.entry.head, tried.rate, tried.seeds, tried.chosen) for tried in content.rates} == {
        (head, rate, 3, chosen) for head in ("gap", "wise") for rate, chosen in (("lr=0.01", 3), ("lr=0.1", 0))
    }


def test_each_rendering_shows_every_place_and_the_terminal_and_the_page_the_verdict(
    root: Path, study: Study, content: TableContent
) -> None:
    console = Console(width=200, file=(printed := io.StringIO()), highlight=False)
    print_study(study, console)
    page = re.sub(r"<[^>]*>", "", render(root))
    texts = {"terminal": printed.getvalue(), "page": page, "markdown": markdown(study), "latex": latex(content.table)}
    for name, text in texts.items():
        plain = re.sub(r"textbf\{([\d.]+)\}", r"\1", text.replace("\\", "")).replace("$pm$", "±").replace(" & ~", " ")
        for place in _places(content).values():
            entry = place.entry
            seeds = f" ({len(entry.cells)})" if entry and name != "latex" else ""  # there the caption has them
            shown = place.absent if entry is None else f"{entry.mean:.2f} ± {entry.std:.2f}{seeds}"
            assert shown in plain, (name, shown)
    assert content.verdict
    assert content.verdict in page
    assert content.verdict in " ".join(texts["terminal"].split())


def test_states_are_counted_with_what_is_done_first() -> None:
    states = [State.WAITING, State.DONE, State.FAILED, State.DONE]
    assert dict(by_state(states)) == dict(Counter(states))
    assert count_states(states) == "4 cells: 2 done, 1 failed, 1 waiting"


def test_where_nothing_is_finished_each_reason_is_named_once(tmp_path: Path) -> None:
    for seed in range(3):
        write_waiting(cell_config(tmp_path, seed=seed))
    write_failed(cell_config(tmp_path, seed=3), "out of memory")
    first, *lines = unfinished(read_study([tmp_path])).splitlines()
    assert "4 cells: 1 failed, 3 waiting" in first
    assert [line.split(":")[0].strip() for line in lines] == ["waiting", "failed"]
    assert "2 more" in lines[0]
    assert "out of memory" in lines[1]
