"""What is compared with what, who is left out and why: on records as training writes them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.report.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.config import load_option
from wisesr.report.cells import read_study
from wisesr.report.compare import compare
from wisesr.report.places import table_of
from wisesr.report.study import Entry, ReportCell, ReportTable

LR = "recipe.optimizer.lr"


def _table(root: Path, **how: Any) -> ReportTable:
    (table,) = read_study([root], **how).tables
    return table


def _entries(table: ReportTable) -> dict[str, Entry]:
    return {entry.label: entry for entry in table.entries}


def _write(root: Path, head: str, seed: int, top1: float, **how: Any) -> Path:
    """Arguments of `write_cell` and of `cell_config`."""
    given = {name: how.pop(name) for name in ("provenance", "record", "images", "val_top1", "draw") if name in how}
    return write_cell(cell_config(root, head=head, seed=seed, **how), top1=top1, **given)


def _data(name: str, images: int = 50) -> dict[str, Any]:
    return {"data": {"fingerprint": name * 64, "images": {"train": 300, "test": images, "val": 30}, "left_out": []}}


def test_three_seeds_are_tested_seed_by_seed(tmp_path: Path) -> None:
    gap, wise = [0.70, 0.80, 0.76], [0.78, 0.82, 0.86]
    for seed in range(3):
        _write(tmp_path, "gap", seed, gap[seed])
        _write(tmp_path, "wise", seed, wise[seed])
    difference = _entries(_table(tmp_path))["resnet18 wise"].difference
    truth = stats.ttest_rel(np.multiply(100, wise), np.multiply(100, gap))
    assert difference is not None
    assert (difference.kind, difference.seeds, difference.note) == ("seeds", (0, 1, 2), "little power")
    assert (difference.p, difference.p_holm) == pytest.approx((truth.pvalue, truth.pvalue), rel=1e-4)
    assert (difference.low, difference.high) == pytest.approx(tuple(truth.confidence_interval(0.95)), rel=1e-4)


def test_holm_counts_the_heads_of_a_group_and_no_other(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for backbone, heads in (("resnet18", ("gap", "wise", "depthwise", "depthwise_nonneg")), ("resnet34", ("gap", "wise"))):
        for head in heads:
            for seed in range(5):
                _write(tmp_path, head, seed, 0.8 + 0.1 * random.random(), backbone=backbone)
    entries = _entries(_table(tmp_path))
    own = [entries[f"resnet18 {head}"].difference for head in ("wise", "depthwise", "depthwise_nonneg")]
    first = min(one.p for one in own if one is not None and one.p is not None)
    assert min(one.p_holm for one in own if one is not None and one.p_holm is not None) == pytest.approx(min(1, 3 * first))
    alone = entries["resnet34 wise"].difference
    assert alone is not None and alone.p_holm == alone.p and alone.note == ""
    assert entries["resnet18 gap"].difference is None


def test_equal_differences_are_no_test_but_count_as_one(tmp_path: Path) -> None:
    """Two images more on every seed: t would be infinite, and in floats 1e14."""
    others = [0.70, 0.90, 0.82]
    for seed, right in enumerate((340, 341, 343)):
        _write(tmp_path, "gap", seed, right / 359, images=359)
        _write(tmp_path, "wise", seed, (right + 2) / 359, images=359)
        _write(tmp_path, "depthwise", seed, others[seed], images=359)
    entries = _entries(_table(tmp_path))
    wise, depthwise = entries["resnet18 wise"].difference, entries["resnet18 depthwise"].difference
    assert wise is not None and (wise.low, wise.high, wise.p, wise.p_holm) == (None, None, None, None)
    assert not wise.significant and "all differences are equal: no test" in wise.note
    assert wise.mean == pytest.approx(200 / 359, abs=1e-4)
    assert depthwise is not None and depthwise.p is not None and depthwise.p_holm == pytest.approx(2 * depthwise.p)


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_seeds_say_nothing_about_the_heads(tmp_path: Path, seeds: int) -> None:
    for seed in range(seeds):
        _write(tmp_path, "gap", seed, 0.7 + 0.1 * seed)
        _write(tmp_path, "wise", seed, 0.9, draw=1)
    difference = _entries(_table(tmp_path))["resnet18 wise"].difference
    assert difference is not None
    assert (difference.kind, difference.seeds, difference.p, difference.p_holm) == ("images", (0,), None, None)
    assert difference.mean == pytest.approx(20.0, abs=1e-4)  # of seed 0, not of the mean
    assert difference.low is not None and difference.high is not None
    assert difference.low <= difference.mean <= difference.high
    assert ("2 seeds in common" in difference.note) == (seeds == 2)


def test_predictions_that_are_none_give_no_interval(tmp_path: Path) -> None:
    _write(tmp_path, "gap", 0, 0.7)
    (_write(tmp_path, "wise", 0, 0.9) / "predictions.npz").unlink()
    other = _write(tmp_path, "depthwise", 0, 0.9)
    foreign = _write(tmp_path / "elsewhere", "depthwise", 0, 0.5)
    (other / "predictions.npz").write_bytes((foreign / "predictions.npz").read_bytes())
    entries = _entries(read_study([tmp_path / "study"]).tables[0])
    for head, said in (("wise", "no predictions"), ("depthwise", "not those of its record")):
        difference = entries[f"resnet18 {head}"].difference
        assert difference is not None and difference.mean == pytest.approx(20.0, abs=1e-4)
        assert (difference.low, difference.high) == (None, None) and said in difference.note


def test_other_data_is_left_out(tmp_path: Path) -> None:
    for seed in range(3):
        _write(tmp_path, "gap", seed, 0.8)
        _write(tmp_path, "wise", seed, 0.8, provenance=_data("e") if seed == 2 else None)
    table = _table(tmp_path)
    assert _entries(table)["resnet18 wise"].seeds == (0, 1)
    (left,) = table.left_out
    assert left.reason == "other images, labels or splits than the 5 cells of the table" and left.place is not None
    assert (left.place.head, left.place.seed, left.state) == ("wise", 2, "done")


def test_cells_with_other_epochs_are_left_out(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        _write(tmp_path, head, 0, 0.8)
    _write(tmp_path, "wise", 0, 0.9, epochs=5)
    table = _table(tmp_path)
    assert [entry.label for entry in table.entries] == ["resnet18 recipe.epochs=3 gap", "resnet18 recipe.epochs=3 wise"]
    assert [(left.state, left.reason) for left in table.left_out] == [
        ("done", "no other head was trained with recipe.epochs=5")
    ]


def test_heads_that_differ_in_more_than_the_head_are_not_compared(tmp_path: Path) -> None:
    _write(tmp_path, "gap", 0, 0.8)
    _write(tmp_path, "wise", 0, 0.9, epochs=5)
    table = _table(tmp_path)
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
        table = _table(tmp_path)
        assert sum(len(entry.cells) for entry in table.entries) == count
        assert sum(left.state == "waiting" for left in table.left_out) == len(grid) - count


def test_missing_seeds_and_heads_are_named(tmp_path: Path) -> None:
    for backbone, heads in (("a", {"gap": (0, 1, 2), "wise": (0, 2)}), ("b", {"gap": (0, 1)})):
        for head, seeds in heads.items():
            for seed in seeds:
                _write(tmp_path, head, seed, 0.8, backbone=backbone)
    table = _table(tmp_path)
    assert {(left.name, left.state) for left in table.left_out} == {
        ("a wise seed 1", "missing"),
        ("b wise seed 0", "missing"),
        ("b wise seed 1", "missing"),
    }
    assert "b gap" in _entries(table)
    assert any("means are over different seeds" in note for note in table.notes)


def test_a_difference_over_fewer_seeds_than_a_mean_says_so(tmp_path: Path) -> None:
    for head, seeds in (("gap", 6), ("wise", 5)):
        for seed in range(seeds):
            _write(tmp_path, head, seed, 0.6 + 0.03 * seed + 0.02 * (head == "wise") * (seed % 2))
    difference = _entries(_table(tmp_path))["resnet18 wise"].difference
    assert difference is not None and difference.note == "over the 5 seeds that both have"
    assert difference.mean == pytest.approx(0.8, abs=1e-4)


def test_best_is_over_the_seeds_that_all_have(tmp_path: Path) -> None:
    """The easy seed that only one head has must not make it the best."""
    for seed, top1 in ((0, 0.6), (1, 0.96)):
        _write(tmp_path, "gap", seed, top1)
    _write(tmp_path, "wise", 0, 0.7)
    entries = _entries(_table(tmp_path))
    assert entries["resnet18 gap"].mean > entries["resnet18 wise"].mean
    assert (entries["resnet18 gap"].best, entries["resnet18 wise"].best) == (False, True)


def test_heads_without_a_common_seed_are_not_held_against_each_other(tmp_path: Path) -> None:
    _write(tmp_path, "gap", 0, 0.8)
    _write(tmp_path, "wise", 1, 0.9)
    table = _table(tmp_path)
    assert [(entry.best, entry.difference) for entry in table.entries] == [(False, None), (False, None)]
    assert any("no seed in common" in note for note in table.notes)


def test_heads_that_are_one_computation_are_told(tmp_path: Path) -> None:
    """As wise and depthwise_nonneg are on small maps; equal accuracies alone are none."""
    for seed in range(2):
        _write(tmp_path, "gap", seed, 0.8)
        for head in ("wise", "depthwise_nonneg"):
            _write(tmp_path, head, seed, 0.8, record={"cost": _cost()})
    told = [note for note in _table(tmp_path).notes if "one computation" in note]
    assert told == [
        "resnet18: depthwise_nonneg and wise have the same accuracies and losses on every seed: here they are one computation."
    ]


def test_heads_that_differ_in_training_are_no_computation_in_common(tmp_path: Path) -> None:
    """As wise and wise_dropout while the model says the same of every image."""
    for head, loss in (("gap", 1.0927), ("wise", 1.0986)):
        metrics = {"best": {**_losses(0.5)["metrics"]["best"], "train/loss": loss}, "last": {"epoch": 3}}
        _write(tmp_path, head, 0, 0.8, record={"metrics": metrics, "cost": _cost()})
    assert not any("one computation" in note for note in _table(tmp_path).notes)


def _cost() -> dict[str, Any]:
    parameters = {f"{part}_parameters": 10 for part in ("backbone", "head", "trainable")}
    times = {"train_seconds": 1.0, "images_per_second": 1.0, "peak_memory_bytes": 1}
    return {"parameters": parameters, "flops": {"backbone": 1, "head": 1}, **times}


def test_a_group_without_the_baseline_says_so(tmp_path: Path) -> None:
    for backbone, heads in (("a", ("gap", "wise")), ("b", ("depthwise", "wise"))):
        for head in heads:
            _write(tmp_path, head, 0, 0.8, backbone=backbone)
    table = _table(tmp_path)
    assert [entry.label for entry in table.entries if entry.difference is not None] == ["a wise"]
    assert "b: no finished cell of gap is in the table, so no differences are told." in table.notes


def test_a_baseline_of_other_data_only_is_missed(tmp_path: Path) -> None:
    for head in ("wise", "depthwise"):
        _write(tmp_path, head, 0, 0.8)
    data = {"fingerprint": "e" * 64, "images": {"train": 300, "test": 50, "val": 30}, "left_out": []}
    _write(tmp_path, "gap", 0, 0.8, provenance={"data": data})
    table = _table(tmp_path)
    assert [left.state for left in table.left_out] == ["done"]
    assert "resnet18: no finished cell of gap is in the table, so no differences are told." in table.notes


def test_failed_seeds_stand_in_red(tmp_path: Path) -> None:
    for seed in range(3):
        _write(tmp_path, "gap", seed, 0.8)
        config = cell_config(tmp_path, head="wise", seed=seed)
        _ = write_failed(config, "diverged") if seed == 1 else write_cell(config)
    (warning,) = _table(tmp_path).warnings
    assert "of 3 seeds of wise, 1 failed" in warning


@pytest.mark.parametrize(
    ("asked", "heads", "chosen", "said"),
    [
        ("gap", {"gap": [0.0]}, "gap", ""),
        ("gap", {"gap": [0.0, 0.5]}, "gap dropout=0", "held against gap dropout=0"),
        ("gap dropout=0.5", {"gap": [0.0, 0.5]}, "gap dropout=0.5", ""),
        ("gap", {"gap": [0.25, 0.5]}, "gap", "gap dropout=0.25; gap dropout=0.5"),
        ("gap", {}, "gap", "no cell of gap is finished here"),
        ("wise", {"gap": [0.0]}, "wise", ""),
    ],
)
def test_the_baseline(tmp_path: Path, asked: str, heads: Mapping[str, list[float]], chosen: str, said: str) -> None:
    for name, dropouts in {"wise": [0.0], **heads}.items():
        for dropout in dropouts:
            changes = {"head": {"name": name, **load_option("head", name), "dropout": dropout}}
            _write(tmp_path, name, 0, 0.8, changes=changes)
    table = _table(tmp_path, baseline=asked)
    assert table.baseline == chosen
    compared = {entry.head for entry in table.entries if entry.difference is not None}
    all_heads = {entry.head for entry in table.entries}
    assert compared == (all_heads - {chosen} if chosen in all_heads else set())
    assert any(said in note for note in table.notes) == bool(said) or not said
    if chosen in all_heads:
        assert table.entries[0].head == chosen


def test_each_seed_stands_at_the_rate_that_validation_chose_for_it(tmp_path: Path) -> None:
    """Test figures point the other way: they must not have chosen."""
    for head in ("gap", "wise"):
        for seed in range(3):
            for lr, val, top1 in ((0.001, 0.90, 0.80), (0.01, 0.92 if seed else 0.88, 0.70), (0.1, 0.5, 0.98)):
                _write(tmp_path, head, seed, top1, val_top1=val, changes={LR: lr})
    table = _table(tmp_path)
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
                _write(tmp_path, head, seed, 0.8, val_top1=val, changes={LR: lr})
    told = [note for note in _table(tmp_path).notes if "a better one may lie beyond" in note]
    assert told == [
        "resnet18: gap is best at the largest lr that was tried, 0.1, for 2 of 2 seeds: a better one may lie beyond."
    ]


def test_a_rate_at_which_training_fails_lies_beyond_the_best(tmp_path: Path) -> None:
    for lr in (0.0001, 0.001, 0.01, 0.1):
        config = cell_config(tmp_path, changes={LR: lr})
        _ = write_failed(config, "diverged") if lr == 0.1 else write_cell(config, val_top1=0.8 + lr)
    assert not any("a better one may lie beyond" in note for note in _table(tmp_path).notes)


@pytest.mark.parametrize("state", ["failed", "waiting"])
def test_a_rate_that_was_computed_in_another_way_is_there(tmp_path: Path, state: str) -> None:
    for lr in (0.01, 0.1):
        for head in ("gap", "wise"):
            _write(tmp_path, head, 0, 0.8, changes={LR: lr})
    again = cell_config(tmp_path, head="wise", changes={LR: 0.1, "trainer.accelerator": "gpu"})
    _ = write_failed(again, "no GPU") if state == "failed" else write_waiting(again)
    table = _table(tmp_path)
    assert table.warnings == ()
    assert not any("lost" in note for note in table.notes)


def test_a_rate_that_failed_was_tried(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for lr in (0.01, 0.1):
            config = cell_config(tmp_path, head=head, changes={LR: lr})
            _ = write_failed(config, "diverged") if (head, lr) == ("wise", 0.1) else write_cell(config)
    table = _table(tmp_path)
    assert table.warnings == ()
    assert any("each seed of a head stands at the best of 2 rates" in note for note in table.notes)


def test_what_is_said_of_all_groups_is_said_once(tmp_path: Path) -> None:
    for backbone in ("a", "b"):
        for lr in (0.01, 0.1):
            for head in ("gap", "wise"):
                _write(tmp_path, head, 0, 0.8, backbone=backbone, changes={LR: lr})
    notes = _table(tmp_path).notes
    assert [note for note in notes if "chosen on validation" in note] == [
        "In all rows: each seed of a head stands at the best of 2 rates, chosen on validation (top-1, then loss)."
    ]


def test_ties_between_rates_go_to_the_lower_loss_and_then_to_the_smaller_rate(tmp_path: Path) -> None:
    for lr in (0.1, 0.001, 0.01):
        _write(tmp_path, "gap", 0, 0.8, val_top1=0.9, changes={LR: lr})
        _write(tmp_path, "wise", 0, 0.8, val_top1=0.9, changes={LR: lr}, record=_losses(0.1 if lr == 0.01 else 0.2))
    assert {entry.head: entry.rate for entry in _table(tmp_path).entries} == {
        "gap": "lr=0.001 (1 seed)",
        "wise": "lr=0.01 (1 seed)",
    }


def _losses(loss: float) -> dict[str, Any]:
    best = {"epoch": 3, "val/loss": loss, "val/top1": 0.9, "test/loss": 0.5}
    best |= {"test/top1": 0.8, "test/macro_f1": 0.8, "test/ece": 0.05}
    return {"metrics": {"best": best, "last": best}}


def test_heads_at_different_rates_stand_in_red(tmp_path: Path) -> None:
    _write(tmp_path, "gap", 0, 0.8, changes={LR: 0.1})
    _write(tmp_path, "wise", 0, 0.9, changes={LR: 0.01})
    table = _table(tmp_path)
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
    table = _table(tmp_path)
    (warning,) = table.warnings
    assert "wise has no finished cell at lr=0.1 for seed 1, so its best rate is provisional" in warning
    assert any("gap failed at lr=0.1 for seed 0; that rate counts as lost there" in note for note in table.notes)


def test_rates_chosen_on_the_test_images_stand_in_red(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for lr in (0.01, 0.1):
            _write(tmp_path, head, 0, 0.8, changes={LR: lr, "protocol": "paper"})
    table = _table(tmp_path)
    assert (table.key, table.title) == ("toy-64-paper", "toy, 64 px, protocol=paper")
    assert any("chosen on the test images themselves" in warning for warning in table.warnings)
    assert any("highest that any epoch had on the test images" in note for note in table.notes)


def test_one_seed_computed_in_two_ways_is_one_seed(tmp_path: Path) -> None:
    for accelerator in ("auto", "cpu"):
        for head in ("gap", "wise"):
            _write(tmp_path, head, 0, 0.8, changes={"trainer.accelerator": accelerator})
    table = _table(tmp_path)
    assert [entry.seeds for entry in table.entries] == [(0,), (0,)]
    assert [left.state for left in table.left_out] == ["done", "done"]
    assert any("computed more than once" in warning for warning in table.warnings)


def test_published_figures_stand_beside_the_head_of_their_name(tmp_path: Path) -> None:
    """A variant is the published head only where its settings are those of conf/head."""
    published = tmp_path / "published.csv"
    published.write_text(
        "dataset,resolution,backbone,head,top1\ntoy,64,resnet18,gap,91.5\ntoy,64,resnet18,wise,93.5\ntoy,112,resnet18,wise,95\n"
    )
    _write(tmp_path, "gap", 0, 0.8)
    for dropout in (0.0, 0.5):
        changes = {"head": {"name": "wise", **load_option("head", "wise"), "dropout": dropout}}
        _write(tmp_path, "wise", 0, 0.8, changes=changes)
    entries = _entries(_table(tmp_path, published=published))
    assert {label: entry.published for label, entry in entries.items()} == {
        "resnet18 gap": 91.5,
        "resnet18 wise dropout=0": 93.5,
        "resnet18 wise dropout=0.5": None,
    }


def test_a_changed_head_is_not_the_published_one(tmp_path: Path) -> None:
    """Also where all its cells are changed in the same way, so that nothing of it is told."""
    published = tmp_path / "published.csv"
    published.write_text("dataset,resolution,backbone,head,top1\ntoy,64,resnet18,gap,91.5\ntoy,64,resnet18,wise,93.5\n")
    _write(tmp_path, "gap", 0, 0.8)
    _write(tmp_path, "wise", 0, 0.8, changes={"head.pre_pool": 3})
    entries = _entries(_table(tmp_path, published=published))
    assert {label: entry.published for label, entry in entries.items()} == {"resnet18 gap": 91.5, "resnet18 wise": None}


def test_what_tables_share_and_what_is_pooled_is_noted(tmp_path: Path) -> None:
    for name, epochs in (("a", 3), ("b", 9)):
        _write(tmp_path / name, "gap", 0, 0.8, dataset=name, epochs=epochs, study=name)
    first, second = read_study([tmp_path / "a", tmp_path / "b"]).tables
    assert first.notes == ("All cells of this table have recipe.epochs=3; other tables differ in that.", *first.notes[1:])
    assert "recipe.epochs=9" in second.notes[0]
    _write(tmp_path / "c", "gap", 1, 0.8, dataset="a", study="trial")
    first = read_study([tmp_path / "a", tmp_path / "c"]).tables[0]
    assert any("2 studies are reported together: a (1), trial (1)" in note for note in first.notes)


def _simulated(like: ReportCell, random: np.random.Generator, *, groups: int, seeds: int, rates: int) -> list[ReportCell]:
    """Three heads without an effect, on 359 test images; a seed moves all heads, a rate moves validation and test apart."""
    cells = []
    for group in range(groups):
        test, val = random.normal(0, 0.008, (2, rates)) if rates > 1 else np.zeros((2, 1))
        for seed in range(seeds):
            common = random.normal(0, 0.006)
            for head in ("gap", "wise", "depthwise"):
                for rate in range(rates):
                    drawn = 0.9 + common + test[rate] + random.normal(0, 0.006), 0.9 + val[rate] + random.normal(0, 0.006)
                    cells.append(_cell(like, (f"b{group:04}", head, rate if rates > 1 else None, seed), *drawn))
    return cells


def _cell(like: ReportCell, where: tuple[str, str, int | None, int], top1: float, val_top1: float) -> ReportCell:
    backbone, head, rate, seed = where
    assert like.record is not None
    record = copy.copy(dict(like.record))
    right = float(np.float32(round(min(top1, 1.0) * 359) / 359))
    record["metrics"] = {"best": {**record["metrics"]["best"], "test/top1": right, "val/top1": min(val_top1, 1.0)}}
    place = like.place._replace(backbone=backbone, head=head, seed=seed, rate="" if rate is None else f"lr={rate}")
    return like._replace(name=str(where), record=record, place=place)


def _marked_groups(like: ReportCell, random: np.random.Generator, **how: int) -> tuple[int, int]:
    """Groups, and how many of them have a mark, on the way that records take."""
    cells = _simulated(like, random, **how)
    (table,) = compare(cells, baseline="gap", published={}, common={table_of(like.place): ""})
    groups = table.groups().values()
    assert all(len(group) == 3 and len(group[0].cells) == how["seeds"] for group in groups)
    marked = sum(any(one.difference is not None and one.difference.significant for one in group) for group in groups)
    return len(groups), marked


@pytest.mark.parametrize(("seeds", "rates"), [(3, 1), (5, 4)])
def test_groups_without_an_effect_are_rarely_marked(tmp_path: Path, seeds: int, rates: int) -> None:
    """Within the 99 % bound of 5 %, also where rates have an effect and heads stand at different ones."""
    _write(tmp_path, "gap", 0, 0.9)
    (like,) = read_study([tmp_path]).cells
    groups, marked = _marked_groups(like, np.random.default_rng(seeds), groups=100 // rates, seeds=seeds, rates=rates)
    assert marked <= stats.binom.ppf(0.99, groups, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("rates", [1, 4])
def test_many_groups_without_an_effect_are_rarely_marked(tmp_path: Path, seeds: int, rates: int) -> None:
    _write(tmp_path, "gap", 0, 0.9)
    (like,) = read_study([tmp_path]).cells
    groups = marked = 0
    for draw in range(6):
        found = _marked_groups(like, np.random.default_rng([seeds, rates, draw]), groups=150, seeds=seeds, rates=rates)
        groups, marked = groups + found[0], marked + found[1]
    assert marked <= stats.binom.ppf(0.99, groups, 0.05)
