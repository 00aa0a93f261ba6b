"""From the tables of a study, and what its claims say, to the forests of its overview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from wisesr.report.claims.judge import Answer, Verdict
from wisesr.report.claims.parts import number_in, without_number
from wisesr.report.difference import Difference
from wisesr.report.overview import TOGETHER, Forest, ForestGroup, ForestPanel, ForestRow, Kind, Mark
from wisesr.report.study import Entry, ReportTable
from wisesr.report.tested_metrics import Metric
from wisesr.report.whole_study import Study
from wisesr.results.head_order import in_order

_DIFFERENT = ("higher", "lower")
"""What claims expect that a difference to the baseline supports or contradicts."""


def forests(study: Study) -> tuple[Forest, ...]:
    """One for each dataset, protocol and study that has anything to compare, its sizes beside one another.

    Before those of several datasets stands what the study's claims say over all of them.
    """
    studies: dict[str, dict[tuple[str, str], list[ReportTable]]] = {}
    for table in study.tables:
        if any(entry.difference is not None for entry in table.entries):
            place = table.entries[0].place
            own = studies.setdefault(place.study, {})
            own.setdefault((_without_classes(place.dataset), place.protocol), []).append(table)
    made: list[Forest] = []
    for name, blocks in studies.items():
        first = next(iter(blocks.values()))[0]
        pooled = _pooled(study, name, first.metric, first.baseline)
        before = f"{name}: " * (len(studies) > 1)
        made += _over_datasets(pooled, before, first) if len(blocks) > 1 else ()
        alone = len({data for data, _ in blocks}) == 1
        for (data, protocol), tables in blocks.items():
            claimed = pooled if alone and protocol == "holdout" else ()
            made.append(_forest(tables, before + data, protocol, claimed))
    return tuple(made)


def _without_classes(dataset: str) -> str:
    """Of a dataset with so many classes, what holds for all its numbers of them, which stand beside one another."""
    return without_number(dataset) if number_in(dataset) is not None else dataset


def _over_datasets(pooled: Sequence[Answer], before: str, first: ReportTable) -> Iterator[Forest]:
    """What claims say of each size over several datasets; none where they say nothing."""
    sizes: dict[int, dict[str, Answer]] = {}
    for answer in pooled:
        of, datasets = _sizes(answer), {row.dataset for row in answer.rows}
        if len(datasets) > 1 and len(of) == 1 and answer.classes is None:
            sizes.setdefault(of.pop(), {}).setdefault(answer.claim.head, answer)
    if not sizes:
        return
    heads = in_order((head for own in sizes.values() for head in own), first.baseline)
    panels = (ForestPanel(size, "", (ForestGroup(TOGETHER, "", _together(heads, own)),)) for size, own in sorted(sizes.items()))
    key, title = f"{first.entries[0].place.study}-all-datasets".lstrip("-"), f"{before}all datasets"
    yield Forest(key, first.entries[0].place.study, title, first.baseline, first.metric, heads, tuple(panels), 0)


def _together(heads: Iterable[str], own: Mapping[str, Answer]) -> tuple[ForestRow, ...]:
    return tuple(ForestRow(head, _of_answer(own[head])) for head in heads if head in own)


def _sizes(answer: Answer) -> set[int]:
    return {size for row in answer.rows for size in row.sizes}


def _forest(tables: Sequence[ReportTable], name: str, protocol: str, pooled: Sequence[Answer]) -> Forest:
    tables = sorted(tables, key=lambda table: (table.entries[0].place.size, number_in(table.entries[0].place.dataset) or 0))
    first = tables[0]
    heads = in_order((entry.head for table in tables for entry in table.entries), first.baseline)
    heads = tuple(head for head in heads if head != first.baseline)
    groups = list(dict.fromkeys(entry.group for table in tables for entry in table.entries))
    return Forest(
        key=first.key if len(tables) == 1 else _key(tables),
        study=first.entries[0].place.study,
        title=name + ", protocol=paper" * (protocol == "paper"),
        baseline=first.baseline,
        metric=first.metric,
        heads=heads,
        panels=tuple(_panel(table, groups, heads, pooled) for table in tables),
        tests=first.tests,
        protocol=protocol,
    )


def _key(tables: Sequence[ReportTable]) -> str:
    """That of the first table without what tells it from the others: `indoor`, `indoor_10-67_classes`."""
    place = tables[0].entries[0].place
    key = "".join(tables[0].key.rpartition(f"-{place.size}")[::2])
    numbers = sorted({number for table in tables if (number := number_in(table.entries[0].place.dataset)) is not None})
    return key.replace(f"classes_{numbers[0]}", f"{numbers[0]}-{numbers[-1]}_classes") if numbers else key


def _panel(table: ReportTable, groups: Sequence[str], heads: Sequence[str], pooled: Sequence[Answer]) -> ForestPanel:
    entries = {(entry.group, entry.head): entry for entry in table.entries}
    size = table.entries[0].place.size
    shown = [_group(name, table, entries, heads) for name in groups]
    own: dict[str, Answer] = {}
    for answer in pooled:
        if _sizes(answer) == {size} and answer.classes == number_in(table.entries[0].place.dataset):
            own.setdefault(answer.claim.head, answer)
    if own and len(groups) > 1:
        shown.append(ForestGroup(TOGETHER, "", _together(heads, own)))
    return ForestPanel(size, table.key, tuple(shown), number_in(table.entries[0].place.dataset))


def _group(name: str, table: ReportTable, entries: dict[tuple[str, str], Entry], heads: Sequence[str]) -> ForestGroup:
    baseline = entries.get((name, table.baseline))
    figure = "" if baseline is None else f"{baseline.mean:.{table.metric.decimals}f}"
    own = (entries.get((name, head)) for head in heads)
    marks = (_mark(entry.difference) if entry is not None and entry.difference is not None else None for entry in own)
    return ForestGroup(name, figure, tuple(ForestRow(head, mark) for head, mark in zip(heads, marks, strict=True)))


def _mark(difference: Difference) -> Mark:
    kind: Kind = "images" if difference.kind == "images" else "tested"
    if difference.significant:
        kind = "significant"
    elif difference.low is None:
        kind = "untested"
    over_images = kind == "images" or difference.crossed is not None or difference.replicated
    return Mark(kind, difference.mean, difference.low, difference.high, len(difference.seeds), over_images)


def _pooled(study: Study, name: str, metric: Metric, baseline: str) -> list[Answer]:
    """What claims say of a head and the baseline over several rows, in the very figure that the rows show.

    Those that expect a difference come first: of several claims of a head the first is shown.
    """
    answers = [answer for block in study.claims if block.study == name for answer in block.answers]
    answers.sort(key=lambda answer: answer.claim.expected not in _DIFFERENT)
    return [
        answer
        for answer in answers
        if answer.pooled is not None
        and len(answer.rows) > 1
        and (answer.claim.baseline, answer.claim.slope, answer.protocol) == (baseline, "", "holdout")
        and answer.claim.measure.title == f"test {metric.words}"
    ]


def _of_answer(answer: Answer) -> Mark:
    assert answer.found is not None
    found = answer.found
    sure = answer.verdict in (Verdict.SUPPORTED, Verdict.CONTRADICTED) and answer.claim.expected in _DIFFERENT
    seeds = min(len(row.seeds) for row in answer.rows)
    over_images = all(row.blocks or row.replicated for row in answer.rows)
    return Mark("significant" if sure else "tested", found.mean, found.low, found.high, seeds, over_images)
