"""The claims of a study for the terminal: what is known, before any table."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.tables.claim_block_sentences import answered, by_reason, family, headline, unanswered
from wisesr.report.tables.claim_sentences import claim_text, estimate_text, remark, verdict_text

_COLOURS = {Verdict.SUPPORTED: "green", Verdict.CONTRADICTED: "red", Verdict.EQUIVALENT: "cyan", Verdict.INCONCLUSIVE: "yellow"}


def print_claims(block: ClaimBlock, console: Console) -> None:
    """What is known in a sentence, each claim with its verdict, and which have no answer."""
    if not block.answers:
        return
    if block.study:
        console.print(f"[bold]{escape(block.study)}[/bold]")
    for known in headline(block):
        console.print(f"[bold]{escape(known.text)}[/bold]")
        if known.detail:
            console.print(f"[dim]{escape(known.detail)}[/dim]")
    console.print()
    if shown := answered(block):
        console.print(_table(shown))
        console.print(escape(family(block)))
    rest = unanswered(block)
    for why, names in by_reason(answer for answer in rest if not answer.unmatched).items():
        console.print(f"Not answered: {escape(', '.join(names))}: {escape(why)}.")
    if others := dict.fromkeys(answer.claim.name for answer in rest if answer.unmatched):
        needed = "which need other heads, sizes or numbers of classes than there are (the page says which)"
        console.print(f"Not asked of these cells: {escape(', '.join(others))}, {needed}.")
    console.print()


def _table(answers: list[Answer]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for answer in answers:
        colour = _COLOURS[answer.verdict]
        said = "; ".join(part for part in (estimate_text(answer), remark(answer)) if part)
        text = f"{escape(claim_text(answer))}\n[dim]{escape(said)}[/dim]"
        table.add_row(f"[{colour}]{escape(verdict_text(answer))}[/{colour}]", text)
    return table
