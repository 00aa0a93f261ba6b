"""What is compared with what, who is left out and why: on records as training writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.compared import LR, data, entries_of, table_of_study, write
from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.config.options import load_option
from wisesr.report.read import read_study


def test_other_data_is_left_out(tmp_path: Path) -> None:
    for seed in range(3):
        write(tmp_path, "gap", seed, 0.8)
        write(tmp_path, "wise", seed, 0.8, provenance=data("e") if seed == 2 else None)
    table = table_of_study(tmp_path)
    assert entries_of(table)["resnet18 wise"].seeds == (0, 1)
    (left,) = table.left_out
    assert "other images" in left.reason and "5 cells" in left.reason and left.place is not None
    assert (left.place.head, left.place.seed, left.state) == ("wise", 2, "done")


def test_cells_with_other_epochs_are_left_out(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.8)
    write(tmp_path, "wise", 0, 0.9, epochs=5)
    table = table_of_study(tmp_path)
    assert [entry.label for entry in table.entries] == ["resnet18 recipe.epochs=3 gap", "resnet18 recipe.epochs=3 wise"]
    (left,) = table.left_out
    assert left.state == "done" and "recipe.epochs=5" in left.reason


def test_heads_that_differ_in_more_than_the_head_are_not_compared(tmp_path: Path) -> None:
    write(tmp_path, "gap", 0, 0.8)
    write(tmp_path, "wise", 0, 0.9, epochs=5)
    table = table_of_study(tmp_path)
    assert [entry.difference for entry in table.entries] == [None, None]
    assert not any(entry.best for entry in table.entries) and table.left_out == ()
    (warning,) = table.warnings
    assert "nothing is compared" in warning and "gap with recipe.epochs=3" in warning and "wise with recipe.epochs=5" in warning


def test_no_finished_cell_disappears_while_a_grid_grows(tmp_path: Path) -> None:
    """Whichever cells are finished: each is in a table, as cells of all heads of its group are on disk."""
    grid = [
        (backbone, epochs, head, seed)
        for backbone in ("a", "b")
        for epochs in (3, 5)
        for head in ("gap", "wise")
        for seed in (0, 1)
    ]
    order = np.random.default_rng(0).permutation(len(grid))
    waiting = {}
    for backbone, epochs, head, seed in grid:
        config = cell_config(tmp_path, backbone=backbone, epochs=epochs, head=head, seed=seed)
        waiting[(backbone, epochs, head, seed)] = (config, write_waiting(config))
    for count, index in enumerate(order, start=1):
        config, directory = waiting[grid[index]]
        (directory / "config.yaml").unlink()
        directory.rmdir()
        write_cell(config, top1=0.5 + 0.02 * count)
        if count % 3:
            continue
        table = table_of_study(tmp_path)
        assert sum(len(entry.cells) for entry in table.entries) == count
        assert sum(left.state == "waiting" for left in table.left_out) == len(grid) - count


def test_missing_seeds_and_heads_are_named(tmp_path: Path) -> None:
    for backbone, heads in (("a", {"gap": (0, 1, 2), "wise": (0, 2)}), ("b", {"gap": (0, 1)})):
        for head, seeds in heads.items():
            for seed in seeds:
                write(tmp_path, head, seed, 0.8, backbone=backbone)
    table = table_of_study(tmp_path)
    assert {(left.name, left.state) for left in table.left_out} == {
        ("a wise seed 1", "missing"),
        ("b wise seed 0", "missing"),
        ("b wise seed 1", "missing"),
    }
    assert "b gap" in entries_of(table)
    assert any("means are over different seeds" in note for note in table.notes)


def test_a_difference_over_fewer_seeds_than_a_mean_says_so(tmp_path: Path) -> None:
    for head, seeds in (("gap", 6), ("wise", 5)):
        for seed in range(seeds):
            write(tmp_path, head, seed, 0.6 + 0.03 * seed + 0.02 * (head == "wise") * (seed % 2))
    difference = entries_of(table_of_study(tmp_path))["resnet18 wise"].difference
    assert difference is not None and difference.note == "over the 5 seeds that both have"
    assert difference.mean == pytest.approx(0.8, abs=1e-4)


def test_best_is_over_the_seeds_that_all_have(tmp_path: Path) -> None:
    """The easy seed that only one head has must not make it the best; of fewer than three seeds nothing is."""
    for seed, top1 in ((0, 0.6), (1, 0.62), (2, 0.96)):
        write(tmp_path, "gap", seed, top1)
    for seed in (0, 1):
        write(tmp_path, "wise", seed, 0.7)
    entries = entries_of(table_of_study(tmp_path))
    assert entries["resnet18 gap"].mean > entries["resnet18 wise"].mean
    assert (entries["resnet18 gap"].best, entries["resnet18 wise"].best) == (False, False)
    write(tmp_path, "wise", 3, 0.7)
    write(tmp_path, "wise", 4, 0.7)
    for seed in (3, 4):
        write(tmp_path, "gap", seed, 0.5)
    entries = entries_of(table_of_study(tmp_path))
    assert (entries["resnet18 gap"].best, entries["resnet18 wise"].best) == (False, True)


def test_heads_without_a_common_seed_are_not_held_against_each_other(tmp_path: Path) -> None:
    write(tmp_path, "gap", 0, 0.8)
    write(tmp_path, "wise", 1, 0.9)
    table = table_of_study(tmp_path)
    assert [(entry.best, entry.difference) for entry in table.entries] == [(False, None), (False, None)]
    assert any("no seed in common" in note for note in table.notes)


def test_heads_that_are_one_computation_are_told(tmp_path: Path) -> None:
    """As wise and depthwise_nonneg are on small maps; equal accuracies alone are none."""
    for seed in range(2):
        write(tmp_path, "gap", seed, 0.8)
        for head in ("wise", "depthwise_nonneg"):
            write(tmp_path, head, seed, 0.8, record={"cost": _cost()})
    (note,) = [note for note in table_of_study(tmp_path).notes if "one computation" in note]
    assert note.startswith("resnet18: wise and depthwise_nonneg ")


def test_heads_that_differ_in_training_are_no_computation_in_common(tmp_path: Path) -> None:
    """As wise and wise_dropout while the model says the same of every image."""
    for head, loss in (("gap", 1.0927), ("wise", 1.0986)):
        metrics = {"best": {"train/loss": loss}}
        write(tmp_path, head, 0, 0.8, record={"metrics": metrics, "cost": _cost()})
    assert not any("one computation" in note for note in table_of_study(tmp_path).notes)


def _cost() -> dict[str, Any]:
    """Of two heads with as many parameters."""
    return {"parameters": {f"{part}_parameters": 10 for part in ("backbone", "head", "trainable")}}


def test_failed_seeds_stand_in_red(tmp_path: Path) -> None:
    for seed in range(3):
        write(tmp_path, "gap", seed, 0.8)
        config = cell_config(tmp_path, head="wise", seed=seed)
        _ = write_failed(config, "diverged") if seed == 1 else write_cell(config)
    (warning,) = table_of_study(tmp_path).warnings
    assert "of 3 seeds of wise, 1 failed" in warning


def test_what_is_said_of_all_groups_is_said_once(tmp_path: Path) -> None:
    for backbone in ("a", "b"):
        for lr in (0.01, 0.1):
            for head in ("gap", "wise"):
                write(tmp_path, head, 0, 0.8, backbone=backbone, changes={LR: lr})
    notes = table_of_study(tmp_path).notes
    (note,) = [note for note in notes if "chosen on validation" in note]
    assert note.startswith("In all rows: ") and "2 rates" in note


def test_one_seed_computed_in_two_ways_is_one_seed(tmp_path: Path) -> None:
    for accelerator in ("auto", "cpu"):
        for head in ("gap", "wise"):
            write(tmp_path, head, 0, 0.8, changes={"trainer.accelerator": accelerator})
    table = table_of_study(tmp_path)
    assert [entry.seeds for entry in table.entries] == [(0,), (0,)]
    assert [left.state for left in table.left_out] == ["done", "done"]
    assert any("computed more than once" in warning for warning in table.warnings)


def test_cells_of_two_arithmetics_are_one_head(tmp_path: Path) -> None:
    """What changes last bits alone divides no study: of a seed that has both the later one counts, and a note tells of it."""
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.7, changes={"head.arithmetic": 1})
        write(tmp_path, head, 0, 0.8, changes={"head.arithmetic": 2})
        write(tmp_path, head, 1, 0.8, changes={"head.arithmetic": 1 if head == "gap" else 2})
    table = table_of_study(tmp_path)
    assert [(entry.head, entry.seeds) for entry in table.entries] == [("gap", (0, 1)), ("wise", (0, 1))]
    assert all(entry.cells[0].config["head"]["arithmetic"] == 2 for entry in table.entries)
    (note,) = [note for note in table.notes if "head.arithmetic" in note]
    assert "2 in 3 cells, 1 in 1" in note


def test_published_figures_stand_beside_the_head_of_their_name(tmp_path: Path) -> None:
    """A variant is the published head only where its settings are those of conf/head."""
    published = tmp_path / "published.csv"
    published.write_text(
        "dataset,resolution,backbone,head,top1\ntoy,64,resnet18,gap,91.5\ntoy,64,resnet18,wise,93.5\ntoy,112,resnet18,wise,95\n"
    )
    write(tmp_path, "gap", 0, 0.8)
    for dropout in (0.0, 0.5):
        changes = {"head": {"name": "wise", **load_option("head", "wise"), "dropout": dropout}}
        write(tmp_path, "wise", 0, 0.8, changes=changes)
    entries = entries_of(table_of_study(tmp_path, published=published))
    assert {label: entry.published for label, entry in entries.items()} == {
        "resnet18 gap": 91.5,
        "resnet18 wise dropout=0": 93.5,
        "resnet18 wise dropout=0.5": None,
    }


def test_a_changed_head_is_not_the_published_one(tmp_path: Path) -> None:
    """Also where all its cells are changed in the same way, so that nothing of it is told."""
    published = tmp_path / "published.csv"
    published.write_text("dataset,resolution,backbone,head,top1\ntoy,64,resnet18,gap,91.5\ntoy,64,resnet18,wise,93.5\n")
    write(tmp_path, "gap", 0, 0.8)
    write(tmp_path, "wise", 0, 0.8, changes={"head.pre_pool": 3})
    entries = entries_of(table_of_study(tmp_path, published=published))
    assert {label: entry.published for label, entry in entries.items()} == {"resnet18 gap": 91.5, "resnet18 wise": None}


def test_what_tables_share_and_what_is_pooled_is_noted(tmp_path: Path) -> None:
    for name, epochs in (("a", 3), ("b", 9)):
        write(tmp_path / name, "gap", 0, 0.8, dataset=name, epochs=epochs, study=name)
    first, second = read_study([tmp_path / "a", tmp_path / "b"]).tables
    assert "recipe.epochs=3" in first.notes[0]
    assert "recipe.epochs=9" in second.notes[0]
    write(tmp_path / "c", "gap", 1, 0.8, dataset="a", study="trial")
    first = read_study([tmp_path / "a", tmp_path / "c"]).tables[0]
    assert any("2 studies are reported together: a (1), trial (1)" in note for note in first.notes)
