"""What is said of all claims of a study: the first sentence of a report, how verdicts were reached, what has no answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.claims.declared import CONTROLS
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.tables.claim_sentences import (
    at_sizes,
    claim_text,
    estimate_text,
    figure,
    holds_for,
    of_protocol,
    remark,
    sample,
    verdict_text,
)
from wisesr.report.tables.which_head import which_head

_MOST = 4
"""Sizes and numbers of classes of which the first sentence tells each."""


_HEADINGS = {"": "Claims", CONTROLS: "Controls: what a gain is made of"}


class Known(NamedTuple):
    """What stands first."""

    text: str
    """`Supported: wise has a higher test top-1 than gap, +4.12 points (95 % interval +3.28 to +4.95) at 224 px and ...`"""
    detail: str
    """For what it holds, and what could have been found; empty where there is nothing to say."""


def headline(block: ClaimBlock) -> list[Known]:
    """Which head to take, of a study that was made to tell; of others what is known of the first claim.

    That stands once for all sizes where verdict, sample and what it holds for are the same.
    """
    if answers := which_head(block.compared):
        return [Known(*answer) for answer in answers]
    groups: dict[tuple[str, ...], list[Answer]] = {}
    for answer in block.answers:
        if answer.claim.name == block.answers[0].claim.name:
            key = (verdict_text(answer), answer.protocol, answer.why, holds_for(answer), _sample(answer))
            groups.setdefault(key, []).append(answer)
    return [_known(answers) for answers in groups.values()]


def _known(answers: Sequence[Answer]) -> Known:
    """Of answers of one verdict, each of another size or number of classes."""
    first = answers[0]
    if first.verdict is Verdict.UNANSWERED:
        return Known(f"Whether {claim_text(first, _at(answers))} is not known: {first.why}.", "")
    if len(answers) == 1:
        text = f"{_lead(first, at_sizes(first))}{estimate_text(first)}."
    elif len(answers) > _MOST:
        text = f"{_lead(first, '')}{_span(answers)}."
    else:
        figures = [f"{estimate_text(answer)}{at_sizes(answer)}" for answer in answers]
        once = [figures[0], *(figure.replace("95 % interval ", "") for figure in figures[1:])]
        text = f"{_lead(first, '')}{', '.join(once[:-1])} and {once[-1]}."
    return Known(text, _detail(answers))


def _span(answers: Sequence[Answer]) -> str:
    """`+1.33 to +3.17 points in 9 parts, from 224 px with 10 classes to 224 px with 67 classes`: of many."""
    found = [(answer.found.mean, answer) for answer in answers if answer.found is not None]
    low, high = (figure(*end(found, key=lambda item: item[0])) for end in (min, max))
    unit = "" if answers[0].claim.measure.unit == "%" else f" {answers[0].claim.measure.unit}"
    first, last = (at_sizes(answers[end]).removeprefix(" at").removeprefix(" with") for end in (0, -1))
    return f"{low} to {high}{unit} in {len(answers)} parts, from{first} to{last}"


def _detail(answers: Sequence[Answer]) -> str:
    """For what it holds; then what is to be said of each."""
    first = answers[0]
    sentences = [f"This is {holds} ({_sample(first)})." if (holds := holds_for(first)) else ""]
    if len(answers) > _MOST:
        sentences.append("The interval of each, and what would likely have been found, stand with its claim.")
    for answer in answers if len(answers) <= _MOST else ():
        if said := remark(answer):
            sentences.append(f"{_begin(at_sizes(answer))} {said}." if len(answers) > 1 else f"{said[0].upper()}{said[1:]}.")
    return " ".join(filter(None, sentences))


def _begin(text: str) -> str:
    """` at 224 px` at the beginning of a sentence."""
    return f"{text[1:2].upper()}{text[2:]}"


def _at(answers: Sequence[Answer]) -> str:
    sizes = list(dict.fromkeys(str(answer.size) for answer in answers if answer.size is not None))
    if len(answers) > 1 and any(answer.classes or answer.draw for answer in answers):
        return f"{' and'.join(at_sizes(answer) for answer in answers)}"
    if len(sizes) < 2:
        return at_sizes(answers[0])
    return f" at {', '.join(sizes[:-1])} and {sizes[-1]} px"


def _sample(answer: Answer) -> str:
    """Without size and number of classes, where the sentence says them; images differ with the latter."""
    text = sample(answer) if answer.size is None else sample(answer).replace(f" {answer.size} px;", ";")
    apart = answer.classes is not None or answer.draw
    return re.sub(r" classes(_seed)?=\w+|; [\d,]+ test images$", "", text) if apart else text


def _lead(answer: Answer, at: str) -> str:
    """All but the figures, and what parts them from it."""
    if answer.verdict is Verdict.INCONCLUSIVE:
        return f"Inconclusive whether {claim_text(answer, at)}: "
    if answer.verdict is Verdict.EQUIVALENT:
        within = f"{verdict_text(answer)} in {answer.claim.measure.title}"
        return f"{answer.claim.head} and {answer.claim.baseline} are {within}{at}{of_protocol(answer)}: "
    return f"{verdict_text(answer).capitalize()}: {claim_text(answer, at)}, "


def family(block: ClaimBlock) -> str:
    """How the verdicts were reached, and over how many claims they are corrected."""
    tested = [answer for answer in block.answers if answer.pooled is not None]
    if not tested:
        return "Nothing is tested: these figures are counted."
    null = "no difference"
    if any(one.claim.expected in ("no_higher", "no_lower") for one in tested):
        null += ", or of one as large as the margin where the claim allows that,"
    return (
        f"Supported or contradicted: the hypothesis of {null} is rejected at 5 %, two-sided, {_over(block)}. Equivalent: that "
        "of a difference as large as the margin is (two one-sided tests, likewise). Inconclusive is no proof of equality. "
        "What would likely have been found bears the same correction; intervals do not."
    )


def _over(block: ClaimBlock) -> str:
    """For how many the verdicts are corrected, and which are corrected among themselves."""
    what, number = ("control", block.controls) if block.controls and not block.tests else ("claim", block.tests)
    parts = [f"after Holm over the {number} {what}s that are tested" if number > 1 else f"one {what} is tested"]
    if any(answer.pooled is not None and answer.claim.measure.of_time for answer in block.answers):
        parts.append("those on times are a family of their own")
    if block.controls and block.tests:
        several = f"the {block.controls} controls are a family of their own"
        parts.append(several if block.controls > 1 else "the one control is a family of its own")
    return "; ".join(parts)


def unanswered(block: ClaimBlock) -> list[Answer]:
    """Those without a verdict, but for those of the headline, which says why."""
    first = "" if which_head(block.compared) else block.answers[0].claim.name
    return [answer for answer in block.answers if answer.verdict is Verdict.UNANSWERED and answer.claim.name != first]


def by_reason(answers: Iterable[Answer]) -> dict[str, list[str]]:
    """Names of claims without an answer, by the reason."""
    names: dict[str, list[str]] = {}
    for answer in answers:
        name = (
            answer.claim.name + (at_sizes(answer) if answer.size or answer.classes or answer.draw else "") + of_protocol(answer)
        )
        names.setdefault(answer.why, []).append(name)
    return names


def by_family(block: ClaimBlock) -> dict[str, list[Answer]]:
    """Those that have a verdict, claims and controls apart, under their headings."""
    families: dict[str, list[Answer]] = {}
    for answer in answered(block):
        families.setdefault(_HEADINGS[answer.claim.family], []).append(answer)
    return families


def answered(block: ClaimBlock) -> list[Answer]:
    """Those that have a verdict, as they were declared."""
    return [answer for answer in block.answers if answer.verdict is not Verdict.UNANSWERED]
