"""Studies that were never trained, in memory: their heads' true figures are known, so that a report can be held against them.

The latent model is that of a test set on which models are seeds: each image has a difficulty, a backbone and a head have
something of their own on each image (what a paired t over seeds takes for a difference), each model is better or worse than
others of its head by its seed, and answers each image with noise. What is recorded is rounded to images, and to float32.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.compared import write
from wisesr.report.claims.answer import ClaimBlock, answer_claims
from wisesr.report.claims.declared import Claim
from wisesr.report.compare import compare
from wisesr.report.read import read_study
from wisesr.report.scores import Scores
from wisesr.report.study import ReportCell, ReportTable

Values = NDArray[np.float64]
BASELINE = "gap"
MARGIN = 1.0
"""Points."""
_EASE, _DIFFICULTY, _NOISE = 1.7, 2.0, 0.8
"""Of an image's latent score: mean and deviation over images, scale of the logistic noise of each answer."""


@dataclass(frozen=True)
class Design:
    """What a study consists of, and what is true in it. Points are of test top-1; latent scores are in logits."""

    heads: tuple[str, ...] = ("wise", "depthwise")
    """Beside the baseline."""
    backbones: int = 1
    datasets: int = 1
    sizes: tuple[int, ...] = (224,)
    """px; all of them show the same images."""
    classes: tuple[int, ...] = (5,)
    """Of several each is a dataset of its own, with the same name."""
    seeds: int = 5
    rates: int = 1
    """Learning rates, of which each seed takes the one that is best on validation; of several, each has an effect."""
    images: int = 400
    of_seed: float = 0.6
    """Standard deviation of a model's true accuracy over seeds, points."""
    of_head: float = 0.7
    """Of what each head has of its own on each image, whatever the backbone; latent."""
    of_row: float = 0.0
    """Likewise, on each backbone by itself; latent."""
    gains: Mapping[str, float] = field(default_factory=dict)
    """True gain of heads over the baseline, points; over a population of rows where these vary."""
    per_size: float = 0.0
    """By how much all gains grow with every doubling of the size, points."""
    per_classes: float = 0.0
    """Likewise, of the number of classes."""
    between_rows: float = 0.0
    """Standard deviation of true gains over rows, points."""
    between_backbones: float = 0.0
    between_datasets: float = 0.0

    @cached_property
    def curve(self) -> tuple[Values, Values]:
        """Latent shifts, and the true accuracy that each gives, percent."""
        spread = np.sqrt(_DIFFICULTY**2 + self.of_head**2 + self.of_row**2)
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        shifts = np.linspace(-3, 4, 701)
        right = 1 / (1 + np.exp(-(_EASE + shifts[:, None] + spread * nodes) / _NOISE))
        return shifts, 100 * right @ weights / weights.sum()

    @property
    def usual(self) -> float:
        """The baseline's true accuracy, percent."""
        shifts, accuracies = self.curve
        return float(np.interp(0, shifts, accuracies))

    def shift(self, points: Values | float) -> Values:
        """Latent shifts of models that are so many points better than the baseline is."""
        shifts, accuracies = self.curve
        found: Values = np.interp(self.usual + np.asarray(points), accuracies, shifts)
        return found


@dataclass(frozen=True)
class Simulated:
    """Many studies of one design, each with a name of its own."""

    cells: tuple[ReportCell, ...]
    known: Mapping[str, Scores]
    """By the name of the cell."""

    def scoring(self, cell: ReportCell) -> Scores | str:
        """As of `scores.Scoring`."""
        return self.known[cell.name]

    @cached_property
    def tables(self) -> tuple[ReportTable, ...]:
        """All tables of all studies, as a report has them."""
        return compare(self.cells, baseline=BASELINE, published={}, common=defaultdict(str), scoring=self.scoring)

    def answered(self, *claims: Claim, margin: float = MARGIN) -> tuple[ClaimBlock, ...]:
        """A block a study."""
        return answer_claims(self.tables, claims, self.scoring, margin)


def finished_cell(root: Path) -> ReportCell:
    """A cell as training leaves it, of which simulated ones are made."""
    write(root, BASELINE, 0, 0.8)
    (cell,) = read_study([root]).cells
    return cell


def simulated(like: ReportCell, design: Design, studies: int, seed: int) -> Simulated:
    """So many studies of a design.

    Args:
        like: as of `finished_cell`.
        design: of each.
        studies: how many.
        seed: of what is drawn.
    """
    random = np.random.default_rng(seed)
    cells, known = [], {}
    for number in range(studies):
        for cell, scores in _study(like, design, f"study{number:05}", random):
            cells.append(cell)
            known[cell.name] = scores
    return Simulated(tuple(cells), known)


def _study(like: ReportCell, design: Design, study: str, random: np.random.Generator) -> Iterator[tuple[ReportCell, Scores]]:
    by_backbone = {head: random.normal(0, design.between_backbones, design.backbones) for head in design.heads}
    for dataset in range(design.datasets):
        by_dataset = {head: random.normal(0, design.between_datasets) for head in design.heads}
        for number in design.classes:
            several = len(design.classes) > 1
            place = like.place._replace(study=study, dataset=f"data{dataset}" + f" classes={number}" * several)
            images = _images(design, random)
            for backbone in range(design.backbones):
                common = images[BASELINE, backbone]
                for size in design.sizes:
                    doublings = np.log2(size / design.sizes[0]), np.log2(number / design.classes[0])
                    slope = design.per_size * doublings[0] + design.per_classes * doublings[1]
                    rates = random.normal(0, 0.8, (2, design.rates)) * (design.rates > 1)
                    for head in (BASELINE, *design.heads):
                        gain = 0.0
                        if head != BASELINE:
                            gain = design.gains.get(head, 0.0) + slope + random.normal(0, design.between_rows)
                            gain += by_backbone[head][backbone] + by_dataset[head]
                        own = images[head, backbone] if head != BASELINE else common
                        row = place._replace(backbone=f"net{backbone:02}", head=head, size=size)
                        for rate in range(design.rates):
                            right = _answers(design, own, gain + rates[0, rate], random)
                            at = row._replace(rate=f"lr={rate}" if design.rates > 1 else "")
                            for seed in range(design.seeds):
                                val = 0.8 + (rates[1, rate] + random.normal(0, 0.6)) / 100
                                cell = _cell(like, at._replace(seed=seed), right[seed], val, random)
                                yield cell, Scores(f"{study} {place.dataset}", 100 * right[seed], number)


def _images(design: Design, random: np.random.Generator) -> dict[tuple[str, int], Values]:
    """Latent scores of each head and backbone on the test images of one dataset."""
    difficulty = random.normal(_EASE, _DIFFICULTY, design.images)
    found = {}
    for head in (BASELINE, *design.heads):
        own = difficulty + random.normal(0, design.of_head, design.images)
        for backbone in range(design.backbones):
            found[head, backbone] = own + random.normal(0, design.of_row, design.images)
    return found


def _answers(design: Design, images: Values, gain: float, random: np.random.Generator) -> NDArray[np.float32]:
    """(seeds, images), 1 where an image is right."""
    models = design.shift(gain + random.normal(0, design.of_seed, design.seeds))
    right = images + models[:, None] + random.logistic(0, _NOISE, (design.seeds, design.images)) > 0
    return right.astype(np.float32)


def _cell(
    like: ReportCell, place: object, right: NDArray[np.float32], val_top1: float, random: np.random.Generator
) -> ReportCell:
    top1 = float(np.float32(right.sum() / len(right)))
    train = float(np.float32(round(500 * min(1.0, random.normal(0.97, 0.005))) / 500))
    loss = float(random.random())  # no two models have the same figures
    record = like.finished_record
    row = {**record.best.row, "test/top1": top1, "val/top1": val_top1, "train/top1": train, "val/loss": loss}
    best = replace(record.best, test_top1=top1, val_top1=val_top1, val_loss=loss, row=row)
    name = str(tuple(place))  # type: ignore[arg-type]
    return like._replace(
        directory=Path("simulated", name),
        name=name,
        record=replace(record, best=best),
        place=place,  # type: ignore[arg-type]
    )
