"""Claims: which rows answer them, and what is said of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.compared import write
from tests.support.configs import composed
from tests.support.simulated import Design, Simulated, finished_cell, simulated
from tests.support.studies import write_cell
from wisesr.report.claims.answer import ClaimBlock, answer_claims
from wisesr.report.claims.declared import Claim
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.claims.matching import candidates
from wisesr.report.claims.measures import MEASURES
from wisesr.report.claims.parts import sizes
from wisesr.report.claims.pooled import pooled
from wisesr.report.claims.rows import ClaimRow
from wisesr.report.pairs import Pairs
from wisesr.report.read import read_study
from wisesr.report.scores import ScoreReader
from wisesr.report.study import ReportCell
from wisesr.report.tables.claim_block_sentences import family, headline
from wisesr.report.tables.claim_sentences import estimate_text, holds_for, remark, verdict_text
from wisesr.report.tables.claims_grid import claims_grid
from wisesr.report.tested_metrics import METRICS
from wisesr.statistics.intervals import Estimate

GAIN = Claim("gain", "wise has a higher test top-1 than gap", "wise", "gap", MEASURES["top1"], "higher", "", "all", None)
_USUAL = ("backbone=resnet18", "recipe=quick", "augment=none", "trainer=auto", "logger=none", "study=study")
FASTER = GAIN._replace(name="faster", text="wise is faster", measure=MEASURES["epochs"], expected="lower")


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> ReportCell:
    return finished_cell(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two backbones, two sizes, two settings of one of them; one row lacks a head. Then one dataset of 5 and 10 classes."""
    root = tmp_path_factory.mktemp("grid")
    for size in (64, 128):
        for epochs in (3, 4) if size == 64 else (3,):
            for head in ("gap", "wise"):
                write(root, head, 0, 0.8, size=size, epochs=epochs)
    write(root, "gap", 0, 0.8, backbone="resnet34")
    for head in ("gap", "wise"):
        write(root, head, 0, 0.8, backbone="resnet34", size=128)
    return root


def test_rows_are_those_that_have_both_heads(grid: Path) -> None:
    study, scoring = read_study([grid]), ScoreReader()
    found = candidates(GAIN, study.tables, None, scoring)
    assert sorted(row.label for row in found.rows) == [
        "resnet18 recipe.epochs=3, toy 64 px",
        "resnet18 recipe.epochs=4, toy 64 px",
        "resnet18, toy 128 px",
        "resnet34, toy 128 px",
    ]
    assert len(candidates(GAIN, study.tables, 64, scoring).rows) == 2
    assert len(candidates(GAIN._replace(sizes=(128,)), study.tables, None, scoring).rows) == 2
    assert sizes(GAIN._replace(sizes="each"), study.tables) == [64, 128]
    assert "both wise and gem" in candidates(GAIN._replace(baseline="gem"), study.tables, None, scoring).why_not


def test_slopes_along_classes_are_of_one_dataset(tmp_path: Path) -> None:
    """Classes of one dataset that differs in nothing else; of another dataset, nothing is known."""
    for classes in (5, 10):
        for head in ("gap", "wise"):
            given = (f"head={head}", "dataset=layouts", f"dataset.classes={classes}", f"output_dir={tmp_path}", *_USUAL)
            write_cell(composed(*given), classes=classes)
    study, scoring = read_study([tmp_path]), ScoreReader()
    (row,) = candidates(GAIN._replace(slope="classes"), study.tables, None, scoring).rows
    (block,) = answer_claims(study.tables, [GAIN._replace(slope="classes")], scoring, 1.0)
    assert "five rows" in block.answers[0].why  # one seed each
    assert row.label.endswith("layouts at 5, 10 classes")
    assert [place.weight for place in row.places] == pytest.approx([-1.0, 1.0])  # the change with one doubling


def test_classes_are_not_compared_across_other_settings(like: ReportCell) -> None:
    """Five classes with one split and ten with another differ in more than their number."""
    studies = simulated(like, Design(heads=("wise",), classes=(5, 10)), 1, seed=0)
    apart = {"classes=5": "classes=5 split_seed=1", "classes=10": "classes=10 split_seed=2"}
    cells = []
    for cell in studies.cells:
        name, number = cell.place.dataset.split(" ")
        cells.append(cell._replace(place=cell.place._replace(dataset=f"{name} {apart[number]}")))
    same, other = studies.answered(GAIN._replace(slope="classes")), Simulated(tuple(cells), studies.known)
    assert same[0].answers[0].verdict is not Verdict.UNANSWERED
    assert "two numbers of classes" in other.answered(GAIN._replace(slope="classes"))[0].answers[0].why


def test_a_slope_is_that_of_least_squares(like: ReportCell) -> None:
    design = Design(heads=("wise",), sizes=(128, 256, 512), per_size=3.0)
    studies = simulated(like, design, 1, seed=0)
    (answer,) = (one for block in studies.answered(GAIN._replace(slope="size")) for one in block.answers)
    means = [
        entry.difference.mean
        for table in sorted(studies.tables, key=lambda table: table.entries[0].cells[0].place.size)
        for entry in table.entries
        if entry.difference is not None
    ]
    assert answer.found is not None and answer.found.mean == pytest.approx(np.polyfit([7, 8, 9], means, 1)[0], abs=1e-6)


@pytest.mark.parametrize("heads", [("wise", "gap")])
def test_one_computation_is_no_row(tmp_path: Path, heads: tuple[str, str]) -> None:
    """By the seeds that both have: the fourth of gap changes nothing."""
    for head in heads:
        for seed in range(3 + (head == "gap")):
            write(tmp_path, head, seed, 0.8, record={"cost": {"parameters": {"head_parameters": 7}}})
    study = read_study([tmp_path])
    (block,) = answer_claims(study.tables, [GAIN], ScoreReader(), 1.0)
    assert (block.answers[0].verdict, block.answers[0].why) == (Verdict.UNANSWERED, "the two heads are one computation there")


# What is said.


def row(label: str, mean: float, backbone: str = "net0", dataset: str = "data0", **how: object) -> ClaimRow:
    given = ClaimRow(label, backbone, dataset, (0, 1, 2, 3, 4), mean, 0.01, (), Estimate(mean, 0.01, 4))
    return given._replace(**how)  # type: ignore[arg-type]


def answered(
    claim: Claim, rows: Sequence[ClaimRow], monkeypatch: pytest.MonkeyPatch, like: ReportCell, margin: float = 1.0
) -> tuple[ClaimBlock, Answer]:
    """The answer to a claim that has these rows."""
    from wisesr.report.claims import answer as module

    pending = list(rows)
    studies = simulated(like, Design(heads=("wise",), backbones=len(rows), seeds=1, images=5), 1, seed=0)
    monkeypatch.setattr(module, "claim_row", lambda *_: pending.pop(0))
    (block,) = studies.answered(claim, margin=margin)
    return block, block.answers[0]


@pytest.mark.parametrize("bounds", [0, 1])
def test_a_goal_that_was_never_reached_never_supports_faster(
    monkeypatch: pytest.MonkeyPatch, like: ReportCell, bounds: int
) -> None:
    """What is known of such seeds is a lower bound: the truth may be any slower."""
    block, answer = answered(FASTER, [row("net0", -0.5, bounds=bounds)], monkeypatch, like)
    assert answer.verdict is (Verdict.INCONCLUSIVE if bounds else Verdict.SUPPORTED)
    if bounds:
        assert estimate_text(answer).startswith("at least \N{MINUS SIGN}39 % (95 % interval from ")
        assert "lower bound" in remark(answer) and "likely have been found" not in remark(answer)
        grid = claims_grid(block)
        assert grid is not None and any("from" in cell.text and "up" in cell.text for cell in grid.rows[0])


def test_a_lower_bound_may_contradict_faster_and_is_never_equal(monkeypatch: pytest.MonkeyPatch, like: ReportCell) -> None:
    assert answered(FASTER, [row("net0", 0.5, bounds=2)], monkeypatch, like)[1].verdict is Verdict.CONTRADICTED
    near = row("net0", 0.0, bounds=1, estimate=Estimate(0.0, 1e-6, 4))
    assert answered(FASTER, [near], monkeypatch, like)[1].verdict is Verdict.INCONCLUSIVE


def test_bounds_have_no_slope(monkeypatch: pytest.MonkeyPatch, like: ReportCell) -> None:
    studies = simulated(like, Design(heads=("wise",), sizes=(64, 128)), 1, seed=0)
    bound = Pairs((0, 1, 2), (-0.5, -0.4, -0.6), None, "", "", bounds=1)
    measure = MEASURES["epochs"]._replace(pairs=lambda *_: bound)
    (block,) = studies.answered(FASTER._replace(measure=measure, slope="size"))
    assert block.answers[0].verdict is Verdict.UNANSWERED and "no slope" in block.answers[0].why


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([("a", "x")], "for other seeds on these test images, with this backbone and dataset alone"),
        ([("a", "x"), ("b", "x")], "with these backbones and this dataset alone"),
        ([("a", "x"), ("b", "x"), ("c", "x")], "for other backbones like these, other seeds"),
        ([("a", "x"), ("a", "y"), ("a", "z")], "for other datasets like these, other seeds"),
        ([(b, d) for b in "abc" for d in "xyz"], "for other backbones and datasets like these, other seeds"),
        ([(b, d) for b in "abc" for d in "xy"], "other seeds on these test images, with these datasets alone"),
    ],
)
def test_what_an_estimate_speaks_for(
    monkeypatch: pytest.MonkeyPatch, like: ReportCell, names: Sequence[tuple[str, str]], said: str
) -> None:
    """Eleven backbones on one dataset say nothing of other datasets."""
    rows = [row(f"{b} {d}", 1.0 + 0.1 * number, b, d) for number, (b, d) in enumerate(names)]
    _, answer = answered(GAIN, rows, monkeypatch, like)
    assert said in holds_for(answer) and "on these test images" in holds_for(answer)
    one = pooled(rows)
    assert not isinstance(one, str) and (not one.across) == (len({b for b, _ in names}) < 3 > len({d for _, d in names}))


def test_rows_of_one_dataset_are_surer_of_it_than_of_others() -> None:
    """Three datasets with gains of 0, 2 and 4 on five backbones each: fifteen rows are no fifteen datasets."""
    rows = [row(f"{b} {d}", float(mean), b, d) for b in "abcde" for mean, d in zip((0, 2, 4), "xyz", strict=True)]
    one = pooled(rows)
    assert not isinstance(one, str)
    low, high = one.estimate.ends
    assert one.estimate.mean == pytest.approx(2.0)
    assert (low, high) == pytest.approx((2 - 4.303 * 2 / 3**0.5, 2 + 4.303 * 2 / 3**0.5), rel=0.05)


def test_why_nothing_is_tested_is_true() -> None:
    few = row("a", 1.0, estimate=None, seed_variance=None, seeds=(0, 1))
    alike = row("a", 1.0, estimate=None, seed_variance=0.0)
    assert "three seeds" in str(pooled([few]))
    assert "all differences of a row are equal" in str(pooled([alike]))


def test_sentences_begin_with_what_is_known(monkeypatch: pytest.MonkeyPatch, like: ReportCell) -> None:
    block, answer = answered(GAIN, [row("net0", 0.05)], monkeypatch, like, margin=0.2)
    assert headline(block)[0].text.startswith(
        "Inconclusive whether wise has a higher test top-1 than gap: +0.05 points (95 % interval "
    )
    assert f"{answer.detectable:.1f} points or more would likely have been found" in remark(answer)
    block, answer = answered(GAIN, [row("net0", 0.05)], monkeypatch, like, margin=1.0)
    assert verdict_text(answer) == "equivalent within ±1 points"
    assert headline(block)[0].text.startswith("wise and gap are equivalent within ±1 points in test top-1: ")
    block, answer = answered(GAIN, [row("net0", 0.9)], monkeypatch, like, margin=2.0)
    assert (answer.verdict, remark(answer)) == (Verdict.SUPPORTED, "yet within ±2 points")
    block, answer = answered(GAIN, [row("net0", -5.0)], monkeypatch, like)
    assert headline(block)[0].text.startswith("Contradicted: wise has a higher test top-1 than gap, ")
    assert "one claim is tested" in family(block) and "no proof of equality" in family(block)


def test_hardly_more_is_held_against_the_margin(monkeypatch: pytest.MonkeyPatch, like: ReportCell) -> None:
    """5 %: two percent more is less, ten percent more; six may be either, and what would be found is beyond the margin."""
    claim = GAIN._replace(measure=MEASURES["train_ms"], expected="no_higher", margin=5.0)
    for percent, verdict in ((2, Verdict.SUPPORTED), (10, Verdict.CONTRADICTED), (5.05, Verdict.INCONCLUSIVE)):
        mean = float(np.log1p(percent / 100))
        given = row("net0", mean, seed_variance=1e-6)
        block, answer = answered(claim, [given], monkeypatch, like)
        assert answer.verdict is verdict, percent
    assert answer.detectable is not None and answer.detectable > 5.0
    assert "an increase of" in remark(answer) and "as large as the margin where the claim allows that" in family(block)


def test_what_is_counted_has_no_interval(like: ReportCell) -> None:
    claim = GAIN._replace(measure=MEASURES["parameters"], expected="no_higher", margin=5.0)
    (block,) = simulated(like, replace(Design(heads=("wise",)), seeds=1), 1, seed=0).answered(claim)
    grid = claims_grid(block)
    assert grid is not None
    assert [cell.text for cell in grid.rows[0]][3:5] == ["0.0 %", "-"]
    assert block.answers[0].verdict is Verdict.SUPPORTED and family(block).startswith("Nothing is tested")


def test_times_take_no_power_from_what_was_learned(like: ReportCell) -> None:
    """They are a family of their own: a claim beside times has the p and the detectable difference that it has alone."""
    studies = simulated(like, Design(heads=("wise",)), 1, seed=3)
    times = [GAIN._replace(name=name, measure=MEASURES["epochs"]._replace(pairs=_noisy, of_time=True)) for name in "ab"]
    (alone,), (beside,) = studies.answered(GAIN), studies.answered(GAIN, *times)
    first, same = alone.answers[0], beside.answers[0]
    assert (first.p, first.detectable) == (same.p, same.detectable)
    assert beside.tests == 1 and all(answer.p is not None for answer in beside.answers)
    assert "family of their own" in family(beside)


def _noisy(*_: object) -> Pairs:
    return Pairs((0, 1, 2), (-3.0, 0.2, 2.5), None, "", "")


@pytest.mark.parametrize(
    ("mean", "verdict"), [(-0.05, Verdict.SUPPORTED), (-5.0, Verdict.CONTRADICTED), (-1.0, Verdict.INCONCLUSIVE)]
)
def test_no_lower_allows_the_margin(monkeypatch: pytest.MonkeyPatch, like: ReportCell, mean: float, verdict: Verdict) -> None:
    _, answer = answered(GAIN._replace(expected="no_lower"), [row("net0", mean)], monkeypatch, like)
    assert answer.verdict is verdict and "margin 1 points" in remark(answer)


def test_a_margin_is_in_the_unit_of_its_figure(like: ReportCell) -> None:
    """`--margin` is of the tested metric: 0.02 nats are no margin for what is in points."""
    studies = simulated(like, Design(heads=("wise",)), 1, seed=0)
    tables = [table._replace(metric=METRICS["nll"]) for table in studies.tables]
    overfitting = GAIN._replace(name="overfitting", measure=MEASURES["overfitting"])
    (block,) = answer_claims(tables, [GAIN, overfitting], studies.scoring, 0.02)
    assert [answer.margin for answer in block.answers] == [0.02, 1.0]
