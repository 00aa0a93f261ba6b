"""How often a report is wrong, on simulated studies whose truth is known: stars, verdicts, intervals and power.

A hundred studies of each kind; the slow ones, and `benchmarks/levels.py`, draw more. Bounds are those that a right procedure
passes with a probability of 99 %; seeds are fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from tests.support.simulated import Design, Simulated, finished_cell, simulated
from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.claims.declared import Claim
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.claims.measures import MEASURES
from wisesr.report.difference import Difference
from wisesr.report.study import ReportCell

STUDIES = 100
ONE = Design(heads=("wise",), of_row=0.3)
SEEDS_ALONE = Design(of_head=0.0)
IMAGES_TOO = Design(of_head=1.2, of_seed=0.3)


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> ReportCell:
    return finished_cell(tmp_path_factory.mktemp("simulated"))


def most(studies: int, share: float = 0.05) -> int:
    """How many may be wrong of so many that are wrong with this probability."""
    return int(stats.binom.ppf(0.99, studies, share))


def least(studies: int, share: float) -> int:
    return int(stats.binom.ppf(0.01, studies, share))


def claim(name: str = "gain", **how: object) -> Claim:
    given = Claim(name, "{head}", "wise", "gap", MEASURES["top1"], "higher", "", "all", None)
    return given._replace(**how)  # type: ignore[arg-type]


def differences(studies: Simulated, head: str = "wise") -> list[Difference]:
    """Of a head, in each table."""
    own = [entry.difference for table in studies.tables for entry in table.entries if entry.head == head]
    return [difference for difference in own if difference is not None]


def starred(studies: Simulated) -> int:
    """Studies with a star anywhere."""
    own = {
        table.entries[0].cells[0].place.study
        for table in studies.tables
        for entry in table.entries
        if entry.difference is not None and entry.difference.significant
    }
    return len(own)


def answers(blocks: Sequence[ClaimBlock]) -> list[Answer]:
    return [answer for block in blocks for answer in block.answers]


def judged(blocks: Sequence[ClaimBlock], *verdicts: Verdict) -> int:
    """Studies with one of these verdicts on any claim."""
    return sum(any(answer.verdict in verdicts for answer in block.answers) for block in blocks)


def covering(found: Sequence[Answer], truth: float) -> int:
    return sum(answer.found is not None and answer.found.low <= truth <= answer.found.high for answer in found)


EQUAL = [
    pytest.param(replace(SEEDS_ALONE, seeds=3), id="seeds alone, 3"),
    pytest.param(SEEDS_ALONE, id="seeds alone, 5"),
    pytest.param(replace(IMAGES_TOO, seeds=10), id="heads differ on these images, 10 seeds"),
    pytest.param(Design(backbones=2, seeds=3), id="both, two backbones, 3 seeds"),
    pytest.param(Design(rates=4, images=200), id="both, the best of four rates, 5 seeds"),
]


@pytest.mark.parametrize("design", EQUAL)
def test_stars_where_all_heads_are_equal(like: ReportCell, design: Design) -> None:
    studies = simulated(like, design, STUDIES, seed=1)
    assert len(studies.tables) == STUDIES and {table.tests for table in studies.tables} == {2 * design.backbones}
    assert starred(studies) <= most(STUDIES)


def test_stars_over_a_grid_of_tables(like: ReportCell) -> None:
    """The family is the study: here of 4 tables with 12 comparisons, where Holm over rows marks one study in six."""
    design = Design(heads=("wise", "depthwise", "flatten"), datasets=2, sizes=(224, 512), images=150, seeds=3, of_head=0.0)
    studies = simulated(like, design, 60, seed=2)
    assert {table.tests for table in studies.tables} == {12}
    assert starred(studies) <= most(60)


def test_a_paired_t_alone_takes_these_images_for_all(like: ReportCell) -> None:
    """What the interval over images is for: the paired t would mark far more than it may."""
    found = differences(simulated(like, replace(IMAGES_TOO, heads=("wise",), seeds=10), STUDIES, seed=3))
    assert sum(one.paired is not None and one.paired.p < 0.05 for one in found) > most(STUDIES, 0.15)
    assert sum(one.crossed is not None and one.crossed.p < 0.05 for one in found) <= most(STUDIES)


FAMILY = (
    claim(),
    claim("depthwise", head="depthwise"),
    claim("overfitting", measure=MEASURES["overfitting"], expected="lower"),
    claim("size", slope="size"),
)


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(replace(IMAGES_TOO, sizes=(128, 256), images=200), id="one row, fixed"),
        pytest.param(Design(backbones=3, sizes=(128, 256), seeds=3, images=200, between_backbones=2.0), id="three backbones"),
        pytest.param(Design(backbones=3, datasets=3, seeds=3, images=100, between_datasets=2.0), id="three datasets"),
    ],
)
def test_claims_where_all_heads_are_equal(like: ReportCell, design: Design) -> None:
    """Over a population of rows: a gain of two points on one dataset and a loss on another is none."""
    studies = 40 if design.backbones > 1 else STUDIES
    blocks = simulated(like, design, studies, seed=4).answered(*FAMILY)
    assert {block.tests for block in blocks} == {len(FAMILY) - (len(design.sizes) == 1)}
    assert judged(blocks, Verdict.SUPPORTED, Verdict.CONTRADICTED) <= most(studies)


def test_slopes_along_classes_where_there_is_none(like: ReportCell) -> None:
    """Heads differ, and as much with ten classes as with five."""
    design = replace(ONE, classes=(5, 10), gains={"wise": 3.0})
    blocks = simulated(like, design, STUDIES, seed=5).answered(claim(slope="classes"))
    assert judged(blocks, Verdict.SUPPORTED, Verdict.CONTRADICTED) <= most(STUDIES)
    assert covering(answers(blocks), 0.0) >= least(STUDIES, 0.95)


def test_rows_of_one_seed_are_a_sample_of_rows(like: ReportCell) -> None:
    blocks = simulated(like, replace(ONE, datasets=5, seeds=1, between_rows=1.0), STUDIES, seed=6).answered(claim())
    assert all(answer.pooled.across == ("datasets",) for answer in answers(blocks) if answer.pooled)
    assert judged(blocks, Verdict.SUPPORTED, Verdict.CONTRADICTED) <= most(STUDIES)


def test_a_difference_of_the_margin_is_not_called_equivalent(like: ReportCell) -> None:
    """Three claims, all of them just at the margin of a point; the study is precise enough to call them equal if they were."""
    heads = ("wise", "depthwise", "flatten")
    design = Design(heads=heads, images=1500, of_head=0.2, of_seed=0.2, gains=dict.fromkeys(heads, 1.0))
    claims = [claim(head, head=head) for head in heads]
    blocks = simulated(like, design, STUDIES, seed=7).answered(*claims)
    assert judged(blocks, Verdict.EQUIVALENT) <= most(STUDIES)
    same = simulated(like, replace(design, gains={}, images=6000, seeds=10), 10, seed=7).answered(*claims, margin=2.0)
    assert judged(same, Verdict.EQUIVALENT) == 10


@pytest.mark.parametrize("gain", [0.0, 4.0])
def test_intervals_of_a_row_cover_what_is_true(like: ReportCell, gain: float) -> None:
    """Over seeds and images; beside the paired t's, which covers less as it is narrower."""
    found = differences(simulated(like, replace(ONE, gains={"wise": gain}), STUDIES, seed=8))
    ends = [(one.low, one.high) for one in found]
    assert sum(low is not None and high is not None and low <= gain <= high for low, high in ends) >= least(STUDIES, 0.95)
    paired = [one.paired.ends for one in found if one.paired]
    assert np.mean([high - low for low, high in ends if low is not None and high is not None]) > np.mean(np.diff(paired))


@pytest.mark.parametrize(
    ("design", "across"),
    [
        pytest.param(replace(ONE, datasets=4, between_rows=2.0), ("datasets",), id="four datasets"),
        pytest.param(replace(ONE, backbones=4, between_backbones=2.0, sizes=(128, 256)), ("backbones",), id="four backbones"),
        pytest.param(replace(ONE, backbones=2, datasets=2), (), id="two backbones on two datasets"),
    ],
)
def test_pooled_intervals_cover_the_mean_over_a_population(like: ReportCell, design: Design, across: tuple[str, ...]) -> None:
    """The estimand of rows that are a sample is the mean over all rows like them, not that of the rows at hand."""
    design = replace(design, gains={"wise": 3.0}, images=300, seeds=3)
    found = answers(simulated(like, design, 60, seed=9).answered(claim()))
    assert {answer.pooled.across for answer in found if answer.pooled} == {across}
    assert covering(found, 3.0) >= least(60, 0.95)


def test_slope_intervals_cover_the_slope(like: ReportCell) -> None:
    design = replace(ONE, sizes=(128, 256, 512), per_size=2.0, of_row=0.0)
    found = answers(simulated(like, design, STUDIES, seed=10).answered(claim(slope="size")))
    assert covering(found, 2.0) >= least(STUDIES, 0.95)


def test_a_detectable_difference_is_found(like: ReportCell) -> None:
    """In 80 % of studies, if it is the only comparison: what the page says of studies where nothing is true, on average."""
    pilot = differences(simulated(like, replace(ONE, images=800), STUDIES, seed=11))
    detectable = float(np.sqrt(np.mean([one.detectable**2 for one in pilot if one.detectable])))
    found = differences(simulated(like, replace(ONE, images=800, gains={"wise": detectable}), STUDIES, seed=12))
    assert least(STUDIES, 0.75) <= sum(one.significant for one in found) <= most(STUDIES, 0.85)


def test_four_points_are_found(like: ReportCell) -> None:
    """With five seeds that are .6 points apart (of which the answers to images are .58), in a table of five heads."""
    heads = ("wise", "depthwise", "depthwise_nonneg", "flatten", "gem")
    studies = simulated(like, Design(heads=heads, images=3000, of_seed=0.15, gains={"wise": 4.0}), 30, seed=13)
    spread = [entry.std**2 for table in studies.tables for entry in table.entries if entry.std is not None]
    assert np.sqrt(np.mean(spread)) == pytest.approx(0.6, abs=0.03)
    assert sum(one.significant for one in differences(studies)) >= least(30, 0.95)
    assert sum(one.significant for head in heads[1:] for one in differences(studies, head)) <= most(30)


def test_a_claim_over_rows_finds_four_points(like: ReportCell) -> None:
    """What a large grid is for: its claims put rows together, while each of its stars is one of very many."""
    blocks = simulated(like, replace(ONE, backbones=4, gains={"wise": 4.0}, images=1340), 30, seed=14).answered(*FAMILY[::2])
    assert sum(block.answers[0].verdict is Verdict.SUPPORTED for block in blocks) >= least(30, 0.95)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("design", [SEEDS_ALONE, IMAGES_TOO, Design(rates=4), Design(backbones=3)])
def test_stars_over_many_studies(like: ReportCell, design: Design, seeds: int) -> None:
    many = 1000 // design.backbones
    assert starred(simulated(like, replace(design, seeds=seeds), many, seed=20)) <= most(many)


@pytest.mark.slow
@pytest.mark.parametrize("between", [0.0, 1.0, 3.0])
@pytest.mark.parametrize(("backbones", "datasets"), [(1, 1), (3, 1), (5, 2), (1, 3), (3, 3)])
def test_claims_over_many_studies(like: ReportCell, backbones: int, datasets: int, between: float) -> None:
    """Rows of one dataset have its effect in common, those of one backbone its own."""
    design = replace(ONE, backbones=backbones, datasets=datasets, seeds=3, images=200)
    if datasets >= 3:
        design = replace(design, between_datasets=between)
    if backbones >= 3:
        design = replace(design, between_backbones=between)
    many = 400
    blocks = simulated(like, design, many, seed=21).answered(claim())
    assert judged(blocks, Verdict.SUPPORTED, Verdict.CONTRADICTED) <= most(many)
    assert covering(answers(blocks), 0.0) >= 0.93 * many
