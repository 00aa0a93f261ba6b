"""What differs between two cells: configuration, environment and result, and whether their numbers may be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wisesr.config.axes import Leaves, leaves
from wisesr.config.files import load_cell
from wisesr.errors import UserError
from wisesr.grid.display import make_console
from wisesr.results.lock import is_running
from wisesr.results.record import read_record
from wisesr.results.store import find_cells, state_of

_SHOWN = 12
"""Cells listed for an ambiguous name."""
_ABSENT = object()


class Difference(NamedTuple):
    """One value that two cells do not share."""

    name: str
    """Dotted: `recipe.optimizer.lr`."""
    first: str
    second: str
    change: str
    """Second minus first, of numbers; else empty."""


def print_diff(first: str, second: str, *, root: Path) -> None:
    """Print what differs between two cells.

    Args:
        first: a cell's directory, or a part of its path below `root` that no other cell's has.
        second: likewise.
        root: where to look for them.

    Raises:
        UserError: a name is no cell's, or that of several.
    """
    places = [find_cell(name, root) for name in (first, second)]
    console = make_console()
    for name, place in zip(("first: ", "second:"), places, strict=True):
        console.print(escape(f"{name} {place}"), soft_wrap=True)
    _print_table(console, "configuration", differences(*map(load_cell, places)))
    records = [read_record(place) for place in places]
    if unfinished := [place for place, record in zip(places, records, strict=True) if record is None]:
        for place in unfinished:
            state, _ = state_of(place, running=is_running(place))
            console.print(escape(f"{place} has no result yet ({state}), so only configurations are compared"), soft_wrap=True)
        return
    one, other = ({} if record is None else record.json for record in records)
    for note in notes(one, other):
        console.print(escape(note))
    _print_table(console, "environment", differences(environment(one), environment(other)))
    _print_table(console, "result", differences(*results(one, other)))


def find_cell(name: str, root: Path) -> Path:
    """The directory of a cell.

    Args:
        name: its directory, from here or from `root`; or a part of its path below `root` that no other cell's has. Where
            several have it, the one that has it as whole names: `seed-1` is not `seed-10`.
        root: where to look.

    Raises:
        UserError: there is none, or several; the nearest are listed.
    """
    for place in (Path(name), root / name):
        if (place / "config.yaml").is_file():
            return place
    cells = {cell: f"/{cell.relative_to(root).as_posix()}/" for cell in find_cells(root)}
    part = name.strip("/")
    having = [cell for cell, path in cells.items() if part in path]
    whole = [cell for cell in having if re.search(rf"(?<![\w.]){re.escape(part)}(?![\w.])", cells[cell])]
    matches = whole or having
    if len(matches) == 1:
        return matches[0]
    listed = matches or list(cells)
    lines = [f"  {cell}" for cell in listed[:_SHOWN]] + [f"  and {len(listed) - _SHOWN} more"] * (len(listed) > _SHOWN)
    what = f"is part of the path of {len(matches)} cells; give more of it" if matches else "is part of no path"
    raise UserError("\n".join([f"--diff: {name!r} {what}. Cells below {root}:", *(lines or ["  none"])]))


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Values that two nested mappings do not share, under their dotted names; 1 and 1.0 are one value."""
    one, other = leaves(first), leaves(second)
    found = []
    for name in dict.fromkeys([*one, *other]):
        a, b = one.get(name, _ABSENT), other.get(name, _ABSENT)
        if a != b or isinstance(a, bool) != isinstance(b, bool):
            found.append(Difference(name, _text(a), _text(b), _change(a, b)))
    return found


def environment(record: Mapping[str, Any]) -> Leaves:
    """Of a record, where its numbers come from; not when."""
    return {name: value for name, value in record.get("provenance", {}).items() if name != "finished"}


def results(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[Leaves, Leaves]:
    """Of two records, their numbers and what these took. Where the last epoch is the best one of both, it stands once."""
    once = all(_last_is_best(record.get("metrics", {})) for record in (first, second))
    return _result(first, once=once), _result(second, once=once)


def _last_is_best(metrics: Mapping[str, Any]) -> bool:
    return "best" in metrics and "last" in metrics and metrics["best"].get("epoch") == metrics["last"].get("epoch")


def _result(record: Mapping[str, Any], *, once: bool) -> Leaves:
    metrics = {name: rows for name, rows in record.get("metrics", {}).items() if name == "best" or not once}
    return {"selection": record.get("selection"), **metrics, "budget": record.get("budget"), **record.get("cost", {})}


def notes(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """In sentences, what a reader must know before comparing two records' numbers."""
    one, other = environment(first), environment(second)

    def differ(*names: str) -> list[str]:
        found = differences({name: one.get(name) for name in names}, {name: other.get(name) for name in names})
        return [difference.name for difference in found]

    sentences = []
    if differ("data"):
        sentences.append("These two results were not obtained on the same data: images, labels or splits differ.")
    if first.get("selection") != second.get("selection"):
        sentences.append("Their epochs were not chosen in the same way, or not on the same images.")
    if names := differ("versions"):
        packages = ", ".join(name.partition(".")[2] for name in names)
        sentences.append(f"They were not computed by the same versions of {packages}.")
    if differ("source", "sources"):
        sentences.append("They were not computed by the same code of wisesr: its source differs.")
    if names := differ("threads", "hardware"):
        sentences.append(f"Last bits may differ: not the same {', '.join(name.rpartition('.')[2] for name in names)}.")
    return sentences


def _print_table(console: Console, title: str, found: Sequence[Difference]) -> None:
    if not found:
        console.print(f"\n{title}: nothing differs\n")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"\n{title}", title_justify="left", title_style="bold")
    table.add_column("", no_wrap=True)
    numbers = any(difference.change for difference in found)
    for name in ("first", "second", *["change"] * numbers):
        table.add_column(name, justify="right", overflow="fold")
    for difference in found:
        table.add_row(*map(escape, difference[: 4 if numbers else 3]))
    console.print(table)


def _change(first: Any, second: Any) -> str:
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in (first, second)):
        return ""
    change = second - first
    return f"{change:+,}" if isinstance(change, int) else f"{change:+.4g}"


def _text(value: object) -> str:
    """As YAML has it; hashes by their first digits, counts in thousands, what is not there as -."""
    if value is _ABSENT:
        return "-"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.6g}"
    if isinstance(value, (int, float)):
        return f"{int(value):,}"
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "[]"
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28,52}\b", r"\1", str(value))
