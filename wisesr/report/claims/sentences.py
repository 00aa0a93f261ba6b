"""A claim's answer in words that say what was estimated, from what, and for what it holds."""

from __future__ import annotations

from wisesr.report.claims.answer import Answer, ClaimBlock, Verdict
from wisesr.report.claims.pooled import RANDOM
from wisesr.report.tables.numbers import typographic
from wisesr.wording import count_of

_PER = {"": "", "size": " for every doubling of the image size", "classes": " for every doubling of the number of classes"}


def claim_text(answer: Answer) -> str:
    """`wise has a higher test top-1 than gap at 224 px`."""
    size = f" at {answer.size} px" if answer.size is not None else ""
    return f"{answer.claim.text}{size}{' (protocol=paper)' if answer.protocol == 'paper' else ''}"


def estimand(answer: Answer) -> str:
    """What the figure is: `test top-1 of wise less that of gap, points`."""
    claim, measure = answer.claim, answer.claim.measure
    what = f"{measure.title}, mean of the last epochs," if _of_last_epochs(answer) else measure.title
    if measure.relative:
        return f"{what} of {claim.head}, beside {claim.baseline}'s{_PER[claim.slope]}"
    return f"{what} of {claim.head} less that of {claim.baseline}, {measure.unit}{_PER[claim.slope]}"


def _of_last_epochs(answer: Answer) -> bool:
    return answer.protocol == "paper" and answer.claim.measure.title == "test top-1"


def figure(value: float, answer: Answer) -> str:
    """`+1.83` points, `-12 %`."""
    if answer.claim.measure.unit == "%":
        text = f"{value:+.1f}" if abs(value) < 10 else f"{value:+.0f}"
        return f"{typographic(text)} %"
    return typographic("0.00" if f"{value:+.2f}" in ("+0.00", "-0.00") else f"{value:+.2f}")


def estimate_text(answer: Answer) -> str:
    """`+1.83 points (95 % interval -0.40 to +4.06)`; empty of an answer without a figure."""
    found = answer.found
    if found is None:
        return ""
    unit = "" if answer.claim.measure.unit == "%" else f" {answer.claim.measure.unit}"
    ends = f"{figure(found.low, answer)} to {figure(found.high, answer)}"
    if answer.pooled is None:
        return figure(found.mean, answer) + unit if found.low == found.high else f"{ends}{unit} over rows"
    return f"{figure(found.mean, answer)}{unit}{_PER[answer.claim.slope]} (95 % interval {ends})"


def verdict_text(answer: Answer) -> str:
    """`supported`, `equivalent within ±1 points`."""
    if answer.verdict is Verdict.EQUIVALENT:
        unit = " %" if answer.claim.measure.unit == "%" else f" {answer.claim.measure.unit}"
        return f"equivalent within ±{answer.margin:g}{unit}"
    return str(answer.verdict.value)


def sample(answer: Answer) -> str:
    """`6 rows: 3 backbones, 2 datasets; 3 to 5 seeds; 2,680 test images`; of one row its name."""
    rows = answer.rows
    if not rows:
        return ""
    seeds = sorted({len(row.seeds) for row in rows})
    many = count_of(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    images = sum({block.images: len(block.values) for row in rows for block in row.blocks}.values())
    where = rows[0].label if len(rows) == 1 else f"{len(rows)} rows of backbone and dataset"
    return "; ".join([where, many, *([f"{images:,} test images"] if images else [])])


def holds_for(answer: Answer) -> str:
    """For what an estimate speaks, as its interval says."""
    if answer.pooled is None:
        return "counted, not measured: nothing is tested" if answer.found else ""
    images = " and other test images" if any(row.blocks for row in answer.rows) else ", on these test images"
    rows = answer.rows
    if answer.pooled.kind == "fixed":
        return f"for other seeds{images}; of {'this row' if len(rows) == 1 else 'these rows'} alone"
    others = [
        name
        for name, values in (("backbones", {row.backbone for row in rows}), ("datasets", {row.dataset for row in rows}))
        if len(values) >= RANDOM
    ]
    return f"for other {' and '.join(others) or 'rows'} like these, other seeds{images}"


def remark(answer: Answer) -> str:
    """What is to be said beside: what could have been found, why nothing is said, rows that are left out."""
    parts = []
    if answer.verdict is Verdict.INCONCLUSIVE and answer.detectable is not None:
        parts.append(_detectable(answer))
    if any(row.bounds for row in answer.rows):
        parts.append("a lower bound, as the goal was never reached with some seeds")
    if answer.verdict is Verdict.UNANSWERED:
        parts.append(answer.why)
    elif answer.unused:
        parts.append(f"without {count_of(len(answer.unused), 'row')} ({answer.unused[0].label}: {answer.unused[0].why})")
    return "; ".join(parts)


def _detectable(answer: Answer) -> str:
    assert answer.detectable is not None
    if answer.claim.measure.unit == "%":
        return f"a change of {answer.detectable:.0f} % or more would likely have been found"
    return f"a true difference of {answer.detectable:.1f} {answer.claim.measure.unit} or more would likely have been found"


def headline(block: ClaimBlock) -> list[str]:
    """What is known of the first claim that was declared, in a sentence for each size."""
    return [_sentence(answer) for answer in block.answers if answer.claim is block.answers[0].claim]


def _sentence(answer: Answer) -> str:
    if answer.verdict is Verdict.UNANSWERED:
        return f"Whether {claim_text(answer)} is not known: {answer.why}."
    said = f"{claim_text(answer)}: {verdict_text(answer)}"
    parts = "; ".join(part for part in (holds_for(answer), sample(answer), remark(answer)) if part)
    return f"{said}. {estimate_text(answer)}, {parts}."


def family(block: ClaimBlock) -> str:
    """How the verdicts were reached, and over how many claims they are corrected."""
    if not block.tests:
        return "Nothing is tested: these figures are counted."
    tested = f"Holm over the {block.tests} claims that are tested" if block.tests > 1 else "one claim is tested"
    return (
        f"Verdicts at 5 %, {tested}: supported or contradicted where no difference is rejected (two-sided), equivalent where "
        "a difference beyond the margin is (two one-sided tests). Inconclusive is no proof of equality; intervals are not "
        "corrected."
    )


def unanswered(block: ClaimBlock) -> dict[str, list[str]]:
    """Names of the claims that have no answer, by the reason."""
    names: dict[str, list[str]] = {}
    for answer in block.answers:
        if answer.verdict is Verdict.UNANSWERED:
            names.setdefault(answer.why, []).append(answer.claim.name + (f" at {answer.size} px" if answer.size else ""))
    return names


def answered(block: ClaimBlock) -> list[Answer]:
    """Those that have a verdict, as they were declared."""
    return [answer for answer in block.answers if answer.verdict is not Verdict.UNANSWERED]
