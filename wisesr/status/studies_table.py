"""All studies as one table: a study a row, the newest first, words whole at 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from rich import box
from rich.markup import escape
from rich.table import Table

from wisesr.data.legible import legible
from wisesr.errors import UserError
from wisesr.grid.console import make_console, say, tracked
from wisesr.results.head_order import in_order
from wisesr.space.disk import files_below, taken
from wisesr.status.matrix import COUNTED
from wisesr.status.studies import StudySummary, find_studies, summarize
from wisesr.wording import count_of, natural_key, size, some_of

_NAMED = 2
"""Heads, backbones, datasets that are written out; of more their number."""
_SHOWN = 8
"""Damaged cells that are named, of all studies."""
_NEVER = datetime.min.replace(tzinfo=timezone.utc)


class _Column(NamedTuple):
    header: str
    text: Callable[[StudySummary], str]
    right: bool = False


def print_studies(outputs: Path) -> None:
    """Print what ran, when, and how much disk it takes.

    Args:
        outputs: the folder of studies.

    Raises:
        UserError: it holds no cells.
    """
    console = make_console()
    found = find_studies(outputs)
    folders = {folder: cells for folder, cells in found.items() if cells}
    if not folders:
        raise UserError(f"there are no cells below {outputs}: a cell is a directory with a config.yaml, made by training")
    studies = [summarize(*one) for one in tracked(folders.items(), len(folders), "reading studies", console)]
    studies.sort(key=lambda study: study.last or _NEVER, reverse=True)
    console.print(_table(studies, console.width))
    for sentence in _sentences(studies, [folder for folder in found if folder not in folders]):
        say(console, sentence)
    if damaged := [problem for study in studies for problem in study.damaged]:
        for problem in damaged[:_SHOWN]:
            say(console, f"  {problem}")
        if len(damaged) > _SHOWN:
            console.print(f"  and {len(damaged) - _SHOWN:,} more")


def _table(studies: Sequence[StudySummary], width: int) -> Table:
    """As many columns as leave the longest word of the first one whole; two spaces between them."""
    columns = [
        _Column("cells", _cells),
        _Column("began\nlatest", _times),
        _Column(".ckpt", lambda study: _bytes(study.checkpoints), right=True),
        _Column("rest", lambda study: _bytes(study.rest), right=True),
        _Column("can go", lambda study: _bytes(study.can_go), right=True),
    ]
    first = [f"[bold]{escape(legible(study.name))}[/]\n{escape(legible(describe(study)))}" for study in studies]
    longest = max(len(word) for study in studies for word in [study.name, *describe(study).split()])
    while len(columns) > 1 and longest + sum(2 + _width(column, studies) for column in columns) > width:
        columns.pop()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("study", overflow="fold")
    for column in columns:
        table.add_column(column.header, justify="right" if column.right else "left", no_wrap=True)
    for study, name in zip(studies, first, strict=True):
        table.add_row(name, *(escape(column.text(study)) for column in columns))
    return table


def _width(column: _Column, studies: Iterable[StudySummary]) -> int:
    texts = [column.header, *map(column.text, studies)]
    return max(len(line) for text in texts for line in text.split("\n"))


def describe(study: StudySummary) -> str:
    """What ran: `gap, wise x resnet18 on digits, 64 px, 5 seeds`."""
    heads = _names("head", in_order({labels.head for labels in study.labels}, baseline="gap"))
    backbones = _names("backbone", sorted({labels.backbone for labels in study.labels}, key=natural_key))
    datasets = _names("dataset", sorted({labels.dataset for labels in study.labels}, key=natural_key))
    sizes = sorted({labels.size for labels in study.labels})
    seeds = len({labels.seed for labels in study.labels})
    if not sizes:
        return "nothing that can be read"
    text = f"{heads} x {backbones} on {datasets}, {'/'.join(map(str, sizes[:4]))}{'/...' * (len(sizes) > 4)} px"
    return text + (f", {seeds} seeds" if seeds > 1 else "")


def _names(noun: str, names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _NAMED else count_of(len(names), noun)


def _cells(study: StudySummary) -> str:
    lines = [f"{study.states[state]:,} {state}" for state in COUNTED if study.states[state]]
    return "\n".join(lines + [f"{len(study.damaged):,} damaged"] * bool(study.damaged))


def _times(study: StudySummary) -> str:
    """Two lines, in this machine's time."""
    if study.began is None or study.last is None:
        return "-"
    return f"{_time(study.began)}\n{_time(study.last)}"


def _time(moment: datetime) -> str:
    local = moment.astimezone()
    return local.strftime("%d %b %H:%M" if local.year == datetime.now().year else "%d %b %Y")


def _bytes(count: int) -> str:
    return size(count) if count else "-"


def _sentences(studies: Sequence[StudySummary], others: Sequence[Path]) -> list[str]:
    """Sums, how to go on, and what else lies there."""
    checkpoints = sum(study.checkpoints for study in studies)
    whole, can_go = checkpoints + sum(study.rest for study in studies), sum(study.can_go for study in studies)
    of_it = size(checkpoints) if checkpoints else "none"
    lines = ["", f"{count_of(len(studies), 'study', 'studies')}, {size(whole)}, {of_it} of it checkpoints."]
    if can_go:
        lines[-1] += f" wisesr clean STUDY frees what can go, {size(can_go)} in all, and tells first what that is."
    lines.append("wisesr status STUDY tells where its cells stand, and what failed and why.")
    if others:
        sizes = [f"{folder.name} ({size(taken(files_below(folder)))})" for folder in others]
        lines.append(f"Without cells: {some_of(sizes, 6)}.")
    return lines
