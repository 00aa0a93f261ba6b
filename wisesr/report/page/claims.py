"""The claims as the page shows them: what is known first, then each claim with its rows."""

from __future__ import annotations

from typing import NamedTuple

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.claims.judge import Answer
from wisesr.report.claims.rows import ClaimRow
from wisesr.report.tables.claim_block_sentences import Known, by_family, by_reason, family, headline, unanswered
from wisesr.report.tables.claim_sentences import (
    claim_text,
    estimand,
    estimate_text,
    figure,
    holds_for,
    remark,
    sample,
    verdict_text,
)


class RowLine(NamedTuple):
    """One backbone and dataset of a claim."""

    label: str
    seeds: str
    figure: str
    interval: str
    """Empty of fewer than three seeds."""


class ClaimLine(NamedTuple):
    """A claim that has a verdict."""

    verdict: str
    state: str
    """The verdict's plain name, for its colour."""
    text: str
    estimate: str
    estimand: str
    sample: str
    holds_for: str
    remark: str
    rows: tuple[RowLine, ...]
    unused: tuple[tuple[str, str], ...]
    """Labels of rows that are left out, and why."""


class ClaimPart(NamedTuple):
    """The claims of one study."""

    id: str
    study: str
    headline: tuple[Known, ...]
    lists: tuple[tuple[str, tuple[ClaimLine, ...]], ...]
    """Claims and controls with a verdict, each under its heading; none that is empty."""
    family: str
    unanswered: tuple[tuple[str, str], ...]
    """Names of claims, and why they have no answer."""


def claim_parts(blocks: tuple[ClaimBlock, ...]) -> tuple[ClaimPart, ...]:
    """What the page shows of each study's claims."""
    return tuple(
        ClaimPart(
            f"claims-{number}",
            block.study,
            tuple(headline(block)),
            tuple((heading, tuple(map(_line, answers))) for heading, answers in by_family(block).items()),
            family(block),
            tuple((", ".join(names), why) for why, names in by_reason(unanswered(block)).items()),
        )
        for number, block in enumerate(blocks)
        if block.answers
    )


def _line(answer: Answer) -> ClaimLine:
    return ClaimLine(
        verdict_text(answer),
        answer.verdict.value,
        claim_text(answer),
        estimate_text(answer),
        estimand(answer),
        sample(answer),
        holds_for(answer),
        remark(answer),
        tuple(_row(answer, row) for row in answer.rows),
        tuple((unused.label, unused.why) for unused in answer.unused),
    )


def _row(answer: Answer, row: ClaimRow) -> RowLine:
    shown = answer.claim.measure.shown
    interval = ""
    if row.estimate is not None:
        low, high = (figure(shown(end), answer) for end in row.estimate.ends)
        interval = f"from {low} up" if row.bounds else f"{low} to {high}"
    label = f"{row.label} ({row.beside})" if row.beside and len(answer.rows) > 1 else row.label
    return RowLine(label, str(len(row.seeds)), figure(shown(row.mean), answer), interval)
