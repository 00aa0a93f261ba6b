"""CSV files that list images: from Excel, pandas or a script, in any of the ways in which those write them. No torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from wisesr.data.folder_tree import same_name
from wisesr.data.listing import Row
from wisesr.data.lists.cells import is_comment, separated, split_records
from wisesr.data.lists.columns import SPLIT_WORDS, Columns, Header, find_columns, recognised
from wisesr.data.lists.commands import columns_override
from wisesr.data.lists.paths import path_reader
from wisesr.data.lists.text import list_text
from wisesr.data.lists.unread import Unread
from wisesr.data.manifest import SPLITS, TRAIN
from wisesr.errors import UserError, unknown
from wisesr.wording import some_of


class ImageList(NamedTuple):
    """A list that was read."""

    rows: list[Row]
    header: Header
    line: int
    """Of the header, from 1."""
    columns: Columns
    unread: Sequence[str]
    """Columns that say nothing to this program."""


def csv_rows(base: Path, name: str, split: str = TRAIN, columns: Mapping[str, str | None] | None = None) -> list[Row]:
    """The images of a list. Arguments and errors as of `read_list`."""
    return read_list(base, name, split, columns).rows


def read_list(base: Path, name: str, split: str = TRAIN, columns: Mapping[str, str | None] | None = None) -> ImageList:
    """A CSV file with columns filename,class[,split][,group], in any order and among others.

    Args:
        base: the root, which the filenames are below.
        name: the file's path, below the root or absolute.
        split: of images that the file gives none.
        columns: filename, class, split, group -> the name of that column in the file, where it has another than those of
            `wisesr.data.lists.columns.NAMES`; None for a split or group that is not to be read.

    Raises:
        UserError: no such file, no text, no such columns, a line that lacks something, no images.
    """
    path = base / name
    if path.is_dir():
        raise UserError(f"dataset.csv must be a file, and {path} is a folder")
    if not path.is_file():
        lists = sorted(other.name for other in base.glob("*.[ct]sv"))
        raise UserError(f"there is no file {path}{f'; there are {some_of(lists, 5)}' if lists else ''}")
    content = path.read_bytes()
    return _read(list_text(content, path), path, split, columns or {}, base, utf8=b"\0" not in content)


def read_rows(
    lines: Iterable[str] | bytes,
    path: Path | str,
    split: str = TRAIN,
    columns: Mapping[str, str | None] | None = None,
) -> list[Row]:
    """The images of a list that is no file: of its text, or of its bytes. `path`: what errors call it. See `read_list`."""
    try:
        content = lines if isinstance(lines, bytes) else "".join(lines).encode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} cannot be read as a CSV file in UTF-8: {error}") from error
    return _read(list_text(content, path), path, split, columns or {}, None).rows


def _read(
    text: str, path: Path | str, split: str, chosen: Mapping[str, str | None], base: Path | None, utf8: bool = True
) -> ImageList:
    text, skipped, mark = separated(text, lambda cells: recognised(cells, chosen))
    records = split_records(text, mark, path, skipped)
    noted = ((line, names) for line, names in records if not is_comment(names, recognised(names, chosen)))
    line, names = next(noted, (0, []))
    if not names:
        raise UserError(f"{path} is empty: a line of names must be on top, filename,class")
    first = next(records, (0, []))
    header = Header(path, [name.strip() for name in names], first[1], mark, utf8)
    columns = find_columns(header, chosen)
    unread = Unread(header, columns)
    below = (record for record in chain([first], records) if record[1] != names)  # lists that were joined repeat theirs
    rows = _rows(unread.watch(below) if first[1] else (), header, columns, split, base)
    if not rows:
        raise UserError(f"{path} lists no images")
    if columns.split is None and "split" not in chosen:
        unread.refuse_split()
    return ImageList(rows, header, line, columns, unread.names())


def _rows(
    records: Iterable[tuple[int, list[str]]], header: Header, columns: Columns, default: str, base: Path | None
) -> list[Row]:
    """A row for each record; what repeats, labels and splits, is understood once."""
    labels, splits, below = _Known(_label), _Known(_split(header, columns)), path_reader(base)
    groups = _Known(lambda cell: same_name(cell.strip()))
    at_path, at_label, at_split, at_group = columns
    width, rows, place = max(at for at, name in enumerate(header.names) if name) + 1, [], Path(header.path).name
    last = max(at for at in columns if at is not None)
    for line, cells in records:
        try:
            if len(cells) != width:
                cells = _of_width(cells, width, last, header.mark)
            filename, label = cells[at_path].strip(), labels[cells[at_label]]
            if not filename or not label:
                raise UserError(f"filename and class must both be given, and this line holds {_shown(cells)}")
            split = (splits[cells[at_split]] if at_split is not None else "") or default
            group = groups[cells[at_group]] if at_group is not None else ""
            rows.append(Row(below(filename), label, split, group, f"{place}, line {line}"))
        except UserError as error:
            raise UserError(f"{header.path}, line {line}: {error}") from None
    return rows


class _Known(dict[str, str]):
    """What texts were made into; made once for each that is not there yet."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, text: str) -> str:
        self[text] = self._make(text)
        return self[text]


def _label(cell: str) -> str:
    label = same_name(cell.strip())
    if re.search(r"[\r\n]", label):
        raise UserError(f"the class {label[:80]!r} goes over several lines: is there a quotation mark too many?")
    return label


def _split(header: Header, columns: Columns) -> Callable[[str], str]:
    def split(cell: str) -> str:
        word = cell.strip().casefold()
        if not word or word in SPLIT_WORDS:
            return SPLIT_WORDS.get(word, "")
        name = header.names[columns.split or 0]
        more = f" (or {', '.join(word for word in SPLIT_WORDS if word not in SPLITS)})"
        none = f"Write those into the column {name!r}, or leave it unread: {columns_override({'split': None})}"
        return _refuse(f"{unknown('split', cell.strip(), SPLITS)}{more}. {none}")

    return split


def _refuse(what: str) -> str:
    raise UserError(what)


def _of_width(cells: list[str], width: int, last: int, mark: str) -> list[str]:
    """A line's cells up to the last that is needed; raises UserError where it has more than the header."""
    if len(cells) > width and any(map(str.strip, cells[width:])):
        word = {",": "comma", ";": "semicolon", "\t": "tab"}.get(mark, mark)
        raise UserError(
            f"{len(cells)} cells, and the first line names {width} columns: {_shown(cells)}. A name with a {word} in it needs "
            'quotation marks around it, "..."'
        )
    return cells + [""] * (last + 1 - len(cells))


def _shown(cells: Sequence[str]) -> str:
    return some_of([repr(cell[:80]) for cell in cells], 6)
