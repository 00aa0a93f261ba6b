"""Answers as a Parquet file, in groups of rows, so that any number of them passes through. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import IO, Any

import numpy as np

from wisesr.errors import UserError
from wisesr.inference.prediction.rows import Answer, Layout, as_bytes

_CELLS = 1 << 20
"""Of a group of rows, which is held in memory until it is whole."""


def require_pyarrow() -> None:
    """Have the library that writes Parquet.

    Raises:
        UserError: it is not installed.
    """
    try:
        import_module("pyarrow.parquet")
    except ImportError as error:
        raise UserError(
            f"--format=parquet needs pyarrow ({error}): pip install 'wisesr[parquet]'; --format=csv and jsonl do without"
        ) from error


class ParquetRows:
    """Columns as in CSV; what is empty there is null.

    `path` is text, in which bytes that are no UTF-8 stand as `\\xff`; `path_bytes` has the path of such files as it is, and is
    null for all others.
    """

    def __init__(self, file: IO[bytes], layout: Layout) -> None:
        require_pyarrow()
        self._arrow, self._layout = import_module("pyarrow"), layout
        self._schema = self._schema_of(layout)
        self._writer = import_module("pyarrow.parquet").ParquetWriter(file, self._schema)
        self._held: list[Any] = []
        self._cells = 0

    def write(self, answers: Sequence[Answer]) -> None:
        """Some rows, whole."""
        if answers:
            self._held.append(self._arrow.RecordBatch.from_arrays(self._arrays(answers), schema=self._schema))
            self._cells += len(answers) * len(self._schema)
        if self._cells >= _CELLS:
            self._flush()

    def close(self) -> None:
        """The last rows, and what makes a file of them all."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._held:
            self._writer.write_table(self._arrow.Table.from_batches(self._held, self._schema), row_group_size=_CELLS)
        self._held, self._cells = [], 0

    def _schema_of(self, layout: Layout) -> Any:
        kinds = {"path": self._arrow.string(), "error": self._arrow.string()}
        fields = [
            (
                legible_utf_8(name),
                kinds.get(name) or (self._arrow.string() if name.startswith("class") else self._arrow.float32()),
            )
            for name in layout.columns
        ]
        return self._arrow.schema([fields[0], ("path_bytes", self._arrow.binary()), *fields[1:]])

    def _arrays(self, answers: Sequence[Answer]) -> list[Any]:
        layout, array = self._layout, self._arrow.array
        names = [legible_utf_8(name) for name in layout.class_names]
        absent = np.array([answer.probabilities is None for answer in answers])
        rows = np.full((len(answers), len(names)), 0, np.float32)
        best = np.zeros((len(answers), layout.places), np.intp)
        for place, answer in enumerate(answers):
            if answer.probabilities is not None:
                rows[place], best[place] = answer.probabilities, layout.best(answer.probabilities)
        paths = [answer.path for answer in answers]
        columns = [
            array([legible_utf_8(path) for path in paths]),
            array([_odd_bytes(path) for path in paths], self._arrow.binary()),
        ]
        for chosen in best.T:
            columns.append(
                array(
                    [None if gone else names[index] for gone, index in zip(absent, chosen, strict=True)], self._arrow.string()
                )
            )
            columns.append(array(rows[np.arange(len(rows)), chosen], mask=absent))
        if layout.probabilities:
            columns += [array(column, mask=absent) for column in np.ascontiguousarray(rows.T)]
        return [*columns, array([answer.problem or None for answer in answers], self._arrow.string())]


def legible_utf_8(text: str) -> str:
    """Text as it is, but for bytes that are no UTF-8, which become escapes."""
    return as_bytes(text).decode("utf-8", "backslashreplace")


def _odd_bytes(path: str) -> bytes | None:
    """The bytes of a path that is not what `legible_utf_8` makes of it."""
    return None if legible_utf_8(path) == path else as_bytes(path)
