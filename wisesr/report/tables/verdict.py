"""What the differences of one table show, in a sentence or two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from wisesr.report.difference import Difference
from wisesr.report.study import Entry, ReportTable
from wisesr.report.tables.numbers import signed, typographic
from wisesr.report.tables.sentences import entry_name
from wisesr.report.tested_metrics import Metric
from wisesr.wording import count_of, some_of

_NAMED = 6
"""Significant differences that are named; where there are more, the heads."""
_REASONS = 2
_Judged = Sequence[tuple[Entry, Difference]]


def verdict(table: ReportTable) -> str:
    """How many differences to the baseline are significant, and which; empty where nothing was compared."""
    compared = [(entry, entry.difference) for entry in table.entries if entry.difference is not None]
    judged = [(entry, difference) for entry, difference in compared if difference.p_holm is not None]
    if not compared:
        apart = f"No head shares a seed with {table.baseline}: nothing here says whether a head is better or worse."
        return apart if any(map(_apart, _beside(table))) else ""
    if not judged:
        if any(difference.kind == "seeds" for _, difference in compared):
            why = some_of(
                list(dict.fromkeys(own.note for _, own in compared if own.kind == "seeds" and own.note)), _REASONS, "; "
            )
            return f"No comparison with {table.baseline} could be tested: {why}."
        return f"No head shares three seeds with {table.baseline}: nothing here says whether a head is better or worse."
    significant = [(entry, difference) for entry, difference in judged if difference.significant]
    missed = _missed(table.metric, [difference for _, difference in judged if not difference.significant])
    return _significance(table, len(judged), _named(table, significant), len(significant)) + missed


def _beside(table: ReportTable) -> Iterator[tuple[Entry, Entry]]:
    """Each baseline with each other head of its row."""
    for entries in table.groups().values():
        for baseline in (entry for entry in entries if entry.head == table.baseline):
            yield from ((baseline, entry) for entry in entries if entry is not baseline)


def _apart(pair: tuple[Entry, Entry]) -> bool:
    return not set(pair[0].seeds) & set(pair[1].seeds)


def _significance(table: ReportTable, judged: int, named: str, significant: int) -> str:
    after = f"at 5 % after Holm over {count_of(table.tests, 'comparison')}" if table.tests > 1 else "at 5 %"
    if judged == 1:
        result = f"is significant {after}: {named}" if significant else f"is not significant {after}"
        return f"The one comparison with {table.baseline} {result}."
    comparisons = f"{judged} comparisons with {table.baseline}"
    if not significant:
        return f"None of the {comparisons} is significant {after}."
    if significant == judged:
        return f"All {comparisons} are significant {after}: {named}."
    return f"Of {comparisons}, {significant} {'is' if significant == 1 else 'are'} significant {after}: {named}."


def _named(table: ReportTable, significant: _Judged) -> str:
    """`wise +1.42, depthwise +0.93 points`; of many how often each head, as the table below has the differences."""
    if len(significant) > _NAMED:
        return _by_head(table, significant)
    digits = table.metric.decimals
    found = [f"{entry_name(table, entry)} {typographic(signed(own.mean, digits))}" for entry, own in significant]
    return f"{', '.join(found)} {table.metric.points}"


def _by_head(table: ReportTable, significant: _Judged) -> str:
    """`wise 3 of 3 (+3.75 to +4.60 points), gap_dropout 1 of 3 (+1.10)`: each head in how many of its rows, and how far."""
    digits, found = table.metric.decimals, dict[str, list[float]]()
    judged = Counter(entry.head for entry in table.entries if entry.difference and entry.difference.p_holm is not None)
    for entry, own in significant:
        found.setdefault(entry.head, []).append(own.mean)
    texts, unit = [], f" {table.metric.points}"
    for head, means in found.items():
        ends = dict.fromkeys(typographic(signed(end, digits)) for end in (min(means), max(means)))
        texts.append(f"{head} {len(means)} of {judged[head]} ({' to '.join(ends)}{unit})")
        unit = ""
    return some_of(texts, _NAMED)


def _missed(metric: Metric, differences: Sequence[Difference]) -> str:
    """What could have been found where nothing was."""
    found = [difference.detectable for difference in differences if difference.detectable is not None]
    if not found:
        return ""
    most = 100.0 if metric.image_unit == 100.0 else float("inf")
    if min(found) > most:
        return " No star is no proof of equality: no difference that there can be would be found with a probability of 80 %."
    low, high = (f"{end:.{metric.decimals - 1}f}" if end <= most else f"over {most:g}" for end in (min(found), max(found)))
    size = f"{low if low == high else f'{low} to {high}'} {metric.points}"
    by_row = ", by row," * (low != high)
    return (
        f" No star is no proof of equality: a true difference had to be {size}{by_row} to be found with a probability of 80 %."
    )
