"""Heads over the datasets of a study: what is a block, who is ranked, what is said, and when there is no ranking."""

from __future__ import annotations

import io
import statistics
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.compared import write
from tests.support.ranked import Result, like_cell, study_of
from wisesr.report.figures import all_figures
from wisesr.report.page.document import render_page
from wisesr.report.ranking import rankings
from wisesr.report.read import read_study
from wisesr.report.study import LastEpochs, ReportCell
from wisesr.report.tables.markdown import markdown
from wisesr.report.tables.ranking_sentences import caption, notes, verdict
from wisesr.report.tables.terminal import print_study
from wisesr.report.tested_metrics import METRICS
from wisesr.report.whole_study import Study

NAMES = [f"set{number}" for number in range(10)]


@pytest.fixture(scope="module")
def like(tmp_path_factory: pytest.TempPathFactory) -> ReportCell:
    return like_cell(tmp_path_factory.mktemp("ranked"))


def _ahead(datasets: int, **how: int | str) -> list[Result]:
    """Wise ahead of gap ahead of depthwise, everywhere."""
    points = {"gap": 0.0, "wise": 2.0, "depthwise": -1.0}
    return [
        Result(name, head, 50 + at + more, **how)  # type: ignore[arg-type]
        for at, name in enumerate(NAMES[:datasets])
        for head, more in points.items()
    ]


def _everywhere(study: Study) -> dict[str, str]:
    printed = io.StringIO()
    print_study(study, Console(file=printed, width=10_000))
    page = render_page(study, all_figures(study, ()), made="now", command="wisesr report", script="")
    return {"terminal": printed.getvalue(), "markdown": markdown(study), "page": page}


@pytest.mark.parametrize("datasets", [2, 5])
def test_fewer_than_six_datasets_are_refused_with_the_reason(like: ReportCell, datasets: int) -> None:
    study = study_of(like, _ahead(datasets))
    (ranking,) = rankings(study)
    assert ranking.refused and not ranking.pairs and ranking.friedman is None
    said = verdict(ranking)
    assert f"2/{2**datasets} = {2 / 2**datasets:g}" in said and said.endswith("6 datasets are the least.")
    texts = _everywhere(study)
    assert said in texts["markdown"].replace("\\", "") and said.replace("'", "&#39;") in texts["page"]
    assert said not in texts["terminal"]
    assert not [figure for figure in all_figures(study, ()) if figure.section == "ranks"]


def test_of_one_dataset_nothing_is_said(like: ReportCell) -> None:
    study = study_of(like, [*_ahead(1), *_ahead(1, size=128)])
    assert rankings(study) == ()
    assert all("ranked" not in text and "Mean rank" not in text for text in _everywhere(study).values())


def test_a_head_that_is_always_ahead_is_said_to_be_everywhere(like: ReportCell) -> None:
    study = study_of(like, _ahead(8))
    (ranking,) = rankings(study)
    assert [(head.head, head.rank) for head in ranking.heads] == [("wise", 1.0), ("gap", 2.0), ("depthwise", 3.0)]
    assert len(ranking.apart) == 3 and ranking.bars == ()
    assert "wise is ahead of gap on 8 of 8" in verdict(ranking)
    texts = _everywhere(study)
    assert "wise is ahead of gap on 8 of 8" in texts["terminal"]
    assert "| wise | 1.00 | 55.50 |" in texts["markdown"]
    assert "| wise | gap | 8 | 0 | 0.008 | 0.023\\* |" in texts["markdown"]
    assert 'id="ranks-1"' in texts["page"] and 'href="#ranks-1"' in texts["page"]
    (figure,) = [figure for figure in all_figures(study, ()) if figure.section == "ranks"]
    assert caption(ranking) == figure.caption


def test_too_few_datasets_for_so_many_heads_are_said_to_be(like: ReportCell) -> None:
    (ranking,) = rankings(study_of(like, _ahead(6)))
    assert not ranking.refused and not ranking.apart and ranking.bars == ((0, 1, 2),)
    for text in (verdict(ranking), caption(ranking)):
        assert "None could: with 6 datasets and 3 pairs, p after Holm is 0.094 or more; 3 heads need 7 datasets." in text


def test_a_low_metric_may_be_the_better_one(like: ReportCell) -> None:
    (ranking,) = rankings(study_of(like, _ahead(8), METRICS["nll"]))
    assert [head.head for head in ranking.heads] == ["depthwise", "gap", "wise"]
    assert {(pair.higher, pair.lower) for pair in ranking.pairs} == {(8, 0)}


def test_a_value_is_the_mean_over_shared_seeds_then_over_shared_backbones(like: ReportCell) -> None:
    results = _ahead(7)
    results += [Result("set0", "gap", 80.0, seed) for seed in (1, 2)] + [Result("set0", "wise", 70.0, 1)]
    results += [Result("set0", "depthwise", 60.0, 1)]
    results += [Result("set0", head, 10.0, backbone="resnet50") for head in ("gap", "wise", "depthwise")]
    results += [Result("set0", head, 99.0, backbone="resnet34") for head in ("gap", "wise")]
    (ranking,) = rankings(study_of(like, results))
    values = dict(zip(ranking.of.heads, ranking.of.values[0], strict=True))
    wanted = {"gap": (50, 80), "wise": (52, 70), "depthwise": (49, 60)}
    assert values == pytest.approx({head: statistics.mean([statistics.mean(both), 10]) for head, both in wanted.items()})


def test_splits_and_sizes_of_a_dataset_are_no_further_datasets(like: ReportCell) -> None:
    """Of three splits of each of two datasets there are two blocks; of several sizes each is ranked by itself."""
    splits = [result for split in range(3) for result in _ahead(2, split_seed=split)]
    (ranking,) = rankings(study_of(like, splits))
    assert ranking.of.datasets == ("set0", "set1") and ranking.refused
    by_size = rankings(study_of(like, [*_ahead(7), *_ahead(4, size=128), *_ahead(1, size=256)]))
    assert [(one.key, one.sizes, len(one.of.datasets)) for one in by_size] == [("ranks-64", (64,), 7), ("ranks-128", (128,), 4)]
    own = [result._replace(size=64 + int(result.dataset[-1])) for result in _ahead(7)]
    (ranking,) = rankings(study_of(like, own))
    assert ranking.title == "Heads over datasets, each at its own size" and len(ranking.of.datasets) == 7


def test_protocols_are_not_mixed(like: ReportCell) -> None:
    study = study_of(like, [*_ahead(7), *_ahead(6, protocol="paper")])
    held, paper = rankings(study)
    assert (held.protocol, len(held.of.datasets), paper.protocol, len(paper.of.datasets)) == ("holdout", 7, "paper", 6)
    assert "protocol=paper" in verdict(paper) and "ranked by the mean over the last epochs" in notes(paper)[-1]
    assert len({figure.key for figure in all_figures(study, ()) if figure.section == "ranks"}) == 2


def test_heads_and_datasets_that_are_not_in_the_ranking_are_named(like: ReportCell) -> None:
    results = [*_ahead(7), Result("set0", "gem", 60.0), Result("alone", "gap", 50.0)]
    results += [Result("odd", head, 50.0, seed) for seed, head in enumerate(("gap", "wise", "depthwise"))]
    (ranking,) = rankings(study_of(like, results))
    assert ranking.of.datasets == tuple(NAMES[:7])
    text = " ".join(notes(ranking))
    assert "gem is not on odd, set1, set2, set3 and 3 more" in text
    assert "Left out: odd, as no backbone there has all ranked heads with a seed in common." in text
    assert "alone" not in text


def test_no_two_heads_on_all_datasets_are_told(like: ReportCell) -> None:
    results = _ahead(3) + [Result("other", head, 50.0) for head in ("gem", "max")]
    study = study_of(like, results)
    (ranking,) = rankings(study)
    assert (
        verdict(ranking) == "Heads are not ranked over 4 datasets (other, set0, set1, set2): no two heads are on all of them."
    )
    assert _everywhere(study)


def test_heads_that_mean_something_else_elsewhere_are_named(like: ReportCell) -> None:
    study = study_of(like, _ahead(7))
    changed = study.tables[0].entries[0]
    cells = tuple(
        cell._replace(config={**cell.config, "head": {**cell.config["head"], "dropout": 0.5}}) for cell in changed.cells
    )
    first = study.tables[0]._replace(entries=(changed._replace(cells=cells), *study.tables[0].entries[1:]))
    (ranking,) = rankings(study._replace(tables=(first, *study.tables[1:])))
    assert f"Not of the same settings on all datasets: {changed.head} (dropout)." in notes(ranking)


def test_equal_heads_are_nowhere_apart(like: ReportCell) -> None:
    results = [result._replace(top1=50.0) for result in _ahead(8)]
    study = study_of(like, results)
    (ranking,) = rankings(study)
    assert {head.rank for head in ranking.heads} == {2.0} and ranking.friedman is None and not ranking.apart
    assert "All heads are equal on every dataset." in caption(ranking)
    assert _everywhere(study)


def test_no_pair_is_apart_where_friedmans_test_leaves_all_open(like: ReportCell) -> None:
    (ranking,) = rankings(study_of(like, _ahead(8)))
    assert ranking.friedman is not None
    open_ranking = ranking._replace(friedman=ranking.friedman._replace(p=0.2))
    assert open_ranking.apart == () and open_ranking.bars == ((0, 1, 2),)
    assert "leaves open whether any heads do" in verdict(open_ranking)
    assert "no pair is said to" in caption(open_ranking)


def test_pairs_without_a_bar_and_without_a_difference_are_named(like: ReportCell) -> None:
    """The middle one of three differs from the first; the outer two do not differ, though no bar can join them."""
    (ranking,) = rankings(study_of(like, _ahead(8)))
    pairs = tuple(pair._replace(p_holm=0.01 if (pair.first, pair.second) == (0, 1) else 0.5) for pair in ranking.pairs)
    odd = ranking._replace(pairs=pairs)
    assert odd.bars == ((1, 2),)
    assert "No bar, and yet no difference, as a head between them differs from one of them: wise and depthwise." in caption(odd)


def test_a_page_from_disk_has_the_section(tmp_path: Path) -> None:
    """Through read_study, with names that datasets have there."""
    for dataset in ("one", "two"):
        for head in ("gap", "wise"):
            write(tmp_path, head, 0, 0.6, dataset=dataset)
    (ranking,) = rankings(read_study([tmp_path]))
    assert ranking.of.datasets == ("one", "two") and ranking.refused


def test_under_protocol_paper_the_last_epochs_are_ranked(like: ReportCell) -> None:
    """The maxima say the opposite: wise moves more from epoch to epoch."""
    study = study_of(like, _ahead(7, protocol="paper"))
    last = {"gap": 48.0, "wise": 40.0, "depthwise": 45.0}
    tables = [
        table._replace(
            entries=tuple(
                entry._replace(last=LastEpochs(last[entry.head], None, 3, (last[entry.head],))) for entry in table.entries
            )
        )
        for table in study.tables
    ]
    (ranking,) = rankings(study._replace(tables=tuple(tables)))
    assert [head.head for head in ranking.heads] == ["gap", "depthwise", "wise"]
    assert "by test top-1 of the last epochs" in caption(ranking)
    unread = [table._replace(entries=tuple(entry._replace(last=None) for entry in table.entries)) for table in tables[:1]]
    (ranking,) = rankings(study._replace(tables=(*unread, *tables[1:])))
    assert ranking.of.without_row == ("set0",) and any("curves that can be read" in note for note in notes(ranking))


def test_heads_that_are_one_computation_are_ranked_once(like: ReportCell) -> None:
    twin = [result._replace(head="a twin", twin_of="wise") for result in _ahead(8) if result.head == "wise"]
    (ranking,) = rankings(study_of(like, [*_ahead(8), *twin]))
    assert [(head.head, head.rank) for head in ranking.heads] == [("a twin", 1.0), ("gap", 2.0), ("depthwise", 3.0)]
    assert "One computation everywhere, and ranked once: a twin and wise." in notes(ranking)
    (ranking,) = rankings(study_of(like, [*_ahead(8), *(twin[:-1]), twin[-1]._replace(top1=90.0)]))
    assert [(head.head, head.rank) for head in ranking.heads[:2]] == [("a twin", 1.4375), ("wise", 1.5625)]
