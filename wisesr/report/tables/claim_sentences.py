"""A claim's answer in words that say what was estimated, from what, and for what it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.tables.numbers import p_value, signed, typographic
from wisesr.statistics.families import LEVEL
from wisesr.wording import count_of

_PER = {"": "", "size": " for every doubling of the image size", "classes": " for every doubling of the number of classes"}


def claim_text(answer: Answer, at: str | None = None) -> str:
    """`wise has a higher test top-1 than gap at 224 px`; `at`: in the place of its own sizes, ` at 224 and 512 px`."""
    measure = answer.claim.measure
    text = answer.claim.text.replace("test top-1", measure.title)
    if not measure.higher_is_better:
        turned = {"higher": "lower", "lower": "higher"}
        text = re.sub(rf"\b(higher|lower) {measure.title}", lambda found: f"{turned[found[1]]} {measure.title}", text)
    return f"{text}{at_sizes(answer) if at is None else at}{of_protocol(answer)}"


def at_sizes(answer: Answer) -> str:
    """` at 224 px with 10 classes`: of a claim about some sizes, those that are in its estimate."""
    classes = f" with {answer.classes:,} classes" if answer.classes is not None else ""
    classes += f" ({answer.draw})" if answer.draw else ""
    if isinstance(declared := answer.claim.sizes, str):
        return (f" at {answer.size} px" if answer.size is not None else "") + classes
    found = {size for row in answer.rows for size in row.sizes} or set(declared)
    return f" at {', '.join(map(str, sorted(found)))} px{classes}"


def of_protocol(answer: Answer) -> str:
    """What must stand wherever a figure of protocol=paper does, and why it is not that of the tables."""
    last = ", mean of the last epochs" if answer.found is not None and _of_last_epochs(answer) else ""
    return f" (protocol=paper{last})" if answer.protocol == "paper" else ""


def estimand(answer: Answer) -> str:
    """What the figure is: `test top-1 of wise less that of gap, points`."""
    claim, measure = answer.claim, answer.claim.measure
    what = f"{measure.title}, mean of the last epochs," if _of_last_epochs(answer) else measure.title
    if measure.relative:
        return f"{what} of {claim.head}, relative to {claim.baseline}'s{_PER[claim.slope]}"
    return f"{what} of {claim.head} less that of {claim.baseline}, {measure.unit}{_PER[claim.slope]}"


def _of_last_epochs(answer: Answer) -> bool:
    return answer.protocol == "paper" and answer.claim.measure.of_last_epochs


def figure(value: float, answer: Answer) -> str:
    """`+1.83` points, `-12 %`."""
    if answer.claim.measure.unit == "%":
        digits = 1 if abs(value) < 0.005 else 2 if abs(value) < 0.095 else 1 if abs(value) < 9.95 else 0
        text = f"{value:+,.{digits}f}"
        return typographic(text.lstrip("+-") if not float(text.replace(",", "")) else text) + " %"
    return typographic(signed(value, answer.claim.measure.decimals))


def estimate_text(answer: Answer) -> str:
    """`+1.83 points (95 % interval -0.40 to +4.06)`; empty of an answer without a figure."""
    found = answer.found
    if found is None:
        return ""
    unit = "" if answer.claim.measure.unit == "%" else f" {answer.claim.measure.unit}"
    ends = interval_text(answer)
    if answer.pooled is None:
        return figure(found.mean, answer) + unit if found.low == found.high else f"{ends}{unit} over rows"
    at_least = "at least " * is_bound(answer)
    return f"{at_least}{figure(found.mean, answer)}{unit}{_PER[answer.claim.slope]} (95 % interval {ends})"


def interval_text(answer: Answer) -> str:
    """`-0.40 to +4.06`; `from -0.40 up` of a lower bound. Of an answer with a figure."""
    assert answer.found is not None
    low, high = (figure(end, answer) for end in (answer.found.low, answer.found.high))
    return f"from {low} up" if is_bound(answer) else f"{low} to {high}"


def is_bound(answer: Answer) -> bool:
    """Whether the estimate is a lower bound: some seeds never reached the goal, and the truth may be any higher."""
    return any(row.bounds for row in answer.rows)


def verdict_text(answer: Answer) -> str:
    """`supported`, `equivalent within ±1 points`."""
    if answer.verdict is Verdict.EQUIVALENT:
        return f"equivalent within {_margin(answer)}{_PER[answer.claim.slope]}"
    return str(answer.verdict.value)


def sample(answer: Answer) -> str:
    """`6 rows: 3 backbones, 2 datasets; 3 to 5 seeds; 2,680 test images`; of one row its name."""
    rows = answer.rows
    if not rows:
        return ""
    seeds = sorted({len(row.seeds) for row in rows})
    many = count_of(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    images = sum({block.images: len(block.values) for row in rows for block in row.blocks}.values())
    kinds = "backbone, dataset and size" if len({row.sizes for row in rows}) > 1 else "backbone and dataset"
    where = f"{len(rows)} rows of {kinds}" if len(rows) > 1 else rows[0].label
    return "; ".join([where, many, *([f"{images:,} test images"] if images else [])])


def holds_for(answer: Answer) -> str:
    """For what an estimate speaks, as its interval says; empty of what is counted."""
    if answer.pooled is None:
        return ""
    across = answer.pooled.across
    others = f"other {' and '.join(across)} like these, " * bool(across)
    names = {"backbone": {row.backbone for row in answer.rows}, "dataset": {row.dataset for row in answer.rows}}
    alone = {name: len(values) > 1 for name, values in names.items() if f"{name}s" not in across}
    return f"for {others}other seeds{_images(answer)}" + f", with {_these(alone)} alone" * bool(alone)


def _these(several: Mapping[str, bool]) -> str:
    """`this backbone and dataset`, `this backbone and these datasets`, by whether there are several of each."""
    words = [f"{'these' if many else 'this'} {name}{'s' * many}" for name, many in several.items()]
    if len(set(several.values())) == 1:
        words[1:] = [word.partition(" ")[2] for word in words[1:]]
    return " and ".join(words)


def _images(answer: Answer) -> str:
    """Whether other test images are in the error; what has nothing to do with them says nothing."""
    if answer.claim.measure.relative:
        return ""
    return " and other test images" if all(row.blocks or row.replicated for row in answer.rows) else " on these test images"


def remark(answer: Answer) -> str:
    """What is to be said beside: what could have been found, why nothing is said, rows that are left out."""
    parts = []
    if is_bound(answer):
        parts.append("a lower bound, as the goal was never reached with some seeds")
    elif answer.verdict is Verdict.INCONCLUSIVE and answer.detectable is not None:
        parts.append(_detectable(answer))
    if _is_lost(answer):
        parts.append(f"its own interval excludes 0, but p after Holm is {p_value(answer.p)}")
    if answer.claim.expected in ("no_higher", "no_lower"):
        parts.append(f"margin {answer.margin:g} {answer.claim.measure.unit}")
    if _is_small(answer):
        parts.append(f"yet within {_margin(answer)}")
    if len(answer.rows) == 1 and answer.rows[0].beside:
        parts.append(answer.rows[0].beside)
    if answer.verdict is Verdict.UNANSWERED:
        parts.append(answer.why)
    elif answer.unused:
        parts.append(f"without {count_of(len(answer.unused), 'row')} ({answer.unused[0].label}: {answer.unused[0].why})")
    return "; ".join(parts)


def _is_lost(answer: Answer) -> bool:
    """Whether a claim is inconclusive for the number of claims alone."""
    found = answer.found
    plain = answer.verdict is Verdict.INCONCLUSIVE and answer.claim.expected in ("higher", "lower") and not is_bound(answer)
    return plain and found is not None and found.low * found.high > 0


def _is_small(answer: Answer) -> bool:
    """Whether a difference is there, and surely smaller than what counts as equal."""
    judged = answer.verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED) and answer.claim.expected in ("higher", "lower")
    return judged and answer.p_equivalent is not None and answer.p_equivalent < LEVEL


def _margin(answer: Answer) -> str:
    """`±1 points`."""
    return f"±{answer.margin:g} {answer.claim.measure.unit}"


def _detectable(answer: Answer) -> str:
    """Of a claim of no more than a margin: what would have been found to be more."""
    assert answer.detectable is not None
    size, measure = answer.detectable, answer.claim.measure
    decimals = measure.decimals - 1 if measure.unit != "%" else 1 if size < 9.95 else 0
    what = "a change" if measure.relative else "a true difference"
    if measure.relative and answer.claim.expected == "no_higher":
        what = "an increase"
    per = _PER[answer.claim.slope]
    return f"{what} of {size:,.{decimals}f} {measure.unit}{per} or more would likely have been found"
