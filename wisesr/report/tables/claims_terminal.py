"""The claims of a study for the terminal: what is known, before any table."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.markup import escape

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.tables.claim_block_sentences import by_family, by_reason, family, headline, unanswered
from wisesr.report.tables.claim_sentences import claim_text, estimate_text, remark, verdict_text
from wisesr.terminal import tell
from wisesr.wording import folded

_COLOURS = {Verdict.SUPPORTED: "green", Verdict.CONTRADICTED: "red", Verdict.EQUIVALENT: "cyan", Verdict.INCONCLUSIVE: "yellow"}


def print_claims(block: ClaimBlock, console: Console) -> None:
    """What is known in a sentence, each claim with its verdict, and which have no answer."""
    if not block.answers:
        return
    if block.study:
        tell(console, block.study, "bold")
    for known in headline(block):
        tell(console, known.text, "bold")
        if known.detail:
            tell(console, known.detail, "dim")
    console.print()
    shown = by_family(block)
    for heading, answers in shown.items():
        if len(shown) > 1:
            tell(console, heading, "bold")
        _print_answers(answers, console)
        console.print()
    if shown:
        tell(console, family(block), "dim")
    rest = unanswered(block)
    for why, names in by_reason(answer for answer in rest if not answer.unmatched).items():
        tell(console, f"Not answered: {', '.join(names)}: {why}.", "dim")
    if others := dict.fromkeys(answer.claim.name for answer in rest if answer.unmatched):
        needed = "which need other heads, sizes or numbers of classes than there are (the page says which)"
        tell(console, f"Not asked of these cells: {', '.join(others)}, {needed}.", "dim")
    console.print()


def _print_answers(answers: list[Answer], console: Console) -> None:
    """A claim beside its verdict, and below it the estimate."""
    verdicts = [verdict_text(answer) for answer in answers]
    widest = max(map(len, verdicts))
    for answer, word in zip(answers, verdicts, strict=True):
        said = "; ".join(part for part in (estimate_text(answer), remark(answer)) if part)
        room = console.width - widest - 1 if console.is_terminal else sys.maxsize
        claim, *more = folded(claim_text(answer), room).split("\n")
        below = [f"[dim]{escape(line)}[/dim]" for line in folded(said, room).split("\n")]
        first = f"[{_COLOURS[answer.verdict]}]{escape(word.ljust(widest))}[/] {escape(claim)}"
        for line in (first, *(" " * (widest + 1) + line for line in [*map(escape, more), *below])):
            console.print(line, soft_wrap=True)
