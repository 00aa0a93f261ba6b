"""Answers as rows of CSV and of JSON lines, one for each file that was asked for, readable or not. No torch.

Text is UTF-8. Bytes of a path that are none stand in a CSV file as they are, so that what a shell does with it finds the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Answer(NamedTuple):
    """What a run says of one file."""

    path: str
    probabilities: NDArray[np.float32] | None
    """(classes,), in the order of the run's `class_names`; None where the file cannot be read."""
    problem: str = ""
    """Why, without the path and without a full stop."""


@dataclass(frozen=True)
class Layout:
    """Which columns rows have."""

    class_names: Sequence[str]
    top: int = 1
    """Classes in a row, the most probable first; all where there are fewer."""
    probabilities: bool = False
    """Whether the probability of every class has a column besides."""

    @property
    def places(self) -> int:
        """Classes that a row names."""
        return min(self.top, len(self.class_names))

    @property
    def columns(self) -> list[str]:
        """Their names. Classes are prefixed, as one may be called `path` or `error`."""
        ranked = [f"{name}{ending}" for ending in self._endings for name in ("class", "probability")]
        every = [f"probability:{name}" for name in self.class_names] if self.probabilities else []
        return ["path", *ranked, *every, "error"]

    @property
    def _endings(self) -> list[str]:
        return ["", *(f"_{place}" for place in range(2, self.places + 1))]

    def best(self, probabilities: NDArray[np.float32]) -> NDArray[np.intp]:
        """Indices of the most probable classes; of equal ones the first, as `argmax` has it."""
        order: NDArray[np.intp] = np.argsort(-probabilities, kind="stable")[: self.places]
        return order


class RowWriter(Protocol):
    """Rows into a file that is open for bytes; it closes what it began, and not the file."""

    def write(self, answers: Sequence[Answer]) -> None:
        """Some rows, whole."""

    def close(self) -> None:
        """Whatever is still held."""


class CsvRows:
    """A line of names, then one a file: https://www.rfc-editor.org/rfc/rfc4180, with lines that end as Unix has them."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._file, self._layout = file, layout
        self._file.write(_csv_line(layout.columns))

    def write(self, answers: Sequence[Answer]) -> None:
        """Some rows, whole."""
        self._file.write(b"".join(_csv_line(self._cells(answer)) for answer in answers))
        self._file.flush()

    def close(self) -> None:
        """Nothing is held."""

    def _cells(self, answer: Answer) -> list[str]:
        layout, row = self._layout, answer.probabilities
        if row is None:
            return [answer.path, *[""] * (len(layout.columns) - 2), answer.problem]
        ranked = [cell for index in layout.best(row) for cell in (layout.class_names[index], str(row[index]))]
        return [answer.path, *ranked, *(map(str, row) if layout.probabilities else ()), ""]


def _csv_line(cells: Iterable[str]) -> bytes:
    return as_bytes(",".join(map(_quoted, cells)) + "\n")


def _quoted(cell: str) -> str:
    r"""Python's own writer quotes a lone `\r`, at which its reader ends a row, from version 3.13 on."""
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',"\r\n') else cell


class JsonRows:
    """An object a line: path, predictions (a list of class and probability), perhaps probabilities by class, error or null."""

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        self._file, self._layout = file, layout

    def write(self, answers: Sequence[Answer]) -> None:
        """Some rows, whole."""
        self._file.write(b"".join(_json_line(self._object(answer)) for answer in answers))
        self._file.flush()

    def close(self) -> None:
        """Nothing is held."""

    def _object(self, answer: Answer) -> dict[str, object]:
        names, row = self._layout.class_names, answer.probabilities
        best = () if row is None else self._layout.best(row)
        ranked = [{"class": names[index], "probability": _number(row[index])} for index in best] if row is not None else []
        every = {name: _number(value) for name, value in zip(names, row, strict=True)} if row is not None else {}
        probabilities = {"probabilities": every} if self._layout.probabilities else {}
        return {"path": answer.path, "predictions": ranked, **probabilities, "error": answer.problem or None}


def _number(value: np.float32) -> float:
    """The shortest double that reads as this single: 0.1 and not 0.10000000149."""
    return float(str(value))


_LINE_ENDS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"}
"""Which JSON lets stand in a text, and at which Python's `splitlines` and other readers end a line."""


def _json_line(value: object) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).translate(_LINE_ENDS).encode() + b"\n"
    except UnicodeEncodeError:  # JSON has no bytes: what is no UTF-8 is escaped as Python's surrogates, and read back as them
        return json.dumps(value, allow_nan=False).encode() + b"\n"


def as_bytes(text: str) -> bytes:
    """UTF-8, and as they were the bytes that `os.fsdecode` could not read as such."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, of no file's name
        return text.encode("utf-8", "backslashreplace")
