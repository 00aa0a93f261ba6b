"""Before a grid starts: which difference between heads it will be able to find, by the tests that the report will make.

What nobody knows beforehand is assumed, and said to be: on how many images two heads are unlike, and what trainings vary by
themselves. Where pairs of this study are finished, they say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from wisesr.config.axes import leaves
from wisesr.config.replicates import split_moves_with_seed
from wisesr.grid.advice.finished_pairs import Finished, FoundSpread, spread_of
from wisesr.grid.advice.questions import BASELINE
from wisesr.grid.advice.rows import Row
from wisesr.grid.planning.cost import Cost
from wisesr.statistics.foresight import Design, Spread, detectable
from wisesr.wording import count_of

LASTING, TRAININGS, CHOSEN = 0.3, 0.6, 1.0
"""Assumed, as of `Spread`; the last where each repetition chooses its learning rate on few images.

Of three heads and gap on a frozen EfficientNet-Lite0, 8 kinds of SUN's scenes at 112 px, 5 seeds at one rate, 325 test images:
0.2 to 0.5, and 0.4 to 0.7 points. Of replicates there at 128 px, each at the best of three rates: 0.6 to 1.2 points where that
was chosen on 129 images, 0.5 at most where on 324. These heads were unlike on 1 to 2 % of the images, as were heads trained
with the whole network; on 56 photographs of houses these were on 2 to 7 %."""
_FEW = 200
"""Held-out images on which a choice of rates is luck, in part."""
UNLIKE = (0.05, 0.02, 0.10, 0.20)
"""Shares of images that are assumed; the first leads."""
_LEAST = 3
"""Repetitions from which on the report tests heads."""

Costs = Mapping[int, Cost | None]
"""By id of a cell's configuration."""


class _Study(NamedTuple):
    """What a grid's comparisons have in common, and how each row is made."""

    designs: tuple[Design, ...]
    word: str
    """Of its repetitions: seed, replicate, fold."""
    trainings: float
    """As of `Spread`, assumed."""


def effect(rows: Sequence[Row], costs: Costs, finished: Finished) -> str | None:
    """A sentence on the true difference to the baseline that is found in 80 % of such studies; None without such comparisons.

    Args:
        rows: of the command's cells, with what is finished.
        costs: of those that are to run.
        finished: directories of those that are done.
    """
    compared = [row for row in rows if BASELINE in row.names and row.names - {BASELINE}]
    tests = sum(len({member.head for member in row.members if member.config["head"]["name"] != BASELINE}) for row in compared)
    designs = tuple(design for row in compared if (design := _design(row, costs, tests)) is not None)
    if not designs:
        return None
    lucky = any(_chosen_on_few(row, costs) for row in compared)
    study = _Study(designs, _word(compared), CHOSEN if lucky else TRAININGS)
    found = spread_of(compared, finished, Spread(UNLIKE[0], LASTING, study.trainings))
    what = _assumed(study) if found is None else _measured(study, found)
    return f"What it can find in 80 % of such studies: {_given(study)}, {what}"


def _design(row: Row, costs: Costs, tests: int) -> Design | None:
    """How the heads of one row are compared; None where fewer than three repetitions are, or no test images are known."""
    if not split_moves_with_seed(map(leaves, (member.config for member in row.members))) and _splits(row) > 1:
        return None  # each split is a table of its own
    baseline = {member.run for member in row.members if member.config["head"]["name"] == BASELINE}
    shared = [len(row.runs(member) & baseline) for member in row.members if member.config["head"]["name"] != BASELINE]
    known = [cost for member in row.members if (cost := costs.get(id(member.config))) is not None]
    if min(shared) < _LEAST or not known:
        return None
    tested = fmean(cost.test_images for cost in known)
    made_from = fmean(cost.train_images + cost.val_images for cost in known)
    own = len({cost.test_split for cost in known}) > 1
    return Design(min(shared), round(tested), tests, tested / made_from if own else None)


def _chosen_on_few(row: Row, costs: Costs) -> bool:
    """Whether each repetition chooses its learning rate, on few images."""
    held_out = [cost.val_images or cost.test_images for member in row.members if (cost := costs.get(id(member.config)))]
    return len({member.rates for member in row.members}) > 1 and min(held_out, default=0) < _FEW


def _splits(row: Row) -> int:
    return len({member.config["dataset"].get("split_seed", 0) for member in row.members})


def _word(rows: Sequence[Row]) -> str:
    config = rows[0].asked[0].config if rows[0].asked else rows[0].members[0].config
    if config["dataset"].get("fold") is not None:
        return "fold"
    return "seed" if config.get("replicate") is None else "replicate"


def _given(study: _Study) -> str:
    """`with 5 replicates and 324 test images each`."""
    counts = sorted({design.repetitions for design in study.designs})
    images = sorted({design.images for design in study.designs})
    repetitions = count_of(counts[0], study.word) if len(counts) == 1 else f"{counts[0]} to {count_of(counts[-1], study.word)}"
    own = " each" * any(design.tested_over_trained is not None for design in study.designs)
    tested = count_of(images[0], "test image") if len(images) == 1 else f"{images[0]:,} to {images[-1]:,} test images"
    return f"with {repetitions} and {tested}{own}"


def _points(study: _Study, spread: Spread) -> str | None:
    """`3.1`, `2.2 to 4.0`; None where no row could find anything."""
    found = [value for design in study.designs if (value := detectable(design, spread)) is not None]
    ends = dict.fromkeys(f"{end:.1f}" for end in (min(found), max(found))) if found else {}
    return " to ".join(ends) or None


def _assumed(study: _Study) -> str:
    """For several shares of images on which heads are unlike."""
    texts = {share: _points(study, Spread(share, LASTING, study.trainings)) for share in UNLIKE}
    others = [", ".join(f"{found} at {100 * share:g} %" for share in UNLIKE[1:] if (found := texts[share]))]
    if never := ", ".join(f"{100 * share:g} %" for share in UNLIKE[1:] if texts[share] is None):
        others.append(f"none at {never}, as no difference is larger than the share itself")
    return (
        f"{_lead(study, texts[UNLIKE[0]])}, if heads disagree, one right and one wrong, on {100 * UNLIKE[0]:g} % of images "
        f"({'; '.join(filter(None, others))}). Assumed: these shares, and trainings that vary by {study.trainings:.1f} points."
    )


def _measured(study: _Study, found: FoundSpread) -> str:
    """By what the study's finished pairs have shown."""
    spread, assumed = found.spread, "" if found.measured else " (assumed)"
    points, pairs = _points(study, spread), count_of(found.pairs, "finished pair")
    disagree = f"in {pairs} heads disagree, one right and one wrong, on {100 * spread.unlike:.2g} % of images"
    largest = ", and no difference is larger than that share" if points is None else ""
    return f"{_lead(study, points)}: {disagree}{largest}; trainings vary by {spread.trainings:.1f} points{assumed}."


def _lead(study: _Study, points: str | None) -> str:
    tests = study.designs[0].tests
    holm = f" (Holm over {tests} comparisons)" if tests > 1 else ""
    found = f"a true difference to {BASELINE} of {points} points of top-1" if points else f"no difference to {BASELINE}"
    return f"{found}{holm}"
