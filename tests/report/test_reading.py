"""What epochs began with: settings of how are no part of a computation, and times are compared where the work is the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.compared import entries_of, table_of_study, write
from tests.support.rises import of_head, rise, write_heads
from tests.support.studies import cell_config, write_cell
from wisesr.config.files import to_yaml
from wisesr.config.identity import cell_dir
from wisesr.report.costs import table_costs
from wisesr.report.entries import is_usual
from wisesr.report.kept_maps import maps_notes
from wisesr.report.page.cell_details import cell_details
from wisesr.report.page.header import describe_study
from wisesr.report.placement import places
from wisesr.report.published import run_of
from wisesr.report.read import read_study
from wisesr.report.settings import settings_of
from wisesr.report.tables.cells_csv import cells_csv
from wisesr.report.tables.cost_words import cost_sentences
from wisesr.report.tables.speed_words import how_measured
from wisesr.results.reading import reading_words
from wisesr.sync.grouping import grouping

ROOT = Path("/nowhere")
KEYS = ("cache", "features", "cache_dir", "views")
HOW: list[dict[str, Any]] = [
    {"dataset.cache": "on"},
    {"dataset.cache": "off"},
    {"dataset.features": "on"},
    {"dataset.features": "off"},
    {"dataset.cache_dir": "/scratch/somebody"},
    {"dataset.cache": "on", "dataset.features": "off", "dataset.cache_dir": "kept"},
]
MAPS: dict[str, Any] = {"training": "maps", "maps": {"dtype": "float32", "differs": 0.0, "rounding": None}}


def reads(what: dict[str, Any] | None) -> dict[str, Any]:
    return {} if what is None else {"provenance": {"reads": what}}


def without_keys(config: dict[str, Any]) -> dict[str, Any]:
    """As it was written before there were these keys."""
    older = copy.deepcopy(config)
    for key in KEYS:
        del older["dataset"][key]
    return older


@pytest.mark.parametrize("how", HOW)
def test_how_numbers_are_come_by_makes_no_other_cell(how: dict[str, Any]) -> None:
    plain, other = cell_config(ROOT), cell_config(ROOT, changes=how)
    assert cell_dir(plain) == cell_dir(other) == cell_dir(without_keys(plain)), "a grid finds what is finished"
    assert settings_of(plain) == settings_of(other) == settings_of(without_keys(plain))
    assert grouping([plain, other, cell_config(ROOT, head="wise", changes=how)]) == ["head.name"]


@pytest.mark.parametrize("how", HOW)
def test_such_cells_stand_in_one_row_and_match_what_was_published(how: dict[str, Any], tmp_path: Path) -> None:
    for seed in range(3):
        write(tmp_path, "gap", seed, 0.7)
        write(tmp_path, "wise", seed, 0.8 + 0.02 * seed, changes=how)
    table = table_of_study(tmp_path)
    assert entries_of(table).keys() == {"resnet18 gap", "resnet18 wise"}
    assert not [text for text in (*table.warnings, *table.notes) if "dataset." in text or "cache" in text]
    cells = [cell for entry in table.entries for cell in entry.cells]
    assert all(map(is_usual, cells))
    assert {run_of(cell) for cell in cells} == {("toy", 64, "resnet18", "gap"), ("toy", 64, "resnet18", "wise")}


def test_a_cell_of_before_these_keys_is_the_same_computation(tmp_path: Path) -> None:
    config = cell_config(tmp_path)
    older = write_cell(config)
    record = json.loads((older / "result.json").read_text())
    record["config"] = without_keys(config)
    (older / "result.json").write_text(json.dumps(record))
    (older / "config.yaml").write_text(to_yaml(without_keys(config)))
    write_cell(cell_config(tmp_path, study="other", changes={"dataset.cache": "on", "dataset.features": "off"}))
    study = read_study([tmp_path / "study", tmp_path / "other"])
    assert len(study.cells) == 1
    (repeated,) = study.damaged
    assert "the same computation as" in repeated.reason


@pytest.mark.parametrize(
    ("how", "label"),
    [
        ({"dataset.cache": "reduced"}, "dataset.cache=reduced"),
        ({"dataset.features": "fp16"}, "dataset.features=fp16"),
        ({"dataset.views": 4}, "dataset.views=4"),
    ],
)
def test_what_makes_another_computation_of_the_same_images_is_a_setting(
    how: dict[str, Any], label: str, tmp_path: Path
) -> None:
    """One table, whose rows tell it; a dataset of its own would be a table of its own."""
    for seed in range(3):
        for head, top1 in (("gap", 0.7), ("wise", 0.8)):
            write(tmp_path, head, seed, top1)
            write(tmp_path, head, seed, top1 - 0.02 * seed, changes=how)
    table = table_of_study(tmp_path)
    settings = {entry.settings for entry in table.entries}
    assert label in settings and len(settings) == 2
    assert {entry.place.dataset for entry in table.entries} == {"toy"}
    assert all(entry.difference is not None for entry in table.entries if entry.head == "wise")


def test_a_setting_of_one_dataset_alone_is_no_axis() -> None:
    half = [cell_config(ROOT, head=head, changes={"dataset.features": "fp16"}) for head in ("gap", "wise")]
    found = places([settings_of(config) for config in half], ["", ""])
    assert {(place.dataset, place.settings) for place in found} == {("toy", "")}


def test_steps_that_began_otherwise_are_left_out_and_compute_is_not(tmp_path: Path) -> None:
    for head, what, pace, train in (
        ("gap", MAPS, 320.0, 2.0),
        ("wise", MAPS, 256.0, 3.0),
        ("wise_shuffled_images", {"training": "decoded"}, 32.0, 4.0),
    ):
        cost = {"cost": {"images_per_second": pace, "compute": {"train_ms": train, "inference_ms": 1.0, "batch": 8}}}
        write(tmp_path, head, 0, 0.7, record=cost, **reads(what))
    study = read_study([tmp_path])
    costs = table_costs(study.tables[0])
    steps = {cost.entry.head: (cost.step_ms, cost.train_ms, cost.read) for cost in costs.costs}
    assert steps == {
        "gap": (pytest.approx(100.0), 2.0, ("maps",)),
        "wise": (pytest.approx(125.0), 3.0, ("maps",)),
        "wise_shuffled_images": (None, 4.0, ("decoded",)),
    }
    over = {cost.entry.head: cost.over.keys() & {"step_ms", "train_ms", "inference_ms"} for cost in costs.costs}
    assert over == {"gap": set(), "wise": {"step_ms", "train_ms", "inference_ms"}, "wise_shuffled_images": set()}
    said = " ".join(cost_sentences(costs))
    assert "images that were decoded before or kept maps of the frozen backbone" in said and "left out" in said
    assert "measured once for all cells that read its maps" in said
    assert cells_csv(study).splitlines()[0].count(",reads,") == 1


def test_of_each_row_the_steps_that_most_began_alike(tmp_path: Path) -> None:
    """Heads are compared within a row: one whose backbone trains is not held against one whose backbone is frozen."""
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.7, changes={"backbone.freeze": "all"}, **reads(MAPS))
        write(tmp_path, head, 0, 0.7)
    costs = table_costs(table_of_study(tmp_path))
    assert len(costs.costs) == 4
    assert all(cost.step_ms is not None and "step_ms" in cost.over for cost in costs.costs if cost.entry.head == "wise")


def test_of_records_without_the_key_nothing_is_said(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.7)
    study = read_study([tmp_path])
    costs = table_costs(study.tables[0])
    assert costs.reads == ("files",)
    assert "began" not in " ".join(cost_sentences(costs))
    assert "epochs began with" not in dict(describe_study(study, made="", command="").facts)


def test_seconds_of_other_work_are_not_compared(tmp_path: Path) -> None:
    """The head wise looks fifteen times as fast, as its cells do not compute the backbone."""
    write_heads(tmp_path, {"gap": [rise(6)] * 3})
    fast = {"cost": {"train_seconds": 80.0}}
    table = write_heads(tmp_path, {"wise": [rise(6)] * 3}, record=fast, **reads(MAPS))
    found = of_head(table, "wise")
    assert found.epochs is not None and found.seconds is None
    (said,) = [text for text in how_measured(table, (found,)) if "No seconds" in text]
    assert "wise: epochs began with kept maps of the frozen backbone, those of gap with image files" in said


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        ({"dtype": "float32", "differs": 0.0, "rounding": None}, ("kept as float32", "the same without them, to the bit")),
        ({"dtype": "float32", "differs": 2.5e-7, "rounding": None}, ("what else is in a batch, by up to 2.5e-07", "last bits")),
        (
            {
                "dtype": "float16",
                "differs": 0.0,
                "rounding": {"largest_error": 0.0078, "largest_value": 31.2, "relative_rms": 0.0002},
            },
            ("kept as float16, rounded by up to 0.0078 where values go up to 31.2", "0.02 %", "another computation"),
        ),
    ],
)
def test_how_features_were_come_by_is_a_note(maps: dict[str, Any], words: tuple[str, ...], tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.7, **reads({"training": "maps", "maps": maps}))
    study = read_study([tmp_path])
    (note,) = [text for text in study.tables[0].notes if "frozen backbone" in text]
    assert "for all cells" in note
    assert all(word in note for word in words)
    facts = dict(describe_study(study, made="", command="").facts)
    assert facts["epochs began with"] == f"kept maps of the frozen backbone, {maps['dtype']}"
    shown = dict(cell_details(study.cells[0])["provenance"])
    assert (shown["reads.training"], shown["reads.maps.dtype"]) == ("maps", maps["dtype"])


def test_cells_without_maps_are_counted(tmp_path: Path) -> None:
    write(tmp_path, "gap", 0, 0.7, **reads(MAPS))
    write(tmp_path, "wise", 0, 0.7)
    study = read_study([tmp_path])
    (note,) = maps_notes(study.cells)
    assert "once for 1 cell of 2" in note
    assert maps_notes([cell for cell in study.cells if cell.place.head == "wise"]) == []


def test_words() -> None:
    assert reading_words({}) == reading_words({"training": "files"}) == "image files"
    assert reading_words(MAPS) == "kept maps of the frozen backbone, float32"
    assert reading_words({"training": "tape"}) == "tape", "what a later version knows"
