"""Rates side by side against those that cells were written with."""

from __future__ import annotations

from pathlib import Path

from tests.support.compared import LR, table_of_study, write
from tests.support.pages import render
from wisesr.report.tables.grid import rates_grid
from wisesr.report.tables.rate_table import MOST, rate_table
from wisesr.report.tables.table_content import table_content

RATES = (0.003, 0.01, 0.1, 1e-05)


def study(root: Path, rates: tuple[float, ...] = RATES) -> None:
    """Heads: gap is best at 0.01 with two seeds, at 0.1 with the third; wise was not trained at 0.1."""
    for seed in range(3):
        for rate in rates:
            best = 0.01 if seed < 2 else 0.1
            write(root, "gap", seed, 0.7, val_top1=0.8 if rate == best else 0.6, changes={LR: rate})
            if rate != 0.1:
                write(root, "wise", seed, 0.75, val_top1=0.8 if rate == 0.003 else 0.5, changes={LR: rate})


def test_a_row_a_head_and_a_column_a_rate(tmp_path: Path) -> None:
    study(tmp_path)
    content = table_content(table_of_study(tmp_path))
    found = rate_table(content.rates)
    assert found is not None
    assert found.rates == ("lr=1e-05", "lr=0.003", "lr=0.01", "lr=0.1"), "by their numbers"
    chosen = {row.entry.head: [None if one is None else (one.chosen, one.seeds) for one in row.tried] for row in found.rows}
    assert chosen == {"gap": [(0, 3), (0, 3), (2, 3), (1, 3)], "wise": [(0, 3), (3, 3), (0, 3), None]}
    grid = rates_grid(content)
    assert grid is not None and len(grid.rows) == 2 and len(grid.columns) == 5


def test_the_page_has_them(tmp_path: Path) -> None:
    study(tmp_path)
    page = render(tmp_path)
    table = page[page.index("Learning rates that were tried") :]
    assert table.count("2 of 3") == 1
    assert ">lr=0.003</th>" in table


def test_too_many_rates_stand_below_one_another(tmp_path: Path) -> None:
    study(tmp_path, (*(0.001 * number for number in range(1, MOST + 1)), 0.01, 0.1))
    content = table_content(table_of_study(tmp_path))
    assert rate_table(content.rates) is None
    grid = rates_grid(content)
    assert grid is not None and len(grid.rows) == len(content.rates)
    assert "seeds choosing it" in render(tmp_path)
