"""What `wisesr sync` says of a study in its W&B report: the texts and pictures of `wisesr report`, as plain data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from wisesr import __version__
from wisesr.report.claims.judge import Answer
from wisesr.report.figures.overview_figures import overview_figures
from wisesr.report.figures.render import render
from wisesr.report.figures.style import color, head_order
from wisesr.report.head_options import option_of
from wisesr.report.read import read_study
from wisesr.report.tables.claim_block_sentences import answered, family, headline
from wisesr.report.tables.claim_sentences import claim_text, estimate_text, sample, verdict_text
from wisesr.report.tables.markdown import escape, markdown
from wisesr.report.tables.numbers import DASH
from wisesr.report.tables.sentences import study_states
from wisesr.report.tables.verdict import verdict
from wisesr.report.whole_study import Study
from wisesr.results.head_order import name_of
from wisesr.sync.story import ShownPicture, Story

_PICTURES = 6
"""At most; each is a panel as wide as the report."""
_CLAIMS = ("claim", "verdict", "estimate", "from")


def study_story(directory: Path, *, pictures: bool = True) -> Story:
    """A study below a directory, with the claims and the baseline that `wisesr report` has unasked.

    Args:
        directory: of the study.
        pictures: whether figures are drawn, which takes seconds.

    Raises:
        UserError: there are no cells, or not the baseline.
    """
    study = read_study([directory])
    order = head_order(study)
    figures = islice(overview_figures(study, order), _PICTURES if pictures else 0)
    return Story(
        summary=f"{study_states(study)}. Written by wisesr {__version__}, and written over by the next `wisesr sync`.",
        headline="\n\n".join(_headline(study)),
        pictures=tuple(ShownPicture(one.key, one.title, escape(one.caption), render(one.spec).png) for one in figures),
        sections=(*_claims(study), *_tables(study)),
        colours=head_colours(order),
    )


def head_colours(order: tuple[str, ...]) -> dict[str, str]:
    """Of heads by their plain names, as figures have them; of several settings that of the usual ones, else of the first."""
    last = order[::-1]  # the first of a name has the last word
    usual = [head for head in last if option_of(head) == name_of(head)]
    return {name_of(head): color(head, order) for head in (*last, *usual)}


def _headline(study: Study) -> Iterator[str]:
    """What is known of the first claim of each study, and for what it holds; without claims, what each table shows."""
    known = [known for block in study.claims if block.answers for known in headline(block)]
    for one in known:
        yield f"**{escape(one.text)}**"
        if one.detail:
            yield escape(one.detail)
    if not known:
        yield from (escape(f"{table.title}: {said}") for table in study.tables if (said := verdict(table)))


def _claims(study: Study) -> Iterator[tuple[str, str]]:
    """The claims that have a verdict, as a table."""
    for block in study.claims:
        if block.answers and (answers := answered(block)):
            title = f"Claims{f' of {block.study}' * bool(block.study)}"
            yield title, f"{_claims_table(answers)}\n\n{escape(family(block))}"


def _claims_table(answers: Sequence[Answer]) -> str:
    """Narrower than that of `tables.md`, as a report is than a page."""
    rows = [(claim_text(one), verdict_text(one), estimate_text(one), sample(one) or DASH) for one in answers]
    lines = [_CLAIMS, (":---",) * len(_CLAIMS), *(tuple(map(escape, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _tables(study: Study) -> Iterator[tuple[str, str]]:
    """The tables as `tables.md` has them, a section each, but for the claims."""
    for section in re.split(r"^## ", markdown(study), flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        if not title.startswith("Claims"):
            yield re.sub(r"\\(.)", r"\1", title), text.strip()
