"""What differs beyond the axes stands in red, with values and cells; what may differ is a note; what is alike is not told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.records import record_of
from tests.support.studies import cell_config, write_cell
from wisesr.report.read import read_study
from wisesr.report.study import ReportTable

VERSIONS = {"python": "3.11.7", "wisesr": "0.1.0", "torch": "2.14.1", "timm": "1.0.31"}


def _table(tmp_path: Path, odd: dict[str, Any], changes: dict[str, Any] | None = None) -> ReportTable:
    """Of two heads with three seeds each, of which wise's last is unlike the others."""
    for head in ("gap", "wise"):
        for seed in range(3):
            here = odd if (head, seed) == ("wise", 2) else {}
            config = cell_config(tmp_path, head=head, seed=seed, changes=changes if (head, seed) == ("wise", 2) else None)
            write_cell(config, top1=0.7 + 0.02 * seed + 0.04 * (head == "wise") * (seed % 2), **here)
    (table,) = read_study([tmp_path]).tables
    return table


def test_nothing_is_said_of_cells_that_are_alike(tmp_path: Path) -> None:
    table = _table(tmp_path, {"curve": [0.1, 0.8, 0.7]})
    assert table.warnings == ()
    (learning,) = table.notes
    assert "gap 3 of 3" in learning and "wise 2 of 3" in learning


def test_heads_that_stopped_learning_are_not_told(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for seed in range(3):
            curve = [0.1, 0.8, 0.7] if (head, seed) != ("gap", 0) else [0.1, 0.2, 0.8]
            write_cell(cell_config(tmp_path, head=head, seed=seed), top1=0.7 + 0.02 * seed, curve=curve)
    (table,) = read_study([tmp_path]).tables
    assert table.notes == ()


def test_maps_of_one_place_stand_in_red(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        feature_map = [512, 1, 1] if head == "wise" else [512, 1, 2]
        write_cell(cell_config(tmp_path, head=head), record={"cost": {"feature_map": feature_map}})
    (table,) = read_study([tmp_path]).tables
    (warning,) = table.warnings
    assert "1x1" in warning and "1 cell " in warning and warning.endswith(": resnet18 wise seed 0.")


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (
            {"provenance": {"versions": VERSIONS | {"torch": "2.13.0"}}},
            ("torch: 2.14.1 in 5 cells, 2.13.0 in 1 (resnet18 wise seed 2)",),
        ),
        (
            {"provenance": {"versions": VERSIONS | {"timm": None}}},
            ("timm: 1.0.31 in 5 cells, none in 1 (resnet18 wise seed 2)",),
        ),
        (
            {"provenance": {"source": "b" * 64, "commit": "2" * 40}},
            (
                f"wisesr: commit {'1' * 10} (source {'a' * 8}) in 5 cells",
                f"commit {'2' * 10} (source {'b' * 8}) in 1 (resnet18 wise seed 2)",
            ),
        ),
        (
            {"provenance": {"sources": ["b" * 64, "a" * 64], "attempts": 2}},
            ("code of wisesr", "between the attempts of resnet18 wise seed 2"),
        ),
        ({"record": {"selection": "the last epoch"}}, ("Epochs", "the last epoch in 1 (resnet18 wise seed 2)")),
        (
            {"provenance": {"inputs": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}},
            (
                "normalised",
                "mean [0.485, 0.456, 0.406], std [0.229, 0.224, 0.225] in 5 cells",
                "mean [0.5, 0.5, 0.5], std [0.5, 0.5, 0.5] in 1 (resnet18 wise seed 2)",
            ),
        ),
        (
            {"provenance": {"weights": {"source": "file", "sha256": "c" * 64, "tensors": None}}},
            ("weights: none in 5 cells", f"source file, sha256 {'c' * 12} in 1 (resnet18 wise seed 2)"),
        ),
        (
            {"record": {"budget": {"epochs": 3, "trained_epochs": 2, "steps": 80, "stopped": "max_time"}}},
            ("budget: 3 epochs of 120 steps", "2 epochs of 80 steps in all, then max_time in 1 (resnet18 wise seed 2)"),
        ),
    ],
)
def test_what_must_be_alike_stands_in_red(tmp_path: Path, odd: dict[str, Any], said: tuple[str, ...]) -> None:
    (warning,) = _table(tmp_path, odd).warnings
    assert all(part in warning for part in said), warning


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (
            {"provenance": {"threads": 4}},
            ("threads: 2 in 5 cells, 4 in 1 (resnet18 wise seed 2). Last bits",),
        ),
        ({"provenance": {"hardware": {"device": "GPU"}}}, ("device: cpu in 5 cells, GPU in 1",)),
        ({"provenance": {"versions": VERSIONS | {"wisesr": "0.2.0"}}}, ("wisesr: 0.1.0 in 5 cells",)),
        (
            {"record": {"budget": {"epochs": 3, "trained_epochs": 2, "steps": 80, "stopped": "patience"}}},
            ("recipe.patience", "in resnet18 wise seed 2."),
        ),
        (
            {"provenance": {"data": {"fingerprint": "d" * 64, "images": {"train": 300, "test": 50}, "left_out": ["a.png"]}}},
            ("could not be read", ": a.png."),
        ),
    ],
)
def test_what_may_differ_is_a_note(tmp_path: Path, odd: dict[str, Any], said: tuple[str, ...]) -> None:
    table = _table(tmp_path, odd)
    assert table.warnings == ()
    assert any(all(part in note for part in said) for note in table.notes), table.notes


def test_another_commit_of_the_same_source_is_the_same_code(tmp_path: Path) -> None:
    assert _table(tmp_path, {"provenance": {"commit": "2" * 40}}).warnings == ()


def test_how_cells_are_computed_is_red_where_heads_of_one_seed_differ_in_it(tmp_path: Path) -> None:
    table = _table(tmp_path, {}, changes={"trainer.compile": True})
    assert len(table.entries) == 2  # no axis
    (warning,) = table.warnings
    assert "trainer.compile: false in 5 cells, true in 1 (resnet18 wise seed 2)" in warning


def test_how_cells_are_computed_is_a_note_where_whole_seeds_differ_in_it(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for seed in range(3):
            changes = {"trainer.accelerator": "cpu" if seed == 2 else "auto", "trainer.threads": seed + 1}
            write_cell(cell_config(tmp_path, head=head, seed=seed, changes=changes))
    (table,) = read_study([tmp_path]).tables
    assert table.warnings == ()
    note, _ = table.notes
    assert "trainer.accelerator: auto in 4 cells, cpu in 2 (resnet18 gap seed 2, resnet18 wise seed 2)" in note


def test_many_cells_are_counted_and_the_first_named(tmp_path: Path) -> None:
    for seed in range(13):
        versions = VERSIONS | ({"torch": "2.13.0"} if seed >= 7 else {})
        write_cell(cell_config(tmp_path, seed=seed), provenance={"versions": versions})
    (table,) = read_study([tmp_path]).tables
    named = ", ".join(f"resnet18 gap seed {seed}" for seed in (7, 8, 9, 10))
    (warning,) = table.warnings
    assert f"torch: 2.14.1 in 7 cells, 2.13.0 in 6 ({named} and 2 more)" in warning


def test_test_images_that_were_trained_on_stand_in_red(tmp_path: Path) -> None:
    """Of records before anybody looked nothing is said."""
    data = record_of(cell_config(tmp_path))["provenance"]["data"]
    count = data["images"]["test"]
    for head in ("gap", "wise"):
        notes = {"notes": {"shared": {"test in train": 3, "test in val": 1}}}
        write_cell(cell_config(tmp_path, head=head), provenance={"data": data | notes})
    (table,) = read_study([tmp_path]).tables
    (warning,) = table.warnings
    assert warning.startswith(f"3 of the {count:,} test images (") and warning.endswith("what is measured on them is memory.")


def test_classes_without_test_images_are_named(tmp_path: Path) -> None:
    data = record_of(cell_config(tmp_path))["provenance"]["data"]
    for head in ("gap", "wise"):
        write_cell(cell_config(tmp_path, head=head), provenance={"data": data | {"notes": {"absent": {"test": ["owl"]}}}})
    (table,) = read_study([tmp_path]).tables
    assert any("macro F1 leaves out: owl" in note for note in table.notes)
