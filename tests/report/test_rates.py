"""Several learning rates: each seed stands at the one that was best on its own validation images."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.compared import LR, losses, table_of_study, write
from tests.support.studies import cell_config, write_cell, write_failed, write_waiting


def test_each_seed_stands_at_the_rate_that_validation_chose_for_it(tmp_path: Path) -> None:
    """Test figures point the other way: they must not have chosen."""
    for head in ("gap", "wise"):
        for seed in range(3):
            for lr, val, top1 in ((0.001, 0.90, 0.80), (0.01, 0.92 if seed else 0.88, 0.70), (0.1, 0.5, 0.98)):
                write(tmp_path, head, seed, top1, val_top1=val, changes={LR: lr})
    table = table_of_study(tmp_path)
    for entry in table.entries:
        assert entry.values == pytest.approx([80.0, 70.0, 70.0], abs=1e-4)
        assert [cell.config["recipe"]["optimizer"]["lr"] for cell in entry.cells] == [0.001, 0.01, 0.01]
        assert entry.rate == "lr=0.01 (2 seeds), lr=0.001 (1 seed)"
        assert [(rate, seeds) for rate, _, seeds in entry.tried] == [("lr=0.001", 3), ("lr=0.01", 3), ("lr=0.1", 3)]
        assert [mean for _, mean, _ in entry.tried] == pytest.approx([90.0, (88 + 92 + 92) / 3, 50.0])
    assert any("chosen on validation" in note for note in table.notes)
    assert not any("a better one may lie beyond" in note for note in table.notes)
    assert table.warnings == () and table.left_out == ()


def test_a_best_rate_at_the_end_of_those_tried_is_told(tmp_path: Path) -> None:
    for head, vals in (("gap", (0.7, 0.8, 0.9)), ("wise", (0.7, 0.9, 0.8))):
        for lr, val in zip((0.001, 0.01, 0.1), vals, strict=True):
            for seed in (0, 1):
                write(tmp_path, head, seed, 0.8, val_top1=val, changes={LR: lr})
    (note,) = [note for note in table_of_study(tmp_path).notes if "a better one may lie beyond" in note]
    assert note.startswith("resnet18: gap is best at the largest lr") and "0.1, for 2 of 2 seeds" in note


def test_a_rate_at_which_training_fails_lies_beyond_the_best(tmp_path: Path) -> None:
    for lr in (0.0001, 0.001, 0.01, 0.1):
        config = cell_config(tmp_path, changes={LR: lr})
        _ = write_failed(config, "diverged") if lr == 0.1 else write_cell(config, val_top1=0.8 + lr)
    assert not any("a better one may lie beyond" in note for note in table_of_study(tmp_path).notes)


@pytest.mark.parametrize("state", ["failed", "waiting"])
def test_a_rate_that_was_computed_in_another_way_is_there(tmp_path: Path, state: str) -> None:
    for lr in (0.01, 0.1):
        for head in ("gap", "wise"):
            write(tmp_path, head, 0, 0.8, changes={LR: lr})
    again = cell_config(tmp_path, head="wise", changes={LR: 0.1, "trainer.accelerator": "gpu"})
    _ = write_failed(again, "no GPU") if state == "failed" else write_waiting(again)
    table = table_of_study(tmp_path)
    assert table.warnings == ()
    assert not any("lost" in note for note in table.notes)


def test_a_rate_that_failed_was_tried(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for lr in (0.01, 0.1):
            config = cell_config(tmp_path, head=head, changes={LR: lr})
            _ = write_failed(config, "diverged") if (head, lr) == ("wise", 0.1) else write_cell(config)
    table = table_of_study(tmp_path)
    assert table.warnings == ()
    assert any("best of 2 rates" in note for note in table.notes)


def test_ties_between_rates_go_to_the_lower_loss_and_then_to_the_smaller_rate(tmp_path: Path) -> None:
    for lr in (0.1, 0.001, 0.01):
        write(tmp_path, "gap", 0, 0.8, val_top1=0.9, changes={LR: lr})
        write(tmp_path, "wise", 0, 0.8, val_top1=0.9, changes={LR: lr}, record=losses(0.1 if lr == 0.01 else 0.2))
    assert {entry.head: entry.rate for entry in table_of_study(tmp_path).entries} == {
        "gap": "lr=0.001 (1 seed)",
        "wise": "lr=0.01 (1 seed)",
    }


def test_heads_at_different_rates_stand_in_red(tmp_path: Path) -> None:
    write(tmp_path, "gap", 0, 0.8, changes={LR: 0.1})
    write(tmp_path, "wise", 0, 0.9, changes={LR: 0.01})
    table = table_of_study(tmp_path)
    assert [(entry.head, entry.rate, entry.tried) for entry in table.entries] == [
        ("gap", "lr=0.1", ()),
        ("wise", "lr=0.01", ()),
    ]
    (warning,) = table.warnings
    assert "gap: lr=0.1; wise: lr=0.01" in warning


def test_a_choice_among_unfinished_rates_is_provisional_and_a_failed_rate_is_lost(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for lr in (0.01, 0.1):
            for seed in (0, 1):
                config = cell_config(tmp_path, head=head, seed=seed, changes={LR: lr})
                if (head, lr, seed) == ("wise", 0.1, 1):
                    write_waiting(config)
                elif (head, lr, seed) == ("gap", 0.1, 0):
                    write_failed(config, "diverged")
                else:
                    write_cell(config)
    table = table_of_study(tmp_path)
    (warning,) = table.warnings
    assert "wise has no finished cell at lr=0.1 for seed 1" in warning and "provisional" in warning
    assert any("gap failed at lr=0.1 for seed 0" in note for note in table.notes)


def test_rates_chosen_on_the_test_images_stand_in_red(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for lr in (0.01, 0.1):
            write(tmp_path, head, 0, 0.8, changes={LR: lr, "protocol": "paper"})
    table = table_of_study(tmp_path)
    assert (table.key, table.title) == ("toy-64-paper", "toy, 64 px, protocol=paper")
    assert any("test images" in warning and "protocol=paper" in warning for warning in table.warnings)
    assert any("test images" in note and "protocol=paper" in note for note in table.notes)
