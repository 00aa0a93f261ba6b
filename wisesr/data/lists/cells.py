"""The cells of a CSV file, whatever separates them. No torch."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from wisesr.errors import UserError

_MARKS = ",;\t|"
"""What may separate columns."""
_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|[^\r\n])"?[ \t,;]*(?:\r\n|\r|\n)', re.IGNORECASE)
"""By which Excel tells itself the separator, in a first line."""
_BEGINNING = 100_000
"""Letters in which the header is looked for."""


def separated(text: str, recognised: Callable[[Sequence[str]], int]) -> tuple[str, int, str]:
    """The text below a line `sep=;`, how many lines that is less, and what separates the columns.

    `recognised`: how many cells of a header are columns that are looked for. What separates the most of them is taken.
    """
    if told := _SEPARATOR_LINE.match(text):
        return text[told.end() :], 1, "\t" if told[1] == "\\t" else told[1]

    def fit(mark: str) -> tuple[int, int]:
        best = 0, 0
        try:
            for cells in filter(any, csv.reader(io.StringIO(text[:_BEGINNING], newline=""), **_format(text, mark))):
                best = recognised(cells), len(cells)
                if not is_comment(cells, best[0]):
                    break
        except csv.Error:
            pass
        return best

    return text, 0, max(_MARKS, key=fit)


def is_comment(cells: Sequence[str], recognised: int) -> bool:
    """Whether a line above the names is one for the reader; `#filename,class` are names."""
    return not recognised and next(filter(None, cells)).lstrip().startswith("#")


def _format(text: str, mark: str) -> dict[str, Any]:
    """For csv.reader. Strict, as a misplaced quotation mark would otherwise move cells in silence."""
    quote = "'" if text.lstrip().startswith("'") else '"'
    return {"delimiter": mark, "quotechar": quote, "skipinitialspace": mark != " ", "strict": True}


def split_records(text: str, mark: str, path: Path | str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold something, each with its number; one with line breaks within quotation marks is one.

    Args:
        text: of the list.
        mark: what separates cells.
        path: of the list, for errors.
        skipped: lines above the text.

    Raises:
        UserError: quotation marks that do not fit together, which would move cells into other columns.
    """
    reader = csv.reader(io.StringIO(text, newline=""), **_format(text, mark))
    before = skipped
    try:
        for cells in reader:
            if (cells and cells[0].strip()) or any(map(str.strip, cells)):
                yield before + 1, cells
            before = reader.line_num + skipped
    except csv.Error as error:
        raise UserError(f"{path} cannot be read as a CSV file: line {before + 1}: {_quoting(error)}") from None


def _quoting(error: csv.Error) -> str:
    """What the csv module says, in words; it has three things to say of text."""
    if "expected after" in str(error):
        return 'a quotation mark ends a cell, and more follows, be it a space: one within a cell is written twice, ""'
    if "field larger" in str(error):
        return f"a cell has more than {csv.field_size_limit():,} letters: is there a quotation mark that none closes?"
    return "a quotation mark begins a cell, and none ends it"
