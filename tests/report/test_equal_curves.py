"""Heads whose true curves are equal and whose values move unequally from epoch to epoch: neither faster, nor better."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console
from scipy import stats

from tests.support.simulated import Design, Simulated, finished_cell, simulated
from tests.support.studies import cell_config, write_cell
from wisesr.report import curve_pairs, last_epochs
from wisesr.report.claims.declared import Claim
from wisesr.report.claims.judge import Verdict
from wisesr.report.claims.measures import MEASURES
from wisesr.report.difference import Difference
from wisesr.report.page.document import render_page
from wisesr.report.read import read_study
from wisesr.report.scores import Scores
from wisesr.report.tables.markdown import markdown
from wisesr.report.tables.terminal import print_study
from wisesr.report.whole_study import Study

Curve = NDArray[np.float64]
STUDIES, EPOCHS, IMAGES = 60, 200, 1340
TRUE = 0.8 * (1 - np.exp(-np.arange(EPOCHS) / 15))
NOISE = 0.004
"""From epoch to epoch, of the head that moves less; a share."""
FASTER = Claim("convergence", "", "wise", "gap", MEASURES["epochs"], "lower", "", "all", 10.0)


@pytest.fixture(scope="module")
def equal(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """One row a study, without curves."""
    like = finished_cell(tmp_path_factory.mktemp("simulated"))
    place = like.place._replace(protocol="paper")
    return simulated(like._replace(place=place), Design(heads=("wise",), images=2), STUDIES, seed=1)


def drawn(equal: Simulated, times: float) -> dict[str, Curve]:
    """A curve of each cell, by name: those of `wise` move so many times as much as those of `gap`."""
    random = np.random.default_rng(3)
    noise = {"gap": NOISE * max(1.0, 1 / times), "wise": NOISE * max(1.0, times)}
    values = {cell.name: TRUE + random.normal(0, noise[cell.place.head], EPOCHS) for cell in equal.cells}
    return {name: np.round(np.clip(curve, 0, 1) * IMAGES) / IMAGES for name, curve in values.items()}


def curves_of(equal: Simulated, monkeypatch: pytest.MonkeyPatch, curves: Mapping[str, Curve]) -> Simulated:
    """Studies whose cells have these curves, and as their figure the highest, as under protocol=paper.

    The images that are right are nested, so that other images would hardly change a difference: they save nobody here.
    """
    directories = {cell.directory: curves[cell.name] for cell in equal.cells}

    def rows(directory: Path) -> list[dict[str, float]]:
        return [{"epoch": number, "val/top1": value} for number, value in enumerate(directories[directory], start=1)]

    def curve(cell: object) -> dict[int, float]:
        return dict(enumerate((100 * directories[cell.directory]).tolist(), start=1))  # type: ignore[attr-defined]

    monkeypatch.setattr(last_epochs, "readable_metrics", rows)
    monkeypatch.setattr(curve_pairs, "read_validation_curve", curve)
    cells, known = [], {}
    for cell in equal.cells:
        top1 = curves[cell.name].max()
        record = cell.finished_record
        best = replace(record.best, test_top1=float(np.float32(top1)), row={**record.best.row, "test/top1": top1})
        cells.append(cell._replace(record=replace(record, best=best)))
        right = np.arange(IMAGES) < round(top1 * IMAGES)
        known[cell.name] = Scores(cell.place.study, 100 * right.astype(np.float32), 5)
    return Simulated(tuple(cells), known)


@pytest.mark.parametrize("times", [0.5, 1.0, 2.0, 3.0])
def test_a_head_that_moves_more_is_not_called_faster(equal: Simulated, monkeypatch: pytest.MonkeyPatch, times: float) -> None:
    """By its best value it would be, in 99.95 % of studies at twice the noise."""
    curves = drawn(equal, times)
    if times >= 2:
        assert naively_faster(equal, curves) > 0.95 * STUDIES
    blocks = curves_of(equal, monkeypatch, curves).answered(FASTER)
    verdicts = [answer.verdict for block in blocks for answer in block.answers]
    assert len(verdicts) == STUDIES and Verdict.UNANSWERED not in verdicts
    assert sum(verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED) for verdict in verdicts) <= stats.binom.ppf(
        0.99, STUDIES, 0.05
    )


def naively_faster(equal: Simulated, curves: Mapping[str, Curve]) -> int:
    """Studies in which `wise` reaches the best of `gap` before `gap` does, in the median over seeds."""
    first: dict[tuple[str, str], list[float]] = {}
    for cell in equal.cells:
        study = cell.place.study
        gap = next(
            other
            for other in equal.cells
            if (other.place.study, other.place.seed, other.place.head) == (study, cell.place.seed, "gap")
        )
        there = curves[cell.name] >= curves[gap.name].max()
        first.setdefault((study, cell.place.head), []).append(there.argmax() if there.any() else np.inf)
    return sum(np.median(first[study, "wise"]) < np.median(first[study, "gap"]) for study in {study for study, _ in first})


def test_a_head_that_moves_more_gets_no_star_for_its_maximum(equal: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three times the noise: its maximum is two points higher, with a star in all studies; the last epochs say nothing."""
    studies = curves_of(equal, monkeypatch, drawn(equal, 3.0))
    found = [entry.difference for table in studies.tables for entry in table.entries if entry.difference is not None]
    assert len(found) == STUDIES and np.mean([one.mean for one in found]) > 1.5
    naive = [one for one in found if one.paired is not None and one.paired.p < 0.05 and one.crossed and one.crossed.p < 0.05]
    assert len(naive) > 0.95 * STUDIES
    assert sum(one.significant for one in found) <= stats.binom.ppf(0.99, STUDIES, 0.05)
    assert all("no star" in one.note for one in naive if not one.significant)


def test_a_head_that_is_better_to_the_end_has_its_star(equal: Simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    curves = drawn(equal, 1.0)
    better = {cell.name: curves[cell.name] + 0.04 * (cell.place.head == "wise") for cell in equal.cells}
    studies = curves_of(equal, monkeypatch, better)
    assert all(one.significant for one in differences(studies))


def differences(studies: Simulated) -> list[Difference]:
    return [entry.difference for table in studies.tables for entry in table.entries if entry.difference is not None]


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Five seeds of two heads: the maxima of one are higher in the middle of training, the ends are the same."""
    root = tmp_path_factory.mktemp("paper")
    random = np.random.default_rng(0)
    for head, peak in (("gap", 0.0), ("wise", 0.2)):
        for seed in range(5):
            curve = np.round(50 * (0.6 + 0.02 * random.integers(0, 2, 20))) / 50
            curve[10] += peak
            config = cell_config(root, head=head, seed=seed, epochs=20, changes={"protocol": "paper"})
            write_cell(config, top1=float(curve.max()), curve=curve.tolist(), draw=1)
    return read_study([root])


def test_the_caveat_of_a_maximum_stands_wherever_the_figure_does(paper: Study) -> None:
    (difference,) = (entry.difference for entry in paper.tables[0].entries if entry.difference is not None)
    assert difference.mean > 15 and difference.paired is not None and difference.paired.p < 0.001
    assert not difference.significant and "no star" in difference.note
    console = Console(width=160, file=io.StringIO())
    print_study(paper, console)
    assert isinstance(console.file, io.StringIO)
    terminal = console.file.getvalue()
    page = re.sub(r"<[^>]*>", "", render_page(paper, (), made="", command="", script=""))
    for text in (terminal, markdown(paper), page):
        plain = " ".join(text.replace("\\", "").split())
        assert "each figure is the highest that any epoch had on the test images" in plain
        assert "mean over the last epochs" in plain
        assert "not significant at 5 %" in plain or text is not terminal
        assert difference.note in plain or text is terminal, "which has no remarks"


def test_claims_under_the_protocol_are_of_the_last_epochs(paper: Study) -> None:
    (answer,) = (answer for block in paper.claims for answer in block.answers if answer.claim.name == "gain")
    assert answer.found is not None and abs(answer.found.mean) < 3
    assert answer.verdict is Verdict.INCONCLUSIVE
