"""What a study's cells say of each claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from wisesr.report.claims.chains import Candidate
from wisesr.report.claims.declared import CONTROLS, Claim
from wisesr.report.claims.judge import Answer, Unused, Verdict, counted, judged
from wisesr.report.claims.matching import candidates
from wisesr.report.claims.measures import of_metric
from wisesr.report.claims.parts import Part, parts
from wisesr.report.claims.pooled import pooled
from wisesr.report.claims.rows import claim_row
from wisesr.report.head_options import option_of
from wisesr.report.scores import Scoring
from wisesr.report.study import ReportTable
from wisesr.report.tested_metrics import TOP1
from wisesr.results.head_order import name_of


class ClaimBlock(NamedTuple):
    """The answers of one study: the family over which they are corrected."""

    study: str
    """Empty where one study is reported, or several together."""
    answers: tuple[Answer, ...]
    compared: tuple[ReportTable, ...] = ()
    """Its tables, where nobody asked other questions than the usual ones: what they answer by themselves stands first."""

    @property
    def tests(self) -> int:
        """Claims that are tested, those about times and controls aside."""
        return self._tested("")

    @property
    def controls(self) -> int:
        """Controls that are tested."""
        return self._tested(CONTROLS)

    def _tested(self, family: str) -> int:
        return sum(
            one.pooled is not None and not one.claim.measure.of_time and one.claim.family == family for one in self.answers
        )


def answer_claims(
    tables: Sequence[ReportTable], claims: Sequence[Claim], scoring: Scoring, margin: float
) -> tuple[ClaimBlock, ...]:
    """The answers to claims, for each study that has tables of its own.

    Args:
        tables: all of the report.
        claims: that are asked.
        scoring: how each cell did on each test image.
        margin: points, within which two heads count as equal.
    """
    studies: dict[str, dict[str, list[ReportTable]]] = {}
    for table in tables:
        if table.entries:
            place = table.entries[0].place
            studies.setdefault(place.study, {}).setdefault(place.protocol, []).append(table)
    blocks = []
    for study, protocols in studies.items():
        asked = [
            answer
            for claim in claims
            if not claim.family or {claim.head, claim.baseline} <= _heads(protocols.values())
            for protocol, own in sorted(protocols.items())
            for answer in _once([_estimated(claim, part, protocol, scoring, margin) for part in parts(claim, own, scoring)])
        ]
        blocks.append(ClaimBlock(study, tuple(judged(asked))))
    return tuple(blocks)


def _heads(protocols: Iterable[Sequence[ReportTable]]) -> set[str]:
    """Names of all heads of a study, finished or not, and of the options that those with settings are."""
    tables = [table for own in protocols for table in own]
    heads = {entry.head for table in tables for entry in table.entries}
    heads |= {cell.place.head for table in tables for cell in table.left_out if cell.place is not None}
    return {name for head in heads for name in (head, name_of(head), option_of(head)) if name is not None}


def _once(answers: Sequence[Answer]) -> Iterator[Answer]:
    """What a size has no answer to for one and the same reason, whatever the classes are, is said once."""
    of_size: dict[int | None, list[Answer]] = {}
    for answer in answers:
        of_size.setdefault(answer.size, []).append(answer)
    for own in of_size.values():
        reasons = {answer.why for answer in own}
        if len(reasons) == 1 and "" not in reasons:
            yield own[0] if len(own) == 1 else own[0]._replace(classes=None, draw="")
        else:
            yield from own


def _estimated(claim: Claim, part: Part, protocol: str, scoring: Scoring, margin: float) -> Answer:
    """An answer without a verdict."""
    size, tables = part.size, part.tables
    claim = claim._replace(measure=of_metric(claim.measure, tables[0].metric))
    usual = margin if claim.measure.unit == tables[0].metric.points else TOP1.margin  # --margin is in the unit of --metric
    within = next(value for value in (claim.margin, claim.measure.margin, usual) if value is not None)
    answer = Answer(claim, size, protocol, Verdict.UNANSWERED, within, classes=part.classes, draw=part.draw)
    found = candidates(claim, tables, size, scoring)
    if found.why_not:
        return answer._replace(why=found.why_not, unmatched=True)
    claim = _as_printed(claim, found.rows)
    answer = answer._replace(claim=claim)
    read = [(each.label, claim_row(each.label, each.places, claim.measure, scoring)) for each in found.rows]
    beside = {each.label: each.beside for each in found.rows}
    rows = [row._replace(beside=beside[label]) for label, row in read if not isinstance(row, str)]
    unused = [Unused(label, why) for label, why in read if isinstance(why, str)]
    answer = answer._replace(unused=tuple(unused))
    if not rows:
        return answer._replace(why=unused[0].why)
    if claim.measure.exact:
        return counted(answer, rows)
    one = pooled(rows)
    if isinstance(one, str):
        return answer._replace(why=one)
    used = set(map(id, one.rows))
    left = [Unused(row.label, "fewer than three seeds, or no spread") for row in rows if id(row) not in used]
    return answer._replace(pooled=one, unused=(*unused, *left))


def _as_printed(claim: Claim, rows: Sequence[Candidate]) -> Claim:
    """With the names that tables print, where all rows print the same."""
    names = {(place.head.head, place.baseline.head) for row in rows for place in row.places}
    return claim.of(*names.pop()) if len(names) == 1 else claim
