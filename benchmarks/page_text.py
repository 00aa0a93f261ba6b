"""docs/benchmarks.md as text: the machine, a table of all targets, what each script says besides, what people wrote below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

BY_HAND = "<!-- by hand -->"
_SHOWN = ("torch", "torchvision", "lightning", "timm", "wandb", "numpy", "pillow")

_HEAD = """# Benchmarks

How fast it is, each figure beside a peer that ran in turn with it on the same machine. Ratios are what holds elsewhere:
milliseconds vary by a third and more where other work shares the machine. `make bench` measures all of it anew and writes
this page; how, and how to add a claim, is in `benchmarks/README.md`.
"""


class Section(NamedTuple):
    """A script, and what it found."""

    name: str
    title: str
    found: dict[str, Any] | None
    """As `benchmarks.measured.read_found` gives it; None where it has not run, or failed."""
    failure: str | None = None
    """The last line that it left, where it failed."""


def page_text(sections: Sequence[Section], before: str = "") -> str:
    """The page.

    Args:
        sections: in the order of the page.
        before: the page as it was; what stands below the line `<!-- by hand -->` is kept.
    """
    measured = [section for section in sections if section.found]
    parts = [
        _HEAD,
        _where(measured),
        "## Targets\n" if measured else "",
        _targets(measured),
        _misses(measured),
        _absent(sections),
    ]
    parts += [_section(section) for section in measured]
    _, line, kept = before.partition(BY_HAND)
    return "\n".join([*filter(None, parts), BY_HAND]) + (kept if line else "\n")


def _where(measured: Iterable[Section]) -> str:
    """A line for each machine, with its versions, and of which day and commit the figures of which scripts are."""
    places: dict[str, dict[str, list[str]]] = {}
    for section in measured:
        assert section.found is not None
        versions = section.found["versions"]
        known = ", ".join(f"{name} {versions[name]}" for name in _SHOWN if name in versions)
        place = f"{section.found['machine']}; Python {versions['python']}, {known}"
        when = f"{section.found['date']}, commit {section.found['commit'] or 'unknown'}"
        places.setdefault(place, {}).setdefault(when, []).append(f"`{section.name}`")
    lines = [
        f"- {place}.\n" + "".join(f"    - {when}: {', '.join(names)}\n" for when, names in runs.items())
        for place, runs in places.items()
    ]
    return "Measured on:\n\n" + "".join(lines) if lines else ""


def _targets(measured: Iterable[Section]) -> str:
    rows = ["| target | bound | measured | | beside | command |", "| --- | --- | --- | --- | --- | --- |"]
    for section in measured:
        assert section.found is not None
        for row in section.found["rows"]:
            verdict = {True: "met", False: "**missed**", None: ""}[row["met"]]
            cells = (row["target"], row["bound"], row["figure"], verdict, row["peer"], f"`{section.found['command']}`")
            rows.append(_row(cells))
    return "\n".join(rows) + "\n" if len(rows) > 2 else ""


def _misses(measured: Iterable[Section]) -> str:
    lines = [
        f"- {row['target']}: {row['figure']} ({row['bound']}). {row['note'] or 'No reason is known.'}"
        for section in measured
        if section.found
        for row in section.found["rows"]
        if row["met"] is False
    ]
    return "Missed, and why:\n\n" + "\n".join(lines) + "\n" if lines else ""


def _absent(sections: Iterable[Section]) -> str:
    lines = [
        f"- `benchmarks/{section.name}.py` " + (f"failed: `{section.failure}`" if section.failure else "has not run here.")
        for section in sections
        if not section.found
    ]
    return "Not measured:\n\n" + "\n".join(lines) + "\n" if lines else ""


def _section(section: Section) -> str:
    assert section.found is not None
    notes = [f"- {row['target']}: {row['note']}" for row in section.found["rows"] if row["note"] and row["met"] is not False]
    minutes = max(1, round(section.found["minutes"]))
    parts = [f"## {section.title}\n", f"`{section.found['command']}`, {minutes} minute{'s' if minutes > 1 else ''}.\n"]
    parts += ["\n".join(notes) + "\n"] if notes else []
    parts += [section.found["table"].strip() + "\n"] if section.found["table"].strip() else []
    return "\n".join(parts)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
