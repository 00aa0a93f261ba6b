"""Replicates and folds in a report: one table, paired by seed and split, held against the corrected resampled t by hand."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.support.compared import data, entries_of, table_of_study, write
from wisesr.report.difference import Difference
from wisesr.report.prediction_analysis import analyse_predictions
from wisesr.report.read import read_study
from wisesr.report.repetitions import SeedAndFold
from wisesr.report.tables.claim_sentences import holds_for
from wisesr.report.tables.sentences import difference_sentences
from wisesr.results.state import State

GAP = [0.70, 0.80, 0.76, 0.72, 0.78]
WISE = [0.78, 0.82, 0.86, 0.80, 0.82]


def digest(number: int) -> str:
    return "0123456789abcdef"[number]


def write_replicate(root: Path, head: str, seed: int, top1: float, *, first: int | None = None, **how: Any) -> Path:
    """A cell of replicate=seed: data of its own, and test images of its own unless `first` says where they begin."""
    changes = {"replicate": seed, "dataset.split_seed": seed, **how.pop("changes", {})}
    first = 50 * seed if first is None else first
    return write(root, head, seed, top1, changes=changes, provenance=data(digest(seed)), first=first, **how)


def write_fold(root: Path, head: str, fold: int, top1: float, *, seed: int = 0, folds: int = 5) -> Path:
    """A fifth of 300 images tested, the rest trained or chosen on."""
    changes = {"dataset.fold": fold, "dataset.folds": folds, "dataset.split_seed": 0}
    own = data(digest(fold))
    own["data"]["images"] = {"train": 216, "test": 60, "val": 24}
    return write(root, head, seed, top1, changes=changes, provenance=own, images=60, first=60 * fold)


def difference_of(root: Path, head: str = "resnet18 wise") -> Difference:
    difference = entries_of(table_of_study(root))[head].difference
    assert difference is not None
    return difference


def by_hand(first: list[float], second: list[float], ratio: float) -> tuple[float, float, float]:
    """Ends of the interval and p of Nadeau and Bengio's t."""
    differences = 100 * (np.array(first) - second)
    error = math.sqrt((1 / len(differences) + ratio) * differences.var(ddof=1))
    freedom, mean = len(differences) - 1, differences.mean()
    low, high = stats.t.interval(0.95, freedom, mean, error)
    return low, high, 2 * stats.t.sf(abs(mean) / error, freedom)


def test_replicates_are_one_entry_with_the_corrected_t(tmp_path: Path) -> None:
    for seed in range(5):
        write_replicate(tmp_path, "gap", seed, GAP[seed])
        write_replicate(tmp_path, "wise", seed, WISE[seed])
    table = table_of_study(tmp_path)
    assert table.title == "toy, 64 px" and not table.left_out
    difference = difference_of(tmp_path)
    assert difference.seeds == (0, 1, 2, 3, 4)
    assert (difference.low, difference.high, difference.p) == pytest.approx(by_hand(WISE, GAP, 50 / 330), rel=1e-4)
    assert difference.paired is None and difference.crossed is None and difference.detectable is not None
    assert difference.note == "test images differ between replicates: corrected resampled t"
    assert "Seeds are replicates: each of the 5 has a split of its own, drawn with the seed's number." in table.notes
    told = " ".join(difference_sentences(table))
    assert "paired by replicate or fold" in told and "the test rejects" in told and "both tests" not in told


def test_folds_are_one_entry_too(tmp_path: Path) -> None:
    gap, wise = ([round(60 * top1) / 60 for top1 in figures] for figures in (GAP, WISE))
    for fold in range(5):
        write_fold(tmp_path, "gap", fold, gap[fold])
        write_fold(tmp_path, "wise", fold, wise[fold])
    difference = difference_of(tmp_path)
    assert (difference.low, difference.high, difference.p) == pytest.approx(by_hand(wise, gap, 1 / 4), rel=1e-4)
    table = table_of_study(tmp_path)
    assert [str(seed) for seed in table.entries[0].seeds] == [f"0 fold {fold}" for fold in range(5)]
    assert "Seeds are folds: each tests one of 5 parts of the images; 5 of the 5 are here." in table.notes
    assert table.entries[0].cells[2].place.label == "resnet18 gap seed 0 fold 2"


def test_folds_of_several_seeds_are_paired_by_both(tmp_path: Path) -> None:
    for seed in range(2):
        for fold in range(5):
            write_fold(tmp_path, "gap", fold, 0.7, seed=seed)
            if (seed, fold) != (1, 3):
                write_fold(tmp_path, "wise", fold, 0.7 + 0.05 * seed + 0.05 * fold, seed=seed)
    table = table_of_study(tmp_path)
    entry = entries_of(table)["resnet18 wise"]
    assert len(entry.cells) == 9 and entry.difference is not None
    assert "over the 9 seeds that both have" in entry.difference.note
    assert entry.values[:2] == pytest.approx((70, 75), abs=0.9)
    assert [cell.name for cell in table.left_out] == ["resnet18 wise seed 1 fold 3"]


@pytest.mark.parametrize("own", [True, False])
def test_two_replicates_say_nothing_of_heads(tmp_path: Path, own: bool) -> None:
    """And the way to more of them is no seed, which would contradict them."""
    for seed in range(2):
        write_replicate(tmp_path, "gap", seed, GAP[seed], first=None if own else 0)
        write_replicate(tmp_path, "wise", seed, WISE[seed], first=None if own else 0)
    (block,) = read_study([tmp_path]).claims
    assert "no row has three replicates with this figure of both heads (replicate=0,1,2,3,4 gives" in block.answers[0].why
    if own:
        difference = difference_of(tmp_path)
        assert (difference.kind, difference.low, difference.p) == ("images", None, None)
        assert difference.note == "no interval: test images differ between replicates"


def test_where_the_dataset_brings_its_test_split_images_are_crossed_as_ever(tmp_path: Path) -> None:
    """Training and val split move; all replicates are measured on the same images."""
    for seed in range(5):
        write_replicate(tmp_path, "gap", seed, GAP[seed], first=0)
        write_replicate(tmp_path, "wise", seed, WISE[seed], first=0)
    difference = difference_of(tmp_path)
    assert difference.resampled is None and difference.crossed is not None and difference.note == ""


def test_a_replicate_of_other_data_is_left_out_of_its_pair(tmp_path: Path) -> None:
    for seed in range(4):
        write_replicate(tmp_path, "gap", seed, GAP[seed])
        write_replicate(tmp_path, "depthwise", seed, GAP[seed] + 0.02)
        write_replicate(tmp_path, "wise", seed, WISE[seed])
    changed = {"replicate": 4, "dataset.split_seed": 4}
    for head, fingerprint in (("gap", "4"), ("depthwise", "4"), ("wise", "f")):
        write(tmp_path, head, 4, 0.8, changes=changed, provenance=data(fingerprint), first=200)
    table = table_of_study(tmp_path)
    (other,) = [cell for cell in table.left_out if cell.state == State.DONE]
    assert other.reason == "other images, labels or splits than the 2 cells of this replicate or fold"
    assert entries_of(table)["resnet18 wise"].seeds == (0, 1, 2, 3)


def test_splits_crossed_with_seeds_are_datasets_of_their_own(tmp_path: Path) -> None:
    for split in range(2):
        for seed in range(3):
            for head in ("gap", "wise"):
                changes = {"dataset.split_seed": split}
                write(
                    tmp_path, head, seed, 0.7 + 0.01 * seed, changes=changes, provenance=data(digest(split)), first=50 * split
                )
    tables = read_study([tmp_path]).tables
    assert [table.title for table in tables] == ["toy split_seed=0, 64 px", "toy split_seed=1, 64 px"]


def test_folds_and_a_split_that_was_drawn_are_two_tables(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.7)
        for fold in range(3):
            write_fold(tmp_path, head, fold, 0.7)
    assert [table.title for table in read_study([tmp_path]).tables] == ["toy fold=each, 64 px", "toy fold=null, 64 px"]


def test_confusions_are_over_all_folds_and_disagreements_on_the_images_of_one(tmp_path: Path) -> None:
    for fold in range(3):
        write_fold(tmp_path, "gap", fold, GAP[fold])
        write_fold(tmp_path, "wise", fold, WISE[fold])
    (analysis,) = analyse_predictions(read_study([tmp_path]))
    assert analysis.unread == ()
    assert [int(matrix.counts.sum()) for matrix in analysis.confusions] == [180, 180]
    assert analysis.disagreements[0].seeds == (SeedAndFold(0, 0, 5),)
    assert analysis.confusion_pairs[0].tested_over_trained == 60 / 240


def test_a_seed_and_a_fold_are_sorted_paired_and_told() -> None:
    cells = [SeedAndFold(seed, fold, 10) for seed in range(3) for fold in range(10)]
    assert all(one < other for one, other in pairwise(cells)) and len(set(cells)) == 30
    assert f"{cells[12]}" == str(cells[12]) == "1 fold 2" and f"{cells[12]:>9}" == " 1 fold 2"


def test_a_claim_over_replicates_has_the_corrected_t_too(tmp_path: Path) -> None:
    for seed in range(5):
        write_replicate(tmp_path, "gap", seed, GAP[seed])
        write_replicate(tmp_path, "wise", seed, WISE[seed])
    file = tmp_path / "claims.yaml"
    file.write_text(
        "- {name: better, claim: '{head} beats {baseline}', head: wise, baseline: gap, measure: top1, expected: higher}\n"
    )
    (block,) = read_study([tmp_path], claims=file).claims
    (answer,) = block.answers
    assert answer.unused == () and answer.found is not None
    low, high, p = by_hand(WISE, GAP, 50 / 330)
    assert (answer.found.low, answer.found.high) == pytest.approx((low, high), rel=1e-4)
    assert answer.p == pytest.approx(p, rel=1e-4)
    assert holds_for(answer).startswith("for other seeds and other test images")
