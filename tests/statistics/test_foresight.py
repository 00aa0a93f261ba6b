"""What a comparison will find, against studies that are drawn and tested as the report tests them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from wisesr.statistics.crossed import crossed
from wisesr.statistics.families import LEVEL
from wisesr.statistics.foresight import Design, Spread, detectable
from wisesr.statistics.intervals import Estimate, student
from wisesr.statistics.resampled import resampled

STUDIES = 1000
SPREAD = Spread(unlike=0.10, lasting=0.3, trainings=0.6)


def drawn(random: np.random.Generator, design: Design, spread: Spread, gain: float) -> NDArray[np.float64]:
    """(repetitions, images): 100 where only the head is right, -100 where only the baseline is, else 0.

    A part of the unlike images is so in all repetitions, with one sign; the others are drawn anew in each.
    """
    shape = (design.repetitions, design.images)
    share, toward = spread.unlike, gain / (100 * spread.unlike)
    lasting = random.random(shape[1]) < share * spread.lasting
    if design.tested_over_trained is not None:
        lasting = random.random(shape) < share * spread.lasting
    new = (random.random(shape) < share * (1 - spread.lasting) / (1 - share * spread.lasting)) & ~lasting
    kept = np.where(random.random(lasting.shape) < (1 + toward) / 2, 1, -1)
    own = random.normal(0, spread.trainings, (shape[0], 1)) / (100 * share * (1 - spread.lasting))
    changing = np.where(random.random(shape) < (1 + toward + own) / 2, 1, -1)
    return 100.0 * np.where(lasting, kept, np.where(new, changing, 0))


def is_found(table: NDArray[np.float64], design: Design) -> bool:
    """Whether it gets a star: `report.differences`, `report.stars`."""
    differences = table.mean(axis=1).tolist()
    tests: list[Estimate | None] = [student(differences), crossed(differences, table)]
    if design.tested_over_trained is not None:
        tests = [resampled(differences, design.tested_over_trained)]
    return all(one is not None and one.mean > 0 and one.p < LEVEL / design.tests for one in tests)


@pytest.mark.parametrize(
    ("design", "lowest", "highest"),
    [
        (Design(5, 600, 1, None), 0.75, 0.85),
        (Design(4, 2000, 3, None), 0.75, 0.85),
        # Replicates drawn here share no images, so that their mean is surer than the corrected test takes it to be.
        (Design(8, 600, 3, 0.25), 0.75, 0.9),
    ],
)
def test_it_is_found_in_eight_studies_of_ten(design: Design, lowest: float, highest: float) -> None:
    gain = detectable(design, SPREAD)
    assert gain is not None
    random = np.random.default_rng(7)
    found = [is_found(drawn(random, design, SPREAD, gain), design) for _ in range(STUDIES)]
    assert lowest < np.mean(found) < highest


def test_more_of_anything_finds_smaller_differences() -> None:
    base = Design(5, 400, 3, None)
    known = detectable(base, SPREAD)
    assert known is not None
    for better in (base._replace(repetitions=8), base._replace(images=4000), base._replace(tests=1)):
        found = detectable(better, SPREAD)
        assert found is not None
        assert found < known
    alike = detectable(base, SPREAD._replace(unlike=0.05))
    assert alike is not None
    assert alike < known


def test_no_difference_is_larger_than_the_share_of_unlike_images() -> None:
    assert detectable(Design(3, 100, 1, 0.25), Spread(0.02, 0.3, 0.6)) is None
    assert detectable(Design(5, 100_000, 1, None), Spread(0.02, 0.3, 0.0)) == pytest.approx(0.15, abs=0.1)


def test_with_images_without_end_trainings_are_left() -> None:
    """The paired t over seeds alone: sigma / sqrt(n) times its noncentrality, 2.8 with many seeds."""
    found = detectable(Design(100, 10**9, 1, None), Spread(0.5, 0.3, 2.0))
    assert found == pytest.approx(2.8 * 2.0 / 10, rel=0.02)


def test_heads_that_were_alike_on_all_images_have_no_difference_to_find() -> None:
    assert detectable(Design(5, 600, 1, None), Spread(unlike=0.0, lasting=0.3, trainings=0.0)) is None
