"""From an estimate to a verdict: the tests of a study's claims, corrected over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from wisesr.report.claims.declared import Claim
from wisesr.report.claims.pooled import Pooled
from wisesr.report.claims.rows import ClaimRow
from wisesr.statistics.families import LEVEL, holm

_TURNED = {"higher": "lower", "lower": "higher", "no_higher": "no_lower", "no_lower": "no_higher"}


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
    classes: int | None = None
    """Of the dataset, where it has several numbers of them, of each of which the claim was asked."""
    draw: str = ""
    """`classes_seed=1`, where the study has several draws of classes: none is averaged with another."""
    unmatched: bool = False
    """Whether no cells of the study are about it: it needs other heads, sizes or numbers of classes."""

    @property
    def rows(self) -> tuple[ClaimRow, ...]:
        """That are in the estimate."""
        return self.pooled.rows if self.pooled else ()


def counted(answer: Answer, rows: Sequence[ClaimRow]) -> Answer:
    """What is counted and not measured needs no test: every row is as the claim says, or one is not."""
    measure, expected = answer.claim.measure, answer.claim.expected
    shown = [measure.shown(row.mean) for row in rows]
    low, high = min(shown), max(shown)
    holds = {
        "higher": low > 0,
        "lower": high < 0,
        "no_higher": high <= answer.margin,
        "no_lower": low >= -answer.margin,
    }[expected]
    verdict = Verdict.SUPPORTED if holds else Verdict.CONTRADICTED
    return answer._replace(verdict=verdict, found=Found(sum(shown) / len(shown), low, high))


def judged(answers: Sequence[Answer]) -> list[Answer]:
    """Answers with verdicts: differences and equivalences, each after Holm over the claims of its family that are tested."""
    found = {id(answer): answer for answer in answers}
    for family in dict.fromkeys(map(_family, answers)):
        tested = [one for one in answers if one.pooled is not None and _family(one) == family]
        different, equal = (holm([read(one) for one in tested]) for read in (_p_difference, _p_equivalent))
        for one, p, p_equal in zip(tested, different, equal, strict=True):
            found[id(one)] = _verdict(one, p, p_equal, len(tested))
    return list(found.values())


def _family(answer: Answer) -> tuple[str, bool]:
    """A family of its own, or not; and times apart."""
    return answer.claim.family, answer.claim.measure.of_time


def _expected(claim: Claim) -> str:
    """What the figures should be; turned where lower ones are better, as the claim is about the better ones."""
    return claim.expected if claim.measure.higher_is_better else _TURNED[claim.expected]


def _allowed(answer: Answer) -> float:
    """The difference against which a claim is tested: 0, or the margin up to which it allows one."""
    margin = answer.claim.measure.scaled(answer.margin)
    return {"no_higher": margin, "no_lower": -margin}.get(_expected(answer.claim), 0.0)


def _p_difference(answer: Answer) -> float:
    """Two-sided, of no difference; where a claim is of no more than a margin, of a difference of just that."""
    assert answer.pooled is not None
    return answer.pooled.estimate._replace(mean=answer.pooled.estimate.mean - _allowed(answer)).p


def _p_equivalent(answer: Answer) -> float:
    assert answer.pooled is not None
    return answer.pooled.estimate.equivalence(answer.claim.measure.scaled(answer.margin))


def _verdict(answer: Answer, p: float, equal: float, tests: int) -> Answer:
    """Args: p, equal: p-values after Holm."""
    assert answer.pooled is not None
    estimate, shown, allowed = answer.pooled.estimate, answer.claim.measure.shown, _allowed(answer)
    above = estimate.mean - allowed
    verdict = Verdict.INCONCLUSIVE
    if p < LEVEL:
        wants_above = _expected(answer.claim) in ("higher", "no_lower")
        verdict = Verdict.SUPPORTED if (above > 0) == wants_above else Verdict.CONTRADICTED
    elif equal < LEVEL and not allowed:
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
