"""What is said of all claims of a study: the first sentence of a report, how verdicts were reached, what has no answer."""

from __future__ import annotations

from collections.abc import Iterable

from wisesr.report.claims.answer import ClaimBlock
from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.tables.claim_sentences import (
    at_sizes,
    claim_text,
    estimate_text,
    holds_for,
    of_protocol,
    remark,
    sample,
    verdict_text,
)


def headline(block: ClaimBlock) -> list[str]:
    """What is known of the first claim that was declared, in a sentence for each size."""
    return [_sentence(answer) for answer in block.answers if answer.claim.name == block.answers[0].claim.name]


def _sentence(answer: Answer) -> str:
    """`Inconclusive whether wise ...: -0.74 points (...). This is for other seeds ... (resnet18, ...; 5 seeds). A true ...`"""
    if answer.verdict is Verdict.UNANSWERED:
        return f"Whether {claim_text(answer)} is not known: {answer.why}."
    sentences = [f"{_lead(answer)}: {estimate_text(answer)}"]
    if holds := holds_for(answer):
        sentences.append(f"This is {holds} ({sample(answer)})")
    if said := remark(answer):
        sentences.append(said[0].upper() + said[1:])
    return " ".join(f"{sentence}." for sentence in sentences)


def _lead(answer: Answer) -> str:
    if answer.verdict is Verdict.INCONCLUSIVE:
        return f"Inconclusive whether {claim_text(answer)}"
    if answer.verdict is Verdict.EQUIVALENT:
        within = f"{verdict_text(answer)} in {answer.claim.measure.title}"
        return f"{answer.claim.head} and {answer.claim.baseline} are {within}{at_sizes(answer)}{of_protocol(answer)}"
    return f"{verdict_text(answer).capitalize()} that {claim_text(answer)}"


def family(block: ClaimBlock) -> str:
    """How the verdicts were reached, and over how many claims they are corrected."""
    tested = [answer for answer in block.answers if answer.pooled is not None]
    if not tested:
        return "Nothing is tested: these figures are counted."
    over = f"after Holm over the {block.tests} claims that are tested" if block.tests > 1 else "one claim is tested"
    times = "; those on times are a family of their own" if any(one.claim.measure.of_time for one in tested) else ""
    null = "no difference"
    if any(one.claim.expected in ("no_higher", "no_lower") for one in tested):
        null += ", or of one as large as the margin where the claim allows that,"
    return (
        f"Supported or contradicted: the hypothesis of {null} is rejected at 5 %, two-sided, {over}{times}. Equivalent: that "
        "of a difference as large as the margin is (two one-sided tests, likewise). Inconclusive is no proof of equality; "
        "intervals are not corrected."
    )


def unanswered(block: ClaimBlock) -> list[Answer]:
    """Those without a verdict, but for those of the headline, which says why."""
    first = block.answers[0].claim.name
    return [answer for answer in block.answers if answer.verdict is Verdict.UNANSWERED and answer.claim.name != first]


def by_reason(answers: Iterable[Answer]) -> dict[str, list[str]]:
    """Names of claims without an answer, by the reason."""
    names: dict[str, list[str]] = {}
    for answer in answers:
        name = answer.claim.name + (f" at {answer.size} px" if answer.size else "") + of_protocol(answer)
        names.setdefault(answer.why, []).append(name)
    return names


def answered(block: ClaimBlock) -> list[Answer]:
    """Those that have a verdict, as they were declared."""
    return [answer for answer in block.answers if answer.verdict is not Verdict.UNANSWERED]
