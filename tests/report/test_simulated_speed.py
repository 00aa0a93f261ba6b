"""Studies in which no head is faster, and some in which one is: how often `speed` says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from tests.support.studies import cell_config, write_cell
from wisesr.report import curve_pairs
from wisesr.report.read import read_study
from wisesr.report.speed import Speed, speed
from wisesr.report.study import ReportCell

Curves = NDArray[np.float64]
"""Top-1 in percent, (heads, seeds, epochs)."""
TAU = 15.0
Truth = Callable[[np.random.Generator, int], Curves]


def exponential(epochs: int, tau: float, decline: float = 0.0, height: float = 80.0) -> Truth:
    at = np.arange(epochs)
    late = decline * np.maximum(0, at - epochs / 2)
    return lambda _, seeds: np.broadcast_to(height * (1 - np.exp(-at / tau)) - late, (2, seeds, epochs))


def of_seeds(random: np.random.Generator, seeds: int) -> Curves:
    """A seed moves plateau and speed of both heads."""
    at, height = np.arange(200), random.normal(80, 2, (seeds, 1))
    curves: Curves = height * (1 - np.exp(-at / (TAU * np.exp(random.normal(0, 0.2, (seeds, 1))))))
    return np.stack([curves, curves])


def of_runs(random: np.random.Generator, seeds: int) -> Curves:
    """Each training has a plateau and a speed of its own."""
    height, tau = random.normal(80, 1, (2, seeds, 1)), TAU * np.exp(random.normal(0, 0.1, (2, seeds, 1)))
    return height * (1 - np.exp(-np.arange(200) / tau))


TRUTHS: dict[str, Truth] = {
    "200 epochs": exponential(200, TAU),
    "30 epochs": exponential(30, 4),
    "late decline": exponential(200, TAU, 0.05),
    "low": exponential(200, TAU, height=20),
    "shared seed effect": of_seeds,
    "own plateaus": of_runs,
}


class Simulation:
    """Speeds of drawn curves, on the way that cells take; only the reading of their files is left out."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, seeds: int, epochs: int) -> None:
        for head in ("gap", "wise"):
            for seed in range(seeds):
                write_cell(cell_config(root, head=head, seed=seed, epochs=epochs))
        (table,) = read_study([root]).tables
        self._baseline, self._head = table.entries
        self._seeds = seeds
        self._curves: Curves = np.empty(0)
        monkeypatch.setattr(curve_pairs, "read_validation_curve", self._curve)

    def draw(self, random: np.random.Generator, curves: Curves, ratio: float) -> Speed:
        """With a noise of 0.4 points from epoch to epoch, and that of the head so many times as large; 1,340 images."""
        noisy = curves + random.normal(0, 0.4, curves.shape) * np.array([1, ratio])[:, None, None]
        self._curves = np.round(noisy * 13.4) / 13.4
        return speed(self._head, self._baseline)

    def _curve(self, cell: ReportCell) -> Mapping[int, float]:
        values = self._curves[int(cell.place.head == "wise"), cell.place.seed]
        return dict(enumerate(values.tolist(), start=1))


def found_by(simulation: Simulation, truth: Truth, seeds: int, ratio: float, draws: int) -> dict[str, int]:
    """How often a head looked faster, slower, better or worse on the way, at two-sided 5 %."""
    random = np.random.default_rng([seeds, int(ratio)])
    counts = dict.fromkeys(("faster", "slower", "above", "below"), 0)
    for _ in range(draws):
        one = simulation.draw(random, truth(random, seeds), ratio)
        assert one.epochs is not None and one.area is not None
        for interval, below, above in ((one.epochs.ratio, "faster", "slower"), (one.area, "below", "above")):
            counts[below] += interval.high is not None and interval.high < 0
            counts[above] += interval.low is not None and interval.low > 0
    return counts


@pytest.mark.parametrize("ratio", [1, pytest.param(2, marks=pytest.mark.slow), 3])
@pytest.mark.parametrize("name", TRUTHS)
def test_heads_of_equal_curves_rarely_look_faster_or_slower(
    name: str, ratio: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the 99.9 % bound of 2.5 % a side, whatever the noise: the old goal called the noisier one faster in 99.95 %."""
    draws = 100
    simulation = Simulation(tmp_path, monkeypatch, 5, 30 if name == "30 epochs" else 200)
    counts = found_by(simulation, TRUTHS[name], 5, ratio, draws)
    assert max(counts.values()) <= stats.binom.ppf(0.999, draws, 0.025)


def test_a_head_that_is_faster_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tau 10 against 15, twice the noise."""

    def truth(random: np.random.Generator, seeds: int) -> Curves:
        return np.concatenate([exponential(200, tau)(random, seeds)[:1] for tau in (TAU, 10.0)])

    counts = found_by(Simulation(tmp_path, monkeypatch, 5, 200), truth, 5, 2, 50)
    assert (counts["faster"], counts["above"]) == (50, 50)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("ratio", [1, 2, 3])
@pytest.mark.parametrize("name", TRUTHS)
def test_in_many_studies_the_level_holds(
    name: str, ratio: int, seeds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = 2000
    simulation = Simulation(tmp_path, monkeypatch, seeds, 30 if name == "30 epochs" else 200)
    counts = found_by(simulation, TRUTHS[name], seeds, ratio, draws)
    print(name, ratio, seeds, {what: 100 * count / draws for what, count in counts.items()})
    for pair in (("faster", "slower"), ("above", "below")):
        assert sum(counts[side] for side in pair) <= stats.binom.ppf(0.999, draws, 0.05)
