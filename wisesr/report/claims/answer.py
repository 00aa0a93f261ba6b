"""What a study's cells say of each claim."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from wisesr.report.claims.declared import Claim
from wisesr.report.claims.matching import candidates, sizes
from wisesr.report.claims.measures import of_metric
from wisesr.report.claims.pooled import Pooled, pooled
from wisesr.report.claims.rows import ClaimRow, claim_row
from wisesr.report.scores import Scoring
from wisesr.report.statistics.families import LEVEL, holm
from wisesr.report.study import ReportTable


class Verdict(str, Enum):
    """What is known of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    EQUIVALENT = "equivalent"
    INCONCLUSIVE = "inconclusive"
    UNANSWERED = "not answered"


class Unused(NamedTuple):
    """A row that is in no estimate."""

    label: str
    why: str


class Found(NamedTuple):
    """What was measured, or counted, in the unit of the measure: with its 95 % interval, or the range over rows."""

    mean: float
    low: float
    high: float


class Answer(NamedTuple):
    """A claim with what the cells say of it. Figures are in the unit of its measure: points, points a doubling, percent."""

    claim: Claim
    size: int | None
    """Of the images, px, where the claim was asked for each size."""
    protocol: str
    verdict: Verdict
    margin: float
    found: Found | None = None
    """None of a claim that has no answer."""
    p: float | None = None
    """After Holm over the study's claims: of a difference, two-sided."""
    p_equivalent: float | None = None
    """Likewise, of two one-sided tests against the margin."""
    detectable: float | None = None
    """The true difference that would have been found with a probability of 0.8, if no other claim had one: to be more than the
    margin, where a claim is of no more."""
    pooled: Pooled | None = None
    unused: tuple[Unused, ...] = ()
    why: str = ""
    """Why it is not answered."""

    @property
    def rows(self) -> tuple[ClaimRow, ...]:
        """That are in the estimate."""
        return self.pooled.rows if self.pooled else ()


class ClaimBlock(NamedTuple):
    """The answers of one study: the family over which they are corrected."""

    study: str
    """Empty where one study is reported, or several together."""
    answers: tuple[Answer, ...]
    tests: int
    """Claims that are tested."""


def answer_claims(
    tables: Sequence[ReportTable], claims: Sequence[Claim], scoring: Scoring, margin: float
) -> tuple[ClaimBlock, ...]:
    """The answers to claims, for each study that has tables of its own.

    Args:
        tables: all of the report.
        claims: that are asked.
        scoring: how each cell did on each test image.
        margin: points, within which two heads count as equal.
    """
    studies: dict[str, dict[str, list[ReportTable]]] = {}
    for table in tables:
        if table.entries:
            place = table.entries[0].place
            studies.setdefault(place.study, {}).setdefault(place.protocol, []).append(table)
    blocks = []
    for study, protocols in studies.items():
        asked = [
            _estimated(claim, size, protocol, own, scoring, margin)
            for claim in claims
            for protocol, own in sorted(protocols.items())
            for size in sizes(claim, own)
        ]
        tests = sum(answer.pooled is not None for answer in asked)
        blocks.append(ClaimBlock(study, tuple(_judged(asked, tests)), tests))
    return tuple(blocks)


def _estimated(
    claim: Claim, size: int | None, protocol: str, tables: Sequence[ReportTable], scoring: Scoring, margin: float
) -> Answer:
    """An answer without a verdict."""
    claim = claim._replace(measure=of_metric(claim.measure, tables[0].metric))
    within = next(value for value in (claim.margin, claim.measure.margin, margin) if value is not None)
    answer = Answer(claim, size, protocol, Verdict.UNANSWERED, within)
    found = candidates(claim, tables, size, scoring)
    if found.why_not:
        return answer._replace(why=found.why_not)
    read = [(each.label, claim_row(each.label, each.places, claim.measure, scoring)) for each in found.rows]
    rows = [row for _, row in read if not isinstance(row, str)]
    unused = [Unused(label, why) for label, why in read if isinstance(why, str)]
    answer = answer._replace(unused=tuple(unused))
    if not rows:
        return answer._replace(why=unused[0].why)
    if claim.measure.exact:
        return _counted(answer, rows)
    one = pooled(rows)
    if isinstance(one, str):
        return answer._replace(why=one)
    used = set(map(id, one.rows))
    left = [Unused(row.label, "fewer than three seeds, or no spread") for row in rows if id(row) not in used]
    return answer._replace(pooled=one, unused=(*unused, *left))


def _counted(answer: Answer, rows: Sequence[ClaimRow]) -> Answer:
    """What is counted and not measured needs no test: every row is within the margin, or one is not."""
    measure = answer.claim.measure
    shown = [measure.shown(row.mean) for row in rows]
    low, high = min(shown), max(shown)
    if answer.claim.expected == "no_higher":
        holds = high <= answer.margin
    else:
        holds = low > 0 if answer.claim.expected == "higher" else high < 0
    verdict = Verdict.SUPPORTED if holds else Verdict.CONTRADICTED
    return answer._replace(verdict=verdict, found=Found(sum(shown) / len(shown), low, high))


def _judged(answers: Sequence[Answer], tests: int) -> list[Answer]:
    """Answers with verdicts: differences and equivalences, each after Holm over all claims that are tested."""
    tested = [answer for answer in answers if answer.pooled is not None]
    p = dict(zip(map(id, tested), holm(list(map(_p_difference, tested))), strict=True))
    equal = dict(zip(map(id, tested), holm(list(map(_p_equivalent, tested))), strict=True))
    return [_verdict(answer, p[id(answer)], equal[id(answer)], tests) if id(answer) in p else answer for answer in answers]


def _p_difference(answer: Answer) -> float:
    """Two-sided, of no difference; where a claim is of no more than a margin, of a difference of just that."""
    assert answer.pooled is not None
    return answer.pooled.estimate._replace(mean=answer.pooled.estimate.mean - _no_more_than(answer)).p


def _no_more_than(answer: Answer) -> float:
    """What a claim allows the difference to be; where lower figures are better, how far below 0 it may be."""
    measure = answer.claim.measure
    if answer.claim.expected != "no_higher":
        return 0.0
    return measure.scaled(answer.margin) if measure.higher_is_better else -measure.scaled(answer.margin)


def _p_equivalent(answer: Answer) -> float:
    assert answer.pooled is not None
    return answer.pooled.estimate.equivalence(answer.claim.measure.scaled(answer.margin))


def _verdict(answer: Answer, p: float, equal: float, tests: int) -> Answer:
    """Args: p, equal: p-values after Holm."""
    assert answer.pooled is not None
    claim, estimate = answer.claim, answer.pooled.estimate
    shown, allowed = claim.measure.shown, _no_more_than(answer)
    above = estimate.mean - allowed
    verdict = Verdict.INCONCLUSIVE
    if p < LEVEL:
        higher = (claim.expected == "higher") == claim.measure.higher_is_better
        verdict = Verdict.SUPPORTED if (above > 0) == higher else Verdict.CONTRADICTED
    elif equal < LEVEL and claim.expected != "no_higher":
        verdict = Verdict.EQUIVALENT
    if any(row.bounds for row in answer.rows) and not (p < LEVEL and above > 0):
        verdict = Verdict.INCONCLUSIVE  # what is known of some seeds is a lower bound: the truth may be any higher
    low, high = estimate.ends
    return answer._replace(
        verdict=verdict,
        found=Found(shown(estimate.mean), shown(low), shown(high)),
        p=p,
        p_equivalent=equal,
        detectable=shown(estimate.detectable(LEVEL / tests) + abs(allowed)),
    )
