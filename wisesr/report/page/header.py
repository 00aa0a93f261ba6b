"""What stands at the head of the page: which study this is, where it stands, and what its numbers were made with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from wisesr.report.study import Study

_SHOWN = 4
"""Values of a fact that are told; further ones are counted."""
_LONG = 12
"""Digits of a hash."""


class Header(NamedTuple):
    """The head of the page."""

    title: str
    counts: str
    """`20 cells: 14 done, 2 training, 4 waiting`."""
    facts: tuple[tuple[str, str], ...]


def describe(study: Study, *, made: str, command: str) -> Header:
    """The head of the page.

    Args:
        study: that is reported.
        made: when, in words.
        command: that made the report.
    """
    names = dict.fromkeys(str(cell.config.get("study", "")) for cell in study.cells)
    title = _some([name for name in names if name]) or ", ".join(root.name for root in study.roots) or "report"
    records = [cell.record for cell in study.cells if cell.record is not None]
    provenance = [record["provenance"] for record in records if isinstance(record.get("provenance"), dict)]
    facts = [
        ("read from", ", ".join(map(str, study.roots))),
        ("made", made),
        ("with", command),
        ("commit of the cells", _counted(str(one.get("commit") or "unknown")[:_LONG] for one in provenance)),
        ("versions", _counted(_versions(one) for one in provenance)),
        ("hardware", _counted(_hardware(one) for one in provenance)),
        ("finished", _span([str(one["finished"]) for one in provenance if one.get("finished")])),
    ]
    return Header(title, counts(study), tuple((name, text) for name, text in facts if text))


def counts(study: Study) -> str:
    """`20 cells: 14 done, 2 training, 4 waiting`; what could not be read is counted too."""
    states = Counter(cell.state for cell in study.cells) + Counter(one.state for one in study.damaged)
    total = sum(states.values())
    order = sorted(states, key=lambda state: (state != "done", state))
    return f"{total:,} cell{'s' * (total != 1)}: " + ", ".join(f"{states[state]:,} {state}" for state in order)


def missing(study: Study) -> int:
    """Cells that a comparison lacks and no directory stands for."""
    return sum(one.state == "missing" for table in study.tables for one in table.left_out)


def _versions(provenance: Mapping[str, Any]) -> str:
    versions = provenance.get("versions")
    its = versions if isinstance(versions, dict) else {}
    return ", ".join(f"{name} {its[name]}" for name in ("wisesr", "torch", "timm", "python") if name in its)


def _hardware(provenance: Mapping[str, Any]) -> str:
    hardware = provenance.get("hardware")
    its = hardware if isinstance(hardware, dict) else {}
    device = its.get("device") or "unknown"
    device = its.get("cpu") or device if device == "cpu" else device
    threads = provenance.get("threads", "?")
    return f"{device}, {threads} thread{'s' * (threads != 1)}"


def _counted(values: Iterable[str]) -> str:
    """A value, or several with how many cells have each."""
    found = Counter(value for value in values if value)
    if len(found) < 2:
        return "".join(found)
    return _some([f"{value} ({count} cells)" for value, count in found.most_common()], "; ")


def _some(names: list[str], between: str = ", ") -> str:
    more = f"{between}{len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return between.join(names[:_SHOWN]) + more


def _span(times: list[str]) -> str:
    """From the first to the last, to the minute, UTC."""
    if not times:
        return ""
    first, last = (time[:16].replace("T", " ") for time in (min(times), max(times)))
    return f"{first} UTC" if first == last else f"{first} to {last} UTC"
