"""What stands at the head of the page: which study this is, where it stands, and what its numbers were made with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wisesr.report.costs import machine
from wisesr.report.tables.sentences import study_states
from wisesr.report.whole_study import Study
from wisesr.results.reading import FILES, reading, reading_words
from wisesr.results.record import Provenance
from wisesr.results.state import State
from wisesr.wording import count_of, some_of

_SHOWN = 4
"""Values of a fact that are named; further ones are counted."""
_HASH_DIGITS = 12


class Header(NamedTuple):
    """The head of the page."""

    title: str
    states: str
    """`20 cells: 14 done, 2 training, 4 waiting`."""
    facts: tuple[tuple[str, str], ...]


def describe_study(study: Study, *, made: str, command: str) -> Header:
    """The head of the page; `made` says when, and by what."""
    names = [name for name in dict.fromkeys(str(cell.config.get("study", "")) for cell in study.cells) if name]
    title = some_of(names, _SHOWN) if names else ", ".join(root.name for root in study.roots) or "report"
    cells = [cell for cell in study.cells if cell.record is not None]
    provenance = [cell.record.provenance for cell in study.cells if cell.record is not None]
    facts = [
        ("read from", ", ".join(map(str, study.roots))),
        ("created", made),
        ("command", command),
        ("code commit", _counted((part.commit or "unknown")[:_HASH_DIGITS] for part in provenance)),
        ("versions", _counted(map(_versions, provenance))),
        ("hardware", _counted(map(machine, cells))),
        ("epochs began with", _reads(provenance)),
        ("cells finished", _span([part.finished for part in provenance])),
    ]
    return Header(title, study_states(study), tuple((name, text) for name, text in facts if text))


def missing(study: Study) -> int:
    """Cells that a comparison lacks and no directory stands for."""
    return sum(cell.state == State.MISSING for table in study.tables for cell in table.left_out)


def _versions(provenance: Provenance) -> str:
    shown = ("wisesr", "torch", "timm", "python")
    return ", ".join(f"{name} {provenance.versions[name]}" for name in shown if name in provenance.versions)


def _reads(provenance: Sequence[Provenance]) -> str:
    """Nothing where all began with files, as they did before there was anything else."""
    told = any(reading(part.reads) != FILES for part in provenance)
    return _counted(reading_words(part.reads) for part in provenance) if told else ""


def _counted(values: Iterable[str]) -> str:
    """A value, or several with how many cells have each."""
    counts = Counter(value for value in values if value)
    if len(counts) < 2:
        return "".join(counts)
    return some_of([f"{value} ({count_of(number, 'cell')})" for value, number in counts.most_common()], _SHOWN, "; ")


def _span(times: list[str]) -> str:
    """From the first to the last, to the minute, UTC."""
    if not times:
        return ""
    first, last = (time[:16].replace("T", " ") for time in (min(times), max(times)))
    return f"{first} UTC" if first == last else f"{first} to {last} UTC"
