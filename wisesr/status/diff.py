"""What differs between two cells: configuration, environment and result, and whether their numbers may be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape

from wisesr.config.axes import leaves
from wisesr.config.files import load_cell
from wisesr.config.identity import fingerprint
from wisesr.damage import examine
from wisesr.grid.console import make_console
from wisesr.results.fields import as_written
from wisesr.results.find import find_cell
from wisesr.results.lock import is_running
from wisesr.results.reading import depends_on_batch, reading, reading_words
from wisesr.results.record import Provenance, Record
from wisesr.results.store import state_of
from wisesr.status.code_sentences import code_sentences
from wisesr.terminal import Column, tables, tell

_ABSENT = object()
_WHEN = ("started", "finished", "command")
"""Of a record's provenance, what no number comes from."""
_CODE = ("source", "sources", "code")


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
        tell(console, f"{name} {place}")
    configs = [load_cell(place) for place in places]
    _print_table(console, "configuration", differences(*configs))
    if configs[0] != configs[1] and fingerprint(configs[0]) == fingerprint(configs[1]):
        tell(console, "They are one computation: no number depends on what differs here, but for last bits.")
    records = [_record_or_reason(place) for place in places]
    for reason in records:
        if isinstance(reason, str):
            tell(console, f"{reason}, so only configurations are compared")
    finished = [record for record in records if isinstance(record, Record)]
    if len(finished) == len(places):
        _print_records(console, finished[0], finished[1], places)


def _print_records(console: Console, first: Record, second: Record, places: Sequence[Path]) -> None:
    """Print what differs between two finished cells beside their configuration."""
    for note in notes(first, second, places):
        tell(console, note)
    _print_table(console, "environment", differences(environment(first), environment(second)))
    _print_table(console, "result", differences(*results(first, second)))


def _record_or_reason(place: Path) -> Record | str:
    """The record of a cell, or in a user's words why there is none."""
    held = is_running(place)
    found = examine(place, running=held)
    if found.record is not None:
        return found.record
    if found.state is not None:
        return f"{place} {found.verdict}"
    return f"{place} has no result yet ({state_of(place, running=held)[0]})"


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Values that two nested mappings do not share, under their dotted names; 1 and 1.0 are one value."""
    left, right = leaves(first), leaves(second)
    differing = []
    for name in dict.fromkeys([*left, *right]):
        a, b = left.get(name, _ABSENT), right.get(name, _ABSENT)
        if a != b or isinstance(a, bool) != isinstance(b, bool):
            differing.append(Difference(name, _text(a), _text(b), _change(a, b)))
    return differing


def environment(record: Record) -> Mapping[str, Any]:
    """Where the numbers of a record come from; not when. Of code whose files are known `notes` tells."""
    aside = (*_WHEN, *_CODE) if record.provenance.code else _WHEN
    return {name: value for name, value in as_written(record.provenance).items() if name not in aside}


def results(first: Record, second: Record) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Of two records, their numbers and what these took. Where the last epoch is the best one of both, it stands once."""
    once = all(record.best.epoch == record.last.epoch for record in (first, second))
    return _result(first, once=once), _result(second, once=once)


def _result(record: Record, *, once: bool) -> Mapping[str, Any]:
    last = {} if once else {"last": record.last.row}
    spent = {"budget": as_written(record.budget), **as_written(record.cost)}
    rows = {name: _in_percent(row) for name, row in {"best": record.best.row, **last}.items()}
    return {"selection": record.selection, **rows, **spent}


def _in_percent(row: Mapping[str, float]) -> dict[str, float]:
    """The figures of an epoch as people read them: shares in percent, which their names say."""
    return {f"{name} %" if _is_share(name) else name: 100 * value if _is_share(name) else value for name, value in row.items()}


def _is_share(name: str) -> bool:
    """Whether a figure of an epoch is a share from 0 to 1."""
    return name.endswith(("top1", "top5", "macro_f1", "ece"))


def notes(first: Record, second: Record, places: Sequence[Path]) -> list[str]:
    """In sentences, what a reader must know before comparing two records' numbers.

    Args:
        first: the one record.
        second: the other.
        places: of their cells, whose code.json tells of files.
    """
    here, there = first.provenance, second.provenance
    sentences = []
    if here.data != there.data:
        sentences.append("These two results were not obtained on the same data: images, labels or splits differ.")
    if first.selection != second.selection:
        sentences.append("Their epochs were not chosen in the same way, or not on the same images.")
    if reading(here.reads) != reading(there.reads):
        sentences.append(
            f"Their epochs began with different things, the first's with {reading_words(here.reads)}, the second's with "
            f"{reading_words(there.reads)}: seconds, images a second and memory are of different work."
        )
    if packages := _differing(here.versions, there.versions):
        sentences.append(f"They were not computed by the same versions of {', '.join(packages)}.")
    sentences += code_sentences([(here, places[0]), (there, places[1])])
    if None not in (parts := (here.device_parts, there.device_parts)) and parts[0] != parts[1]:
        sentences.append(
            "They are not the same computation: their batches were divided over other devices, and BatchNorm and mixing see "
            "one device's part."
        )
    if differs := max(map(depends_on_batch, (here.reads, there.reads))):
        sentences.append(f"Last bits may differ: kept maps depend on what else was in a batch, by up to {differs:.2g}.")
    others = ["number of devices"] if parts[0] == parts[1] and here.devices != there.devices else []
    if names := others + _differing(_machine(here), _machine(there)):
        sentences.append(f"Last bits may differ: not the same {', '.join(names)}.")
    return sentences


def _machine(provenance: Provenance) -> Mapping[str, Any]:
    """On what a cell was computed."""
    return {"threads": provenance.threads, **provenance.hardware}


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Names whose values differ."""
    return [difference.name for difference in differences(first, second)]


def _print_table(console: Console, title: str, differing: Sequence[Difference]) -> None:
    if not differing:
        console.print(f"\n{title}: nothing differs\n")
        return
    numbers = any(difference.change for difference in differing)
    columns = [Column("", name=True), *map(Column, ("first", "second", *["change"] * numbers))]
    parts = tables(columns, [list(map(escape, own[: len(columns)])) for own in differing], console.width, title=f"\n{title}")
    if len(parts) == 1:
        console.print(parts[0], crop=False)
        return
    tell(console, f"\n{title}\n", "bold")  # long values stand below one another: side by side they would be torn apart
    for own in differing:
        tell(
            console,
            f"{own.name}\n  first   {own.first}\n  second  {own.second}" + f"\n  change  {own.change}" * bool(own.change),
        )


def _change(first: Any, second: Any) -> str:
    """Second minus first, of numbers; else empty."""
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
