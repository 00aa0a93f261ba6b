"""Tables as text: every figure of a study is in them, and nothing in a name or reason breaks them."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from statistics import stdev
from typing import Any

import pytest
from rich.console import Console

from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from tests.support.words import broken_words
from wisesr.report.read import read_study
from wisesr.report.tables.cells_csv import cells_csv
from wisesr.report.tables.latex import latex
from wisesr.report.tables.markdown import escape, markdown
from wisesr.report.tables.sentences import IMAGES
from wisesr.report.tables.table_content import table_content
from wisesr.report.tables.terminal import matrix_tables, print_study
from wisesr.report.whole_study import Study

REASON = "no <b>class</b> | 100 % of _these_ & {those} #1 $x$ ~^\\ *y*\nsecond line"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Four heads, one of them far better; rates of another; failed, waiting, missing and damaged cells."""
    for seed in range(4):
        write_cell(cell_config(tmp_path, seed=seed), top1=0.70 + 0.04 * (seed % 2))
        write_cell(cell_config(tmp_path, head="wise", seed=seed), top1=0.90 + 0.04 * (seed % 2) + 0.02 * (seed == 3))
    write_cell(cell_config(tmp_path, head="depthwise"), top1=0.5)
    write_failed(cell_config(tmp_path, head="depthwise_nonneg"), REASON)
    write_waiting(cell_config(tmp_path, head="depthwise_nonneg", seed=1))
    old = write_cell(cell_config(tmp_path, seed=9))
    (old / "result.json").write_text('{"schema": 0}')
    published = tmp_path / "published.csv"
    published.write_text("dataset,resolution,backbone,head,top1\ntoy,64,resnet18,wise,93.5\n")
    return read_study([tmp_path], published=published)


def _grids(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown text, as GitHub reads them: bars that are not escaped divide."""
    grids: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            grids[-1].append([part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]])
        elif grids[-1]:
            grids.append([])
    return [grid for grid in grids if grid]


def test_markdown_has_the_matrix_and_the_differences(study: Study) -> None:
    claims, matrix, differences = _grids(markdown(study))
    assert claims[0][:2] == ["claim", "verdict"] and all(len(row) == len(claims[0]) for row in claims)
    assert matrix[0] == ["backbone", "gap", "wise", "depthwise\\_nonneg", "depthwise"]
    gap, wise = [70, 74, 70, 74], [90, 94, 90, 96]
    assert matrix[2] == [
        "resnet18",
        f"72.00 ± {stdev(gap):.2f} (4)",
        f"92.50 ± {stdev(wise):.2f} (4)\\*",
        "1 failed, 2 missing, 1 waiting",
        "50.00 (1)",
    ]
    assert all(len(row) == len(matrix[0]) for row in matrix)
    assert all(len(row) == len(differences[0]) for row in differences)
    rows = {row[0]: row[1:] for row in differences[2:]}
    assert set(rows) == {"depthwise", "wise"}
    assert rows["depthwise"][:7] == ["1 seed", "-20.00", rows["depthwise"][2], "-", "-", "-", "-"]
    assert IMAGES in rows["depthwise"][-1]
    wise = next(entry for entry in study.tables[0].entries if entry.head == "wise")
    assert wise.difference is not None and wise.difference.significant
    assert rows["wise"][:2] == ["4", "+20.50\\*"]
    assert rows["wise"][7:9] == ["93.5", "-1.00 (another protocol)"]


def test_the_best_of_three_seeds_is_bold(tmp_path: Path) -> None:
    for seed in range(3):
        write_cell(cell_config(tmp_path, seed=seed), top1=0.8)
        write_cell(cell_config(tmp_path, head="wise", seed=seed), top1=0.9)
    study = read_study([tmp_path])
    assert "**90.00 ± 0.00 (3)**" in markdown(study)
    assert r"\textbf{90.00} & ~$\pm$" in latex(study.tables[0])


def test_markdown_says_how_what_is_wrong_and_what_is_left_out(study: Study) -> None:
    text = markdown(study)
    for part in (
        "30 held-out images",
        "after Holm over the one comparison of the study",
        IMAGES,
        "> **Warning:** resnet18: of 2 seeds of depthwise\\_nonneg, 1 failed",
        "- waiting: not started yet (1): ",
        "- missing: another head has this seed (",
        "record schema 0; this one reads 1",
    ):
        assert part in text, part
    assert text.index("Warning") < text.index("held-out images") < text.index("| backbone")


def test_names_and_reasons_stay_text_in_markdown() -> None:
    escaped = escape(REASON)
    assert "\n" not in escaped
    assert re.sub(r"\\(.)", r"\1", escaped) == " ".join(REASON.split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[|<>*_`#\[\]]", escaped)


def test_cells_csv_has_every_cell_and_its_figures_to_the_last_bit(study: Study) -> None:
    rows = list(csv.DictReader(io.StringIO(cells_csv(study))))
    assert len(rows) == len(study.cells) + len(study.damaged) + sum(
        left.state == "missing" for left in study.tables[0].left_out
    )
    by_name = {row["name"]: row for row in rows}
    for cell in study.cells:
        row = by_name[cell.name]
        assert (row["state"], row["reason"], row["head"], row["seed"]) == (
            cell.state,
            cell.reason,
            cell.place.head,
            str(cell.place.seed),
        )
        if cell.record is not None:
            assert float(row["test/top1"]) == cell.record.best.test_top1
            assert float(row["images_per_second"]) == cell.record.cost.images_per_second
            assert row["in_table"] == "toy-64" and row["commit"] == "1" * 40
    assert by_name[study.damaged[0].name]["state"] == "damaged"
    assert sorted(row["state"] for row in rows).count("missing") == 5


def test_cells_csv_says_why_a_cell_is_in_no_table_and_what_varies(tmp_path: Path) -> None:
    for lr, val in ((0.1, 0.9), (0.01, 0.5)):
        write_cell(cell_config(tmp_path, changes={"recipe.optimizer.lr": lr}), top1=0.8, val_top1=val)
        write_cell(cell_config(tmp_path, head="wise", changes={"recipe.optimizer.lr": lr}), top1=0.8, val_top1=val)
    write_cell(cell_config(tmp_path, epochs=9))
    rows = list(csv.DictReader(io.StringIO(cells_csv(read_study([tmp_path])))))
    in_table = {
        (row["head"], row["recipe.optimizer.lr"], row["recipe.epochs"]): row["in_table"]
        for row in rows
        if row["state"] == "done"
    }
    assert in_table[("gap", "0.1", "3")] == in_table[("wise", "0.1", "3")] == "toy-64"
    assert in_table[("gap", "0.01", "3")] == "another rate was better on validation"
    assert in_table[("gap", "0.001", "9")].startswith("no other head was trained with recipe.epochs=9")


def test_cells_csv_is_empty_where_nothing_stopped_training(tmp_path: Path) -> None:
    budget = {"epochs": 3, "trained_epochs": 3, "steps": 120}
    write_cell(cell_config(tmp_path, seed=0), record={"budget": budget | {"stopped": None}})
    write_cell(cell_config(tmp_path, seed=1), record={"budget": budget | {"stopped": "patience"}})
    rows = csv.DictReader(io.StringIO(cells_csv(read_study([tmp_path]))))
    assert [(row["stopped"], row["steps"]) for row in rows] == [("", "120"), ("patience", "120")]


def test_cells_csv_says_of_which_study_a_missing_cell_is(tmp_path: Path) -> None:
    for study in ("a", "b"):
        for seed in range(2):
            write_cell(cell_config(tmp_path, seed=seed, study=study))
        write_cell(cell_config(tmp_path, head="wise", study=study))
    rows = list(csv.DictReader(io.StringIO(cells_csv(read_study([tmp_path])))))
    assert [(row["study"], row["seed"]) for row in rows if row["state"] == "missing"] == [("a", "1"), ("b", "1")]


@pytest.mark.parametrize("heads", [2, 4, 9])
def test_the_terminal_holds_80_columns(tmp_path: Path, heads: int) -> None:
    """Each head stands once, each line fits, no figure is broken."""
    names = ["gap", *(f"depthwise_nonneg_{index}" for index in range(1, heads))]
    for name in names:
        for seed in range(2):
            config = cell_config(tmp_path, head=name, seed=seed, backbone="inception_resnet_v2")
            write_cell(config, top1=0.8 + 0.1 * seed)
    (table,) = read_study([tmp_path]).tables
    console = Console(width=80, file=io.StringIO(), highlight=False)
    for part in matrix_tables(table_content(table), 80):
        console.print(part)
    lines = _output(console)
    assert max(map(len, lines)) <= 80
    assert sum(line.count("85.00 ± 7.07 (2)") for line in lines) == heads


def test_the_terminal_begins_with_what_is_known(study: Study) -> None:
    """Verdicts above their tables; the best bold, stars green, states in their colours; no word is broken."""
    texts = []
    for width in (80, 300):
        console = Console(width=width, file=io.StringIO(), highlight=False, force_terminal=True, color_system="standard")
        print_study(study, console)
        texts.append("\n".join(_output(console)))
    text = texts[1]
    assert "\x1b[32m9 done\x1b[0m" in text and "\x1b[31m1 failed\x1b[0m" in text
    (verdict,) = [line for line in text.splitlines() if line.startswith("The one comparison with gap is significant")]
    (heads,) = [line for line in text.splitlines() if "backbone" in line and "depthwise_nonneg" in line]
    assert text.index("toy, 64 px") < text.index(verdict) < text.index(heads)
    assert f"92.50 ± {stdev([90, 94, 90, 96]):.2f} (4)\x1b[1;32m*\x1b[0m" in text
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", one) for one in texts]
    assert max(len(line) for line in plain[0].splitlines() if "/study/toy-64/" not in line) <= 80, "a path stays whole"
    repeated = {"backbone", "resnet18", "toy,", "64", "px,", "continued", "published"}
    assert [word for word in broken_words(*plain) if word not in repeated] == []


def test_the_terminal_shows_the_best_of_a_row_in_bold(tmp_path: Path) -> None:
    for seed in range(3):
        write_cell(cell_config(tmp_path, seed=seed), top1=0.8)
        write_cell(cell_config(tmp_path, head="wise", seed=seed), top1=0.9)
    (table,) = read_study([tmp_path]).tables
    console = Console(width=80, file=io.StringIO(), highlight=False, force_terminal=True, color_system="standard")
    for part in matrix_tables(table_content(table), 80):
        console.print(part)
    text = "\n".join(_output(console))
    assert "\x1b[1m90.00 ± 0.00 (3)" in text and "\x1b[1m80.00" not in text


def test_the_terminal_tells_the_distance_to_published_figures(study: Study) -> None:
    console = Console(width=80, file=io.StringIO(), highlight=False)
    for part in matrix_tables(table_content(study.tables[0]), 80):
        console.print(part)
    text = " ".join(" ".join(_output(console)).split())
    assert "toy, 64 px, published" in text
    assert "wise 92.50 93.5 -1.00 (another protocol)" in text or "wise 92.50 93.5 -1.00 (another" in text


def _output(console: Console) -> list[str]:
    file: Any = console.file
    return str(file.getvalue()).splitlines()


def test_a_study_without_a_finished_cell_still_has_its_texts(tmp_path: Path) -> None:
    write_waiting(cell_config(tmp_path))
    study = read_study([tmp_path])
    assert "No cell of this table is finished" in markdown(study)
    assert "1 waiting" in markdown(study)
    assert "1 waiting" in latex(study.tables[0])
    assert len(matrix_tables(table_content(study.tables[0]), 80)) == 1
