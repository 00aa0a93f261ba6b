"""Claims asked in other ways than the paper's: of some sizes, of another metric, of heads without a common seed."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest

from tests.report.test_claims import GAIN, answered, row
from tests.support.compared import write
from tests.support.simulated import Design, finished_cell, simulated
from tests.support.studies import cell_config, write_cell
from wisesr.cli import main
from wisesr.report.claims.answer import answer_claims
from wisesr.report.claims.declared import Claim
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.claims.measures import MEASURES
from wisesr.report.read import read_study
from wisesr.report.scores import ScoreReader
from wisesr.report.study import ReportCell
from wisesr.report.tables.claim_block_sentences import by_reason, unanswered
from wisesr.report.tables.claim_sentences import claim_text, estimand, sample
from wisesr.report.tables.verdict import verdict
from wisesr.report.tested_metrics import metric_of


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> ReportCell:
    return finished_cell(tmp_path_factory.mktemp("simulated"))


def asked(root: Path, *claims: Claim, metric: str = "top1") -> Sequence[Answer]:
    study = read_study([root], metric=metric_of(metric))
    (block,) = answer_claims(study.tables, claims, ScoreReader(metric_of(metric)), 1.0)
    return block.answers


# Sizes.


def test_a_size_that_no_cell_has_is_the_reason(tmp_path: Path) -> None:
    """Both heads are there, at another size: "no row has both" would be wrong."""
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.8, size=64)
    claims = [GAIN._replace(name=slope or "plain", sizes=(7,), slope=slope) for slope in ("", "size", "classes")]
    for answer in asked(tmp_path, *claims):
        assert answer.why == "no cell is of a size that is asked for: finished ones have 64 px"
        assert claim_text(answer).endswith(" at 7 px")


def test_every_claim_keeps_to_its_sizes(like: ReportCell) -> None:
    """Of a slope along classes, too; the sentence names the sizes that are in the estimate."""
    for slope, classes in (("", (5,)), ("classes", (5, 10))):
        design = Design(heads=("wise",), sizes=(64, 128, 256), classes=classes)
        studies = simulated(like, design, 1, seed=0)
        plain = GAIN._replace(slope=slope)
        (block,) = studies.answered(plain._replace(sizes="each"))
        for answer, size in zip(block.answers, (64, 128, 256), strict=True):
            assert {row.sizes for row in answer.rows} == {(size,)}
            assert claim_text(answer).endswith(f" at {size} px") and "and size" not in sample(answer)
        (block,) = studies.answered(plain._replace(sizes=(7, 64, 256)))
        assert {row.sizes for row in block.answers[0].rows} == {(64,), (256,)}
        assert claim_text(block.answers[0]).endswith(" at 64, 256 px")
        assert " rows of backbone, dataset and size" in sample(block.answers[0])


# Other metrics.


@pytest.mark.parametrize("metric", ["top1", "macro_f1", "nll"])
def test_under_protocol_paper_a_claim_is_about_the_metric_of_the_last_epochs(tmp_path: Path, metric: str) -> None:
    """That of metrics.csv, not top-1 by another name."""
    column, scale = {"top1": ("val/top1", 100.0), "macro_f1": ("val/macro_f1", 100.0), "nll": ("val/loss", 1.0)}[metric]
    means: dict[str, list[float]] = {"gap": [], "wise": []}
    for head, top1 in (("gap", 0.7), ("wise", 0.74)):
        for seed in range(3):
            config = cell_config(tmp_path, head=head, seed=seed, changes={"protocol": "paper"})
            cell = write_cell(config, top1=top1 + 0.02 * seed * (head == "wise"))
            with (cell / "metrics.csv").open() as file:
                means[head].append(scale * fmean(float(line[column]) for line in csv.DictReader(file)))
    (answer,) = asked(tmp_path, GAIN, metric=metric)
    assert "mean of the last epochs" in estimand(answer)
    if metric == "nll":  # the loss of these cells is the same for every head
        assert answer.found is None or answer.found.mean == pytest.approx(0.0)
    else:
        assert answer.found is not None and answer.found.mean == pytest.approx(fmean(means["wise"]) - fmean(means["gap"]))


def test_a_metric_that_no_epoch_has_leaves_a_claim_under_protocol_paper_unanswered(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        for seed in range(3):
            config = cell_config(tmp_path, head=head, seed=seed, changes={"protocol": "paper"})
            write_cell(config, top1=0.7 + 0.04 * (head == "wise") + 0.02 * seed)
    (answer,) = asked(tmp_path, GAIN, metric="balanced_accuracy")
    assert (answer.verdict, answer.found) == (Verdict.UNANSWERED, None)
    assert answer.why == "no seed has balanced accuracy of the last epochs in a readable metrics.csv of both heads"


def test_overfitting_is_of_top1_whatever_is_tested(tmp_path: Path) -> None:
    """Its interval, too: losses by image are no accuracies by image."""
    for head, gap in (("gap", 0.1), ("wise", 0.02)):
        for seed in range(3):
            top1 = 0.7 + 0.04 * seed * (head == "wise")
            best = {"train/top1": top1 + gap + 0.01 * seed}
            write_cell(cell_config(tmp_path, head=head, seed=seed), top1=top1, record={"metrics": {"best": best}})
    claim = GAIN._replace(name="overfitting", measure=MEASURES["overfitting"], expected="lower")
    ((usual,), *others) = (asked(tmp_path, claim, metric=name) for name in ("top1", "nll", "balanced_accuracy"))
    assert usual.found is not None
    assert all(answer.found == usual.found for (answer,) in others)


@pytest.mark.parametrize(
    ("expected", "text", "mean", "outcome"),
    [
        ("higher", "wise has a lower test negative log-likelihood than gap", -0.5, Verdict.SUPPORTED),
        ("lower", "wise has a higher test negative log-likelihood than gap", -0.5, Verdict.CONTRADICTED),
        ("lower", "wise has a higher test negative log-likelihood than gap", 0.5, Verdict.SUPPORTED),
        ("no_higher", "wise has a lower test negative log-likelihood than gap", 0.0, Verdict.SUPPORTED),
        ("no_higher", "wise has a lower test negative log-likelihood than gap", 0.5, Verdict.SUPPORTED),
        ("no_higher", "wise has a lower test negative log-likelihood than gap", -0.5, Verdict.CONTRADICTED),
    ],
)
def test_where_lower_is_better_a_claim_and_its_verdict_turn_together(
    monkeypatch: pytest.MonkeyPatch, like: ReportCell, expected: str, text: str, mean: float, outcome: Verdict
) -> None:
    """A claim of top-1 is one of the loss the other way round; hardly better is within the margin, or worse."""
    from wisesr.report.claims import answer as module

    of_loss = MEASURES["top1"]._replace(title="test negative log-likelihood", unit="nats", higher_is_better=False, decimals=4)
    monkeypatch.setattr(module, "of_metric", lambda *_: of_loss)
    word = "lower" if expected == "lower" else "higher"
    claim = GAIN._replace(text=f"wise has a {word} test top-1 than gap", expected=expected, margin=0.1)
    _, answer = answered(claim, [row("net0", mean, seed_variance=1e-6)], monkeypatch, like)
    assert (claim_text(answer), answer.verdict) == (text, outcome)


# Seeds and protocols.


def test_heads_without_a_common_seed_are_told_to_have_none(tmp_path: Path) -> None:
    for seed in range(3):
        write(tmp_path, "gap", seed, 0.8)
        write(tmp_path, "wise", seed + 3, 0.8)
    claims = [GAIN._replace(name=name, measure=MEASURES[name]) for name in MEASURES if name != "epochs"]
    assert {answer.why for answer in asked(tmp_path, *claims)} == {"the two heads share no seed"}
    (table,) = read_study([tmp_path]).tables
    assert verdict(table) == "No head shares a seed with gap: nothing here says whether a head is better or worse."


def test_why_no_comparison_is_tested_is_said_beside(tmp_path: Path) -> None:
    """The terminal has no other remarks."""
    for seed in range(3):
        for head in ("gap", "wise"):
            write(tmp_path, head, seed, 0.8)
    (table,) = read_study([tmp_path]).tables
    assert verdict(table) == "No comparison with gap could be tested: all differences are equal: no test."


def test_each_claim_without_an_answer_is_named_once(tmp_path: Path) -> None:
    for protocol in ("holdout", "paper"):
        write_cell(cell_config(tmp_path, changes={"protocol": protocol}))
    (block,) = read_study([tmp_path]).claims
    every = [name for names in by_reason(unanswered(block)).values() for name in names]
    assert len(every) == len(set(every)) and {name.removesuffix(" (protocol=paper)") for name in every} < set(every)


# Where a publication may lie.


def test_a_publication_lies_outside_of_its_study_and_is_no_place_for_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below the study its copies would be cells of the study; a report in its place would delete them."""
    root, out = tmp_path / "outputs", tmp_path / "for-others"
    write_cell(cell_config(root))
    study = str(root / "study")
    for inside in (f"{study}/pub", f"{tmp_path}/for-others/../outputs/study/a/b"):
        assert main(["report", study, "--no-pictures", "--publish", inside]) == 1
        assert "lies in" in capsys.readouterr().err
    assert main(["report", study, "--publish", str(out)]) == 0
    before = sorted(path for path in out.rglob("*") if path.is_file())
    assert main(["report", str(out), "--publish", str(out)]) == 1
    assert main(["report", str(out), "--no-pictures", "--output", str(out)]) == 1
    assert "is a publication, whose cells would be deleted" in capsys.readouterr().err
    assert sorted(path for path in out.rglob("*") if path.is_file()) == before
