"""The answer to "which head?", of a study that is one comparison of heads, each at the best of several learning rates.

Such a study is made to choose a head (`conf/experiment/my_images.yaml`), so that its first sentence is this answer and not the
verdict on a claim about one of its heads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from wisesr.report.difference import Difference
from wisesr.report.study import Entry, ReportTable
from wisesr.report.tables.numbers import signed, typographic
from wisesr.wording import count_of, some_of

_NAMED = 4
_Tested = Sequence[tuple[Entry, Difference]]


def which_head(tables: Sequence[ReportTable]) -> list[tuple[str, str]]:
    """The answer for each dataset in a sentence, and what belongs to it; none of a study that is made of other comparisons.

    Args:
        tables: of the study.
    """
    answers = [_answer(table) for table in tables if table.entries]
    known = [answer for answer in answers if answer is not None]
    return known if len(known) == len(answers) else []


def _answer(table: ReportTable) -> tuple[str, str] | None:
    """None of several rows, of heads at one rate, and where nothing is tested."""
    if len(table.groups()) != 1 or table.protocol == "paper" or not all(entry.tried for entry in table.entries):
        return None
    tested = [(entry, own) for entry in table.entries if (own := entry.difference) is not None and own.p_holm is not None]
    if not tested:
        return None
    good = 1 if table.metric.higher_is_better else -1
    tested.sort(key=lambda pair: -good * pair[1].mean)
    better = [pair for pair in tested if pair[1].significant and good * pair[1].mean > 0]
    worse = [pair for pair in tested if pair[1].significant and good * pair[1].mean < 0]
    text = _take(table, better) if better else _keep(table, tested, worse)
    detail = (*_beside(table, tested, better, worse), _open(table, tested), _what_it_is(table, tested))
    return text, " ".join(filter(None, detail))


def _take(table: ReportTable, better: _Tested) -> str:
    entry, own = better[0]
    return f"Take {entry.head}: on {_place(table)} it is better than {table.baseline}, {_figure(table, own)}."


def _keep(table: ReportTable, tested: _Tested, worse: _Tested) -> str:
    entry, own = tested[0]
    if len(worse) == len(tested):
        others = "the other head is" if len(tested) == 1 else f"all {len(tested)} other heads are"
        return f"Keep {table.baseline}: on {_place(table)} {others} worse, {entry.head} by the least, {_figure(table, own)}."
    best = entry.head if len(tested) == 1 else f"the best of {len(tested)} others, {entry.head},"
    lead = f"Keep {table.baseline} for now: on {_place(table)} no head is found to be better"
    return f"{lead}, and {best} has {_figure(table, own)}."


def _beside(table: ReportTable, tested: _Tested, better: _Tested, worse: _Tested) -> Iterator[str]:
    """Other heads that differ from the baseline, or seem to."""
    if better and not tested[0][1].significant:
        yield f"That {_listed(table, tested[:1])} has the highest mean may be chance."
    if len(better) > 1:
        yield f"Better than {table.baseline}, too: {_listed(table, better[1:])}. Between these heads nothing is tested."
    if worse:
        yield f"Worse than {table.baseline}: {_listed(table, worse)}."


def _listed(table: ReportTable, pairs: _Tested) -> str:
    found = [f"{entry.head} ({typographic(signed(own.mean, table.metric.decimals))})" for entry, own in pairs]
    return some_of(found, _NAMED)


def _open(table: ReportTable, tested: _Tested) -> str:
    """What would have been found, of heads that are neither better nor worse."""
    found = [own.detectable for _, own in tested if not own.significant and own.detectable is not None]
    if not found:
        return ""
    ends = dict.fromkeys(_bounded(table, end) for end in (min(found), max(found)))
    of = "" if len(found) == len(tested) else "Of the others a" if len(found) > 1 else "Of the other a"
    by_head = ", by head," * (len(ends) > 1)
    return (
        f"{of or 'A'} true difference of {' to '.join(ends)} {table.metric.points}{by_head} would have been found in 80 % of "
        "such studies; smaller ones stay open."
    )


def _bounded(table: ReportTable, value: float) -> str:
    """`2.7`; no difference of accuracies is larger than 100."""
    most = 100.0 if table.metric.image_unit == 100.0 else math.inf
    return f"{value:.{table.metric.decimals - 1}f}" if value <= most else f"over {most:g}"


def _what_it_is(table: ReportTable, tested: _Tested) -> str:
    """What was compared, and for what that holds."""
    entry, own = tested[0]
    config = entry.cells[0].config
    word = "fold" if config["dataset"].get("fold") is not None else "replicate" if own.replicated else "seed"
    repetitions = count_of(min(len(one.seeds) for _, one in tested), word)
    rates = count_of(max(len(one.tried) for one in table.entries), "learning rate")
    frozen = ", frozen," if config["backbone"].get("freeze") == "all" else ""
    images = " and other images of the kind" if own.replicated or own.crossed is not None else " on these images"
    return (
        f"Each head is at the best of {rates}, chosen on held-out images in each of {repetitions}. This is for other trainings"
        f"{images}, with {entry.backbone}{frozen} and this recipe."
    )


def _figure(table: ReportTable, own: Difference) -> str:
    """`+2.13 points of test top-1 (95 % interval +1.02 to +3.24)`."""
    mean, low, high = (
        "" if end is None else typographic(signed(end, table.metric.decimals)) for end in (own.mean, own.low, own.high)
    )
    interval = f" (95 % interval {low} to {high})" if low else ""
    return f"{mean} {table.metric.points} of test {table.metric.words}{interval}"


def _place(table: ReportTable) -> str:
    place = table.entries[0].place
    return f"{place.dataset} at {place.size} px"
