"""Curves of cells and of heads, against loops and cases worked out by hand."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell
from wisesr.report import convergence
from wisesr.report.convergence import curves, read_validation_curve
from wisesr.report.read import read_study
from wisesr.report.whole_study import Study
from wisesr.results.metrics import read_metrics

Curves = dict[str, Sequence[Sequence[float]]]
"""Head to the validation top-1 of its seeds."""


def study(root: Path, heads: Curves, **settings: object) -> Study:
    for head, seeds in heads.items():
        for seed, values in enumerate(seeds):
            config = cell_config(root, head=head, seed=seed, epochs=max(map(len, seeds)))
            write_cell(config, curve=values, **settings)  # type: ignore[arg-type]
    return read_study([root])


def test_a_curve_against_a_loop_over_seeds(tmp_path: Path) -> None:
    seeds = [[0.1, 0.5, 0.6], [0.2, 0.4, 0.8], [0.15, 0.7, 0.65]]
    (one,) = curves(study(tmp_path, {"gap": seeds}).tables[0].entries)
    assert one.epochs == (1, 2, 3)
    assert one.seeds == (0, 1, 2)
    for epoch in range(3):
        values = [100 * seed[epoch] for seed in seeds]
        assert one.mean[epoch] == pytest.approx(statistics.mean(values))
        assert one.low[epoch] == pytest.approx(statistics.mean(values) - statistics.stdev(values))
        assert one.high[epoch] == pytest.approx(statistics.mean(values) + statistics.stdev(values))


def test_two_seeds_have_a_range_and_one_has_no_band(tmp_path: Path) -> None:
    table = study(tmp_path, {"gap": [[0.1, 0.5], [0.3, 0.4]], "wise": [[0.2, 0.6]]}).tables[0]
    gap, wise = curves(table.entries)
    assert (gap.band, wise.band) == ("range", "none")
    assert gap.low == pytest.approx((10, 40))
    assert gap.high == pytest.approx((30, 50))
    assert wise.low == wise.mean == wise.high == pytest.approx((20, 60))


def test_a_curve_ends_where_its_first_seed_ended(tmp_path: Path) -> None:
    (one,) = curves(study(tmp_path, {"gap": [[0.1, 0.2, 0.3, 0.4], [0.1, 0.2], [0.1, 0.2, 0.3]]}).tables[0].entries)
    assert one.epochs == (1, 2)
    assert one.cut


@pytest.mark.parametrize("content", [None, "epoch,val/top1\nx,0.1\n", "epoch,val/top1\n1,0.1,9,9\n", "epoch\n1\n", "", "\x00"])
def test_a_damaged_curve_is_none_and_harms_no_other(content: str | None, tmp_path: Path) -> None:
    found = study(tmp_path, {"gap": [[0.1, 0.5], [0.3, 0.4]]})
    path = found.cells[0].directory / "metrics.csv"
    path.unlink()
    if content is not None:
        path.write_text(content)
    assert read_validation_curve(found.cells[0]) == {}
    (one,) = curves(found.tables[0].entries)
    assert one.seeds == (1,)


def test_figures_that_are_no_numbers_are_left_out(tmp_path: Path) -> None:
    found = study(tmp_path, {"gap": [[0.1, 0.5]]})
    (found.cells[0].directory / "metrics.csv").write_text("epoch,val/top1\n1,nan\n2,0.25\n3,inf\nnan,0.5\n4,\n")
    assert read_validation_curve(found.cells[0]) == {2: 25.0}


def test_a_curve_is_read_once_and_anew_when_its_file_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cell,) = study(tmp_path, {"gap": [[0.1, 0.5]]}).cells
    reads: list[Path] = []
    monkeypatch.setattr(convergence, "read_metrics", lambda directory: reads.append(directory) or read_metrics(directory))
    assert read_validation_curve(cell) == read_validation_curve(cell) == {1: 10.0, 2: 50.0}
    assert len(reads) == 1
    (cell.directory / "metrics.csv").write_text("epoch,val/top1\n1,0.25\n")
    assert read_validation_curve(cell) == {1: 25.0}
