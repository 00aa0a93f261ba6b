"""The claims of a study as a grid of texts, for Markdown."""

from __future__ import annotations

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.claims.judge import Answer
from wisesr.report.tables.claim_block_sentences import answered
from wisesr.report.tables.claim_sentences import (
    claim_text,
    estimand,
    figure,
    holds_for,
    interval_text,
    is_bound,
    remark,
    sample,
    verdict_text,
)
from wisesr.report.tables.grid import Column, Grid, Text
from wisesr.report.tables.numbers import DASH

_TITLES = ("claim", "verdict", "estimand", "estimate", "95 % interval", "rows", "holds for", "remark")


def claims_grid(block: ClaimBlock) -> Grid | None:
    """A row a claim that has a verdict; None where none has."""
    rows = []
    for answer in answered(block):
        assert answer.found is not None
        mean = "at least " * is_bound(answer) + figure(answer.found.mean, answer)
        texts = (
            *(claim_text(answer), verdict_text(answer), estimand(answer), mean, _interval(answer)),
            *(sample(answer) or DASH, holds_for(answer), remark(answer) or DASH),
        )
        rows.append(tuple(map(Text, texts)))
    return Grid(tuple(Column(title, title) for title in _TITLES), tuple(rows), 1) if rows else None


def _interval(answer: Answer) -> str:
    """What is counted has no interval but a range, where rows differ."""
    assert answer.found is not None
    if answer.pooled is not None:
        return interval_text(answer)
    return DASH if answer.found.low == answer.found.high else f"none; {interval_text(answer)} over rows"
