"""Cells with batches divided otherwise are another computation where BatchNorm or mixing saw the parts; else last bits."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console

from tests.support.studies import cell_config, write_cell, write_waiting
from wisesr.report.page.document import render_page
from wisesr.report.read import read_study
from wisesr.report.study import ReportTable
from wisesr.report.tables.terminal import print_study
from wisesr.report.whole_study import Study

SEEN, NOTHING = ("BatchNorm",), ()
SEEDS = (0, 1, 2)
RED = "are not compared across different divisions of a batch"


class _Cells(NamedTuple):
    """Cells of one head that were computed alike."""

    head: str
    seeds: Iterable[int]
    devices: int | str = 1
    by_part: tuple[str, ...] | None = SEEN
    ran_on: int | None = None
    """As the record has it; as many as `devices` where it does not say."""
    trainer: dict[str, Any] = {}  # noqa: RUF012  # a tuple's default, which nobody changes
    recipe: dict[str, Any] = {}  # noqa: RUF012


def _study(root: Path, *cells: _Cells) -> Study:
    for own in cells:
        changes: dict[str, Any] = {"trainer.devices": own.devices}
        changes |= {f"trainer.{key}": value for key, value in own.trainer.items()}
        changes |= {f"recipe.{key}": value for key, value in own.recipe.items()}
        counted = own.devices if own.ran_on is None else own.ran_on
        told = {} if own.by_part is None else {"devices": counted, "by_part": list(own.by_part)}
        for seed in own.seeds:
            config = cell_config(root, head=own.head, seed=seed, changes=changes)
            write_cell(config, top1=0.7 + 0.02 * seed, curve=[0.1, 0.8, 0.7], provenance=told)
    return read_study([root])


def _table(root: Path, *cells: _Cells) -> ReportTable:
    (table,) = _study(root, *cells).tables
    return table


def _rows(table: ReportTable) -> dict[tuple[str, str], int]:
    """Settings and head of each entry, and the seeds in its mean."""
    return {(entry.settings, entry.head): len(entry.values) for entry in table.entries}


def _said(table: ReportTable) -> str:
    return " ".join([*table.warnings, *table.notes])


def test_cells_of_one_and_of_eight_devices_are_never_in_one_mean(tmp_path: Path) -> None:
    """Evidence A3: BatchNorm saw fours of a batch of 32."""
    cells = [_Cells(head, seeds, devices) for head in ("gap", "wise") for seeds, devices in ((SEEDS, 1), ((3, 4, 5), 8))]
    table = _table(tmp_path, *cells)
    assert _rows(table) == {(f"device_parts={parts}", head): 3 for parts in (1, 8) for head in ("gap", "wise")}
    assert "Last bits" not in _said(table)
    assert table.warnings == ()


def test_nodes_count_as_the_devices_that_they_hold(tmp_path: Path) -> None:
    """4 devices on 2 nodes are 8 devices on one: one row."""
    twice = _Cells("gap", SEEDS, 4, None, trainer={"num_nodes": 2, "strategy": "ddp"})
    table = _table(tmp_path, twice, _Cells("gap", (3,), 8, None, trainer={"strategy": "ddp"}), _Cells("gap", (4,), 1, None))
    assert _rows(table) == {("device_parts=8", "gap"): 4, ("device_parts=1", "gap"): 1}


def test_what_a_cell_really_ran_on_counts(tmp_path: Path) -> None:
    """devices=auto is no number: two machines, two computations of one configuration."""
    auto = [
        _Cells(head, seeds, "auto", ran_on=ran_on) for head in ("gap", "wise") for seeds, ran_on in (((0, 1), 1), ((2,), 8))
    ]
    table = _table(tmp_path, *auto)
    assert _rows(table) == {(f"device_parts={n}", head): seeds for n, seeds in ((1, 2), (8, 1)) for head in ("gap", "wise")}


def test_one_configuration_on_two_machines_is_no_repetition(tmp_path: Path) -> None:
    one = _Cells("gap", (0,), "auto", ran_on=1)
    for study, cells in (("here", one), ("there", one._replace(ran_on=8))):
        config = cell_config(tmp_path, study=study, changes={"trainer.devices": "auto"})
        write_cell(config, provenance={"devices": cells.ran_on, "by_part": list(SEEN)})
    reported = read_study([tmp_path / "here", tmp_path / "there"])
    assert reported.damaged == ()
    (table,) = reported.tables
    assert _rows(table) == {("device_parts=1", "gap"): 1, ("device_parts=8", "gap"): 1}


def test_an_unfinished_cell_stands_beside_the_finished_ones_of_its_row(tmp_path: Path) -> None:
    """It will be divided as they were."""
    write_waiting(cell_config(tmp_path, seed=9, changes={"trainer.devices": "auto"}))
    study = _study(tmp_path, _Cells("gap", SEEDS, "auto", ran_on=8), _Cells("gap", (5,), 1))
    assert {cell.place.settings for cell in study.cells if cell.place.seed == 9} == {"device_parts=8"}


@pytest.mark.parametrize("recipe", [{}, {"mixup": 0.2}])
def test_other_accumulation_is_another_computation(tmp_path: Path, recipe: dict[str, float]) -> None:
    cells = [
        _Cells(head, seeds, trainer={"accumulate": accumulate}, recipe=recipe)
        for head in ("gap", "wise")
        for seeds, accumulate in (((0, 1), 1), ((2,), 4))
    ]
    table = _table(tmp_path, *cells)
    assert {settings for settings, _ in _rows(table)} == {"trainer.accumulate=1", "trainer.accumulate=4"}
    assert "Last bits" not in _said(table)


def test_images_mixed_within_a_device_s_part_are_another_computation(tmp_path: Path) -> None:
    """Of a model without BatchNorm, too, and of one whose BatchNorm is synchronised, which is a third."""
    mixed = _Cells("gap", SEEDS, 1, ("mixing",), recipe={"mixup": 0.2})
    eight = mixed._replace(devices=8)
    synchronised = eight._replace(trainer={"sync_batchnorm": True})
    assert len(_rows(_table(tmp_path / "two", mixed, eight))) == 2
    table = _table(tmp_path / "three", mixed, eight, synchronised)
    assert {settings for settings, _ in _rows(table)} == {
        "device_parts=1",
        "device_parts=8",
        "device_parts=8 sync_batchnorm=true",
    }


@pytest.mark.parametrize("trainer", [{}, {"sync_batchnorm": True, "strategy": "ddp"}])
def test_where_nothing_sees_a_part_alone_devices_are_last_bits(tmp_path: Path, trainer: dict[str, Any]) -> None:
    """ConvNeXt without mixing; and BatchNorm that is synchronised, beside one device, which sees all without it."""
    by_part = SEEN if trainer else NOTHING
    one = [_Cells(head, (0, 1), 1, by_part) for head in ("gap", "wise")]
    eight = [_Cells(head, (2,), 8, NOTHING, trainer=trainer) for head in ("gap", "wise")]
    table = _table(tmp_path, *one, *eight)
    assert _rows(table) == {("", "gap"): 3, ("", "wise"): 3}
    assert table.warnings == ()
    (note,) = (note for note in table.notes if "number of devices" in note)
    assert "1 in 4 cells, 8 in 2 (resnet18 gap seed 2, resnet18 wise seed 2)" in note
    assert "Last bits, draws of dropout, and times" in note


def test_synchronised_and_plain_batchnorm_on_as_many_devices_are_two_computations(tmp_path: Path) -> None:
    table = _table(tmp_path, _Cells("gap", SEEDS, 8), _Cells("gap", (3,), 8, NOTHING, trainer={"sync_batchnorm": True}))
    assert _rows(table) == {("device_parts=8", "gap"): 3, ("device_parts=1", "gap"): 1}


def test_what_no_record_tells_is_taken_for_another_computation(tmp_path: Path) -> None:
    """As of cells before it was recorded."""
    table = _table(tmp_path, _Cells("gap", SEEDS, 1, None), _Cells("gap", (3,), 8, None))
    assert _rows(table) == {("device_parts=1", "gap"): 3, ("device_parts=8", "gap"): 1}
    assert "Last bits" not in _said(table)


@pytest.mark.parametrize("known", [SEEN, ("mixing",), None])
def test_heads_that_only_other_devices_compare_stand_in_red_on_page_and_in_terminal(
    tmp_path: Path, known: tuple[str, ...] | None
) -> None:
    recipe = {"mixup": 0.2} if known == ("mixing",) else {}
    one = [_Cells(head, seeds, 1, known, recipe=recipe) for head, seeds in (("gap", SEEDS), ("wise", (0, 1)))]
    study = _study(tmp_path, *one, _Cells("wise", (2,), 8, known, recipe=recipe))
    (table,) = study.tables
    assert max(_rows(table).values()) == 3 and _rows(table)[("device_parts=1", "wise")] == 2
    (warning,) = table.warnings
    assert warning.startswith("resnet18: heads") and RED in warning
    assert "1 by device x 1 accumulated in 5 cells, 8 by device x 1 accumulated in 1 (resnet18 device_parts=8 wise" in warning
    _assert_red(study, RED)


@pytest.mark.parametrize(
    "other", [_Cells("wise", SEEDS, 8), _Cells("wise", (3, 4, 5), 8), _Cells("wise", SEEDS, trainer={"accumulate": 4})]
)
def test_a_head_that_no_division_shares_with_the_baseline_stands_in_red(tmp_path: Path, other: _Cells) -> None:
    study = _study(tmp_path, _Cells("gap", SEEDS, 1), other)
    (table,) = study.tables
    assert all(entry.difference is None for entry in table.entries)
    assert any(RED in warning for warning in table.warnings)
    assert "Last bits" not in _said(table)
    _assert_red(study, RED)


def _assert_red(study: Study, text: str) -> None:
    """Whether both the terminal and the page warn of it."""
    file = io.StringIO()
    print_study(study, Console(file=file, width=10_000, force_terminal=True))
    (line,) = (line for line in file.getvalue().splitlines() if text in line)
    assert line.startswith("\x1b[31m")
    page = render_page(study, [], made="", command="", script="")
    (red,) = re.findall(r'<div class="red" role="note"><h3>Warnings</h3>.*?</div>', page)
    assert text in red
