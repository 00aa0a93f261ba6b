"""The best after k tried rates: held against every choice of k of them, one by one."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from tests.report.test_figures import rows
from tests.support.compared import LR, losses, table_of_study, write
from tests.support.pages import render
from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.report.figures import all_figures
from wisesr.report.page.blocks import blocks
from wisesr.report.read import read_study
from wisesr.report.tables.latex.tries import tries
from wisesr.report.tables.markdown import markdown
from wisesr.report.tables.tries_table import shown_tries, tries_rows
from wisesr.report.tries import RowTries, table_tries
from wisesr.statistics.best_of import Found, Search, chances

RATES = (0.001, 0.01, 0.1)


def search(found: list[Found], failed: int = 0) -> Search:
    """With its tries in order, as those of `rates` are."""
    ordered = tuple(sorted(found, key=lambda each: -each.val))
    return Search(ordered, frozenset(map(str, range(len(found) + failed))))


@pytest.mark.parametrize(("found", "failed"), [(1, 0), (2, 0), (6, 0), (5, 2), (1, 3), (9, 0)])
def test_it_is_the_mean_over_every_choice(found: int, failed: int) -> None:
    """Validation in steps, so that several are equal; of these the first is chosen, and its test figure taken."""
    random = np.random.default_rng(found)
    own = [
        Found(float(val), float(test))
        for val, test in zip(random.integers(0, 3, found), random.normal(size=found), strict=True)
    ]
    made = search(own, failed)
    for drawn in range(1, found + failed + 1):
        subsets = itertools.combinations([*made.found, *[None] * failed], drawn)
        best = [next((each for each in subset if each is not None), None) for subset in subsets]
        expected = None if None in best else [fmean(value) for value in zip(*(each for each in best if each), strict=True)]
        after = made.after(drawn)
        assert (after is None) == (expected is None) == (drawn <= failed)
        assert after is None or list(after) == pytest.approx(expected)


def test_after_one_try_stands_the_mean_and_after_all_the_best() -> None:
    made = search([Found(81.3, 70.0), Found(80.1, 75.0), Found(17.7, 10.0)])
    assert made.after(1) == pytest.approx((fmean([81.3, 80.1, 17.7]), fmean([70.0, 75.0, 10.0])))
    assert made.after(3) == (81.3, 70.0), "to the bit"
    vals = [made.after(drawn).val for drawn in (1, 2, 3)]  # type: ignore[union-attr]
    assert vals == sorted(vals)
    assert all(sum(chances(7, drawn)) == pytest.approx(1) for drawn in range(1, 8))


def _row(root: Path) -> RowTries:
    (row,) = table_tries(table_of_study(root))
    return row


def test_each_seed_is_searched_by_itself(tmp_path: Path) -> None:
    """Figures drawn at random; expected ones by going through all choices, with the rules of a tie."""
    random = np.random.default_rng(0)
    drawn: dict[tuple[str, int], list[tuple[float, float, float, float]]] = {}
    for head, seed in itertools.product(("gap", "wise"), range(3)):
        for lr in RATES:
            val, loss, top1 = random.choice([0.7, 0.8, 0.9]), random.choice([0.1, 0.2]), random.integers(20, 50) / 50
            write(tmp_path, head, seed, top1, val_top1=val, record=losses(loss), changes={LR: lr})
            drawn.setdefault((head, seed), []).append((-val, loss, lr, top1))
    row = _row(tmp_path)
    assert row.last == 3 and row.notes == ()
    for line in row.curves:
        assert line.val.epochs == line.test.epochs == (1, 2, 3)
        for size in (1, 2, 3):
            best = {
                seed: [min(subset) for subset in itertools.combinations(drawn[line.entry.head, seed], size)]
                for seed in range(3)
            }
            vals = [100 * fmean(-each[0] for each in own) for own in best.values()]
            tests = [100 * fmean(each[3] for each in own) for own in best.values()]
            for curve, values in ((line.val, vals), (line.test, tests)):
                assert curve.mean[size - 1] == pytest.approx(fmean(values), abs=1e-4)
                assert curve.high[size - 1] - curve.mean[size - 1] == pytest.approx(np.std(values, ddof=1), abs=1e-4)
        assert line.test.mean[-1] == pytest.approx(line.entry.mean), "after all, the figure of the table"
    gap, wise = row.curves
    assert wise.less(gap, 3) == pytest.approx(wise.entry.mean - gap.entry.mean)


def _uneven(root: Path) -> Path:
    """Three seeds: gap at two rates, wise at three, of which one fails with a seed and one is not finished with another."""
    for head, seed, lr in itertools.product(("gap", "wise", "max"), range(3), RATES):
        config = cell_config(root, head=head, seed=seed, changes={LR: lr})
        if (head == "gap" and lr == 0.1) or (head == "max" and lr != 0.01):
            continue
        if (head, seed, lr) == ("wise", 0, 0.1):
            write_failed(config, "diverged: the loss is NaN")
        elif (head, seed, lr) == ("wise", 1, 0.1):
            write_waiting(config)
        else:
            write_cell(config, top1=0.8, val_top1=0.8 - lr)
    return root


def test_curves_end_where_a_head_has_no_more_tries_and_say_what_they_lack(tmp_path: Path) -> None:
    row = _row(_uneven(tmp_path))
    assert [line.entry.head for line in row.curves] == ["gap", "wise"] and row.last == 2
    gap, wise = row.curves
    assert gap.val.epochs == (1, 2) and wise.val.epochs == (2,), "a seed of wise may have tried nothing but what failed"
    assert wise.val.seeds == (0, 2) and wise.less(gap, 1) is None
    assert row.notes == (
        "Provisional: 1 training at other rates not finished yet (1 of wise).",
        "wise: seed 1 left out, tried at fewer than 3 rates.",
        "Tried at one rate, and without a curve: max.",
        "Curves end at 2 tries, as gap has no more; tried further: wise at 3.",
        "Not all were tried at the same rates: after few tries, a head that was tried only near its best stands higher.",
        "A training that failed is a try that found nothing; a curve begins where every choice of rates has a model: "
        "wise at 2.",
    )
    table = table_of_study(tmp_path)
    assert table.warnings[0] == (
        "resnet18: wise was tried at 3 rates, gap at 2, max at 1: more tries find more, and a difference may be one of tries."
    )
    values = {(made.head, made.figure): made.values for made in tries_rows(table, row)}
    assert values["wise", "validation"][0] is None and values["wise", "less gap"] == (None, 0.0)


def test_a_seed_with_more_rates_of_one_head_than_of_another_is_told(tmp_path: Path) -> None:
    for head, seed, lr in itertools.product(("gap", "wise"), range(3), RATES):
        if (head, lr) != ("gap", 0.1) or seed == 0:
            write(tmp_path, head, seed, 0.8, changes={LR: lr})
    warning, provisional = table_of_study(tmp_path).warnings
    assert warning.startswith("resnet18: with seeds 1, 2 wise was tried at 3 rates, gap at 2: more tries find more")
    assert "gap has no finished cell at lr=0.1 for seeds 1, 2" in provisional
    assert _row(tmp_path).notes == ("gap: seeds 1, 2 left out, tried at fewer than 3 rates.",), "nothing is to be waited for"


def test_page_tables_and_figure_show_the_same(tmp_path: Path) -> None:
    for head, seed, (index, lr) in itertools.product(("gap", "wise"), range(3), enumerate(RATES)):
        top1 = 0.5 + 0.1 * index + 0.02 * seed + 0.04 * (head == "wise")
        write(tmp_path, head, seed, top1, val_top1=top1 + 0.01, changes={LR: lr})
    study = read_study([tmp_path])
    (figure,) = (figure for figure in all_figures(study, ()) if figure.section == "tries")
    assert (figure.key, figure.group, figure.head) == ("toy-64-tries-resnet18", "resnet18", "")
    left, right = figure.spec["hconcat"]
    means = [[row["mean"] for row in rows(panel) if row["head"] == "wise"] for panel in (left, right)]
    assert means == [[67.0, 73.67, 77.0], [66.0, 72.67, 76.0]]
    text = markdown(study)
    assert "| wise | validation | 67.00 | 73.67 | 77.00 |" in text and "| wise | less gap | +4.00 | +4.00 | +4.00 |" in text
    latex = tries(study.tables[0])
    assert latex is not None and "less gap & +4.00 & +4.00 & +4.00" in latex and "top-1,\\,\\%" in latex.replace(", ", ",\\,")
    assert [block.group for block in blocks(study, ()) if block.section == "tries"] == ["resnet18"]
    page = render(tmp_path, files={"tables/toy-64.tex": "a", "tables/toy-64-tries.tex": "b"})
    section = page[page.index('id="table-toy-64-tries"') :]
    assert re.search(r"<td>less gap</td>(<td class=\"number\">\+4\.00</td>){3}", section)
    assert section.count("of the tried rates</button>") == 1


def test_figures_of_the_test_images_stand_alone_where_these_chose(tmp_path: Path) -> None:
    for head, lr in itertools.product(("gap", "wise"), RATES):
        write(tmp_path, head, 0, 0.8 - lr, changes={LR: lr, "protocol": "paper"})
    study = read_study([tmp_path])
    (figure,) = (figure for figure in all_figures(study, ()) if figure.section == "tries")
    assert "hconcat" not in figure.spec and "which the test images chose too" in figure.caption
    (row,) = table_tries(study.tables[0])
    assert {made.figure for made in tries_rows(study.tables[0], row)} == {"test", "less gap"}
    latex = tries(study.tables[0])
    assert latex is not None and "validation chose" not in latex and "validation top-1" not in latex


def test_one_rate_for_all_has_nothing_of_it(tmp_path: Path) -> None:
    for head in ("gap", "wise"):
        write(tmp_path, head, 0, 0.8)
    write(tmp_path, "wise", 1, 0.8, changes={LR: 0.1})  # another seed at another rate is no second try of a seed
    study = read_study([tmp_path])
    assert list(table_tries(study.tables[0])) == [] and tries(study.tables[0]) is None
    assert not [figure for figure in all_figures(study, ()) if figure.section == "tries"]
    assert "tried rates" not in markdown(study)


def test_at_most_seven_columns_for_64_tries(tmp_path: Path) -> None:
    for last in range(1, 65):
        shown = shown_tries(RowTries((), last, ()))
        assert shown[0] == 1 and shown[-1] == last and list(shown) == sorted(set(shown)) and len(shown) <= 7
        assert last > 6 or len(shown) == last
