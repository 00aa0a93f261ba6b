"""The corrected resampled t: differences over replicates or folds whose test images differ, and whose training images overlap.

Replicates draw from one pool of images: their training splits share most images, and their test splits some, so their
differences are not independent, and a paired t over them takes their mean for surer than it is. Nadeau & Bengio 2003
(Machine Learning 52:239-281, section 5.1) estimate the correlation of two replicates by the share of the images that are
tested, which makes the variance of the mean (1/n + tested/trained) times that of a difference instead of 1/n. Of k folds
tested/trained is 1/(k - 1), and of r repetitions of k folds n is r k (Bouckaert & Frank 2004, PAKDD, LNCS 3056:3-12).

The interval is for replicates drawn from other images of the same kind, so seeds and test images are both in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from wisesr.statistics.intervals import Estimate, student


def over_repetitions(differences: Sequence[float], tested_over_trained: float | None) -> Estimate | None:
    """A mean difference for other repetitions; None where all differences are equal.

    Args:
        differences: of each repetition, at least two, any unit.
        tested_over_trained: as of `resampled`, of replicates and folds; None of seeds, which share their test images.
    """
    return student(differences) if tested_over_trained is None else resampled(differences, tested_over_trained)


def resampled(differences: Sequence[float], tested_over_trained: float) -> Estimate | None:
    """A mean difference over replicates or folds; None where all differences are equal.

    More replicates do not make the error as small as one likes: it stays above sqrt(tested/trained) deviations.

    Args:
        differences: of each replicate or fold, at least two, any unit.
        tested_over_trained: test images of a replicate, divided by those that its model was made from (trained and chosen on);
            above 0.
    """
    if not tested_over_trained > 0:
        raise ValueError(f"tested_over_trained must be above 0, not {tested_over_trained}")
    plain = student(differences)
    if plain is None:
        return None
    return plain._replace(variance=plain.variance * variance_factor(len(differences), tested_over_trained))


def variance_factor(count: int, tested_over_trained: float) -> float:
    """By how much the variance of a mean over so many replicates or folds is larger than if they were independent."""
    return 1 + count * tested_over_trained
