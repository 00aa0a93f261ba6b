"""What is kept, as a table, and how much more may be. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from wisesr.data.legible import legible
from wisesr.data.rows.room import LIMIT, free_bytes, limit
from wisesr.grid.console import say
from wisesr.space.cache import CONTENTS, MANIFESTS, files_of_kind
from wisesr.space.disk import taken
from wisesr.space.kept import Kept, Use
from wisesr.terminal import Column, tables
from wisesr.wording import size

_COLUMNS = (
    *(Column(title, name=True) for title in ("what", "dataset")),
    *map(Column, ("images", "size", "last used", "key")),
    Column("", tail=True),
)
_OTHERS = {CONTENTS: "what lies in files of datasets", MANIFESTS: "manifests of datasets"}
_COLOURS = {Use.READ: "green", Use.WRITTEN: "yellow", Use.BEGUN: "yellow"}


def print_kept(console: Console, place: Path, kept: Sequence[Kept]) -> None:
    """Print what is kept in a folder, what it takes, and what more it may take.

    Args:
        console: the terminal.
        place: the folder.
        kept: rows in it.
    """
    others = {text: files_of_kind(place, name) for name, text in _OTHERS.items()}
    rows = [_row(one) for one in kept]
    rows += [[text, "", "", size(taken(files)), "", "", ""] for text, files in others.items() if files]
    if not rows:
        say(console, f"Nothing is kept in {place}.")
        return
    for table in tables(_COLUMNS, rows, console.width):
        console.print(table)
    ours = sum(one.bytes for one in kept)
    together = ours + sum(taken(files) for files in others.values())
    say(console, f"{size(together)} in {place}; the disk has {size(free_bytes(place))} free.")
    say(console, _bound(ours))
    if any(one.use is Use.BEGUN for one in kept):
        say(console, "Half-built: whatever made it was interrupted; the next cell that wants rows of its kind goes on.")


def _row(kept: Kept) -> list[str]:
    count = "" if kept.rows is None else f"{kept.rows:,}"
    use = f"[{_COLOURS[kept.use]}]{kept.use.value}[/]" if kept.use in _COLOURS else kept.use.value
    return [escape(legible(kept.what)), escape(legible(kept.dataset)), count, size(kept.bytes), _time(kept.used), kept.key, use]


def _bound(ours: int) -> str:
    most = limit()
    what = f"Decoded images and feature maps take {size(ours)}"
    if most is None:
        return f"{what}. {LIMIT}=50GB, say, bounds them: what was used least recently then goes when others need room."
    return f"{what} of {size(most)} ({LIMIT})."


def _time(seconds: float) -> str:
    """In this machine's time."""
    moment = datetime.fromtimestamp(seconds)
    return moment.strftime("%d %b %H:%M" if moment.year == datetime.now().year else "%d %b %Y")
