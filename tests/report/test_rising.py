"""The fit that never falls and when it reaches a level, against brute force and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wisesr.statistics.rising import first_reached, highest_stretch, rising_fit


@pytest.mark.parametrize("seed", range(20))
def test_the_fit_is_the_max_min_of_means(seed: int) -> None:
    """The closed form of isotonic regression, over all stretches: max over starts of min over ends of the mean between."""
    random = np.random.default_rng(seed)
    values = list(random.integers(0, 6, random.integers(1, 14)).astype(float))  # ties, too
    number = len(values)
    wanted = [
        max(min(float(np.mean(values[start : end + 1])) for end in range(at, number)) for start in range(at + 1))
        for at in range(number)
    ]
    assert rising_fit(values) == pytest.approx(wanted)


def test_the_highest_stretch_against_all_stretches() -> None:
    values = [float(value) for value in np.random.default_rng(0).normal(size=30)]
    mean, end = highest_stretch(values, 7)
    assert mean == pytest.approx(max(np.mean(values[start : start + 7]) for start in range(24)))
    assert mean == pytest.approx(np.mean(values[end - 7 : end]))
    assert highest_stretch([1.0, 3.0], 5) == (2.0, 2)


@pytest.mark.parametrize("tau", [3.0, 10.0, 15.0])
def test_a_curve_without_noise_is_there_when_its_formula_says(tau: float) -> None:
    epochs = range(1, 201)
    values = [80 * (1 - math.exp(-epoch / tau)) for epoch in epochs]
    assert first_reached(76.0, epochs, values, 20) == pytest.approx(tau * math.log(20), abs=0.02)


def test_a_late_decline_changes_nothing() -> None:
    rising = [80 * (1 - math.exp(-epoch / 5)) for epoch in range(1, 41)]
    values = [*rising, *(80.0 - epoch for epoch in range(40))]
    both = [first_reached(70.0, range(1, len(own) + 1), own, 4) for own in (rising, values)]
    assert both[0] == pytest.approx(both[1])


def test_lucky_epochs_are_no_level() -> None:
    values = [10.0, 90.0, 10.0, 10.0, 90.0, 10.0, 10.0]
    assert first_reached(50.0, range(1, 8), values, 3) is None
    early = [10.0, 90.0, 10.0, 10.0, 10.0, 80.0, 80.0, 80.0]
    assert first_reached(50.0, range(1, 9), early, 3) == pytest.approx(5 + (50 - 30) / (80 - 30))


def test_what_is_there_at_once_is_there_with_its_first_epoch() -> None:
    assert first_reached(50.0, [3, 4, 5], [60.0, 70.0, 80.0], 3) == 3.0


def test_epochs_that_are_missing_are_crossed_between_their_neighbours() -> None:
    assert first_reached(50.0, [1, 2, 6, 7], [0.0, 40.0, 60.0, 60.0], 2) == pytest.approx(4.0)
