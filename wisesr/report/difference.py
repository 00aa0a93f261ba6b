"""How far a head is from its baseline, and what of that was tested."""

from __future__ import annotations

from typing import Literal, NamedTuple

from wisesr.statistics.families import LEVEL
from wisesr.statistics.intervals import Estimate


class Difference(NamedTuple):
    """An entry's figure minus the baseline's, same backbone and settings; of top-1 in points."""

    kind: Literal["seeds", "images"]
    """seeds: over paired seeds and test images, a statement about the heads. images: between one or two pairs of trained
    models over the test images; it says nothing about the heads."""
    seeds: tuple[int, ...]
    """That both have."""
    mean: float
    """Over these seeds."""
    low: float | None = None
    """95 % interval, not corrected for the number of comparisons: for other seeds and other images (kind seeds; for other
    seeds alone where there is no `crossed`), or for other images (kind images). None where there is none."""
    high: float | None = None
    paired: Estimate | None = None
    """For other seeds on these very images: Student's paired t; None where all differences are equal."""
    crossed: Estimate | None = None
    """For other seeds and other images: `statistics.crossed`; None where predictions cannot be had."""
    last: Estimate | None = None
    """Under protocol=paper: of the mean over the last epochs, for other seeds."""
    p: float | None = None
    """The largest p-value of `paired`, `crossed` and `last`: a star needs all of them. None where nothing is tested."""
    p_holm: float | None = None
    """After Holm over all such tests of the study."""
    detectable: float | None = None
    """The true difference that would get a star with a probability of 0.8, if no other comparison had any; points."""
    partial: bool = False
    """Whether either head has seeds that the other lacks, so that this is not the difference of their means."""
    note: str = ""
    """Empty where there is nothing to say."""
    replicated: bool = False
    """Whether test images differ between replicates or folds."""
    resampled: Estimate | None = None
    """In place of `paired` and `crossed` where test images differ between replicates or folds: the corrected resampled t."""

    @property
    def significant(self) -> bool:
        """At 5 %, after Holm."""
        return self.p_holm is not None and self.p_holm < LEVEL

    @property
    def needed(self) -> tuple[Estimate, ...]:
        """The estimates all of which must speak for a star."""
        return tuple(estimate for estimate in (self.paired, self.crossed, self.resampled, self.last) if estimate is not None)
