"""Where the rows of `wisesr predict` go: standard output as they come, or a file that appears when it is whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING

from wisesr.errors import UserError, unknown

if TYPE_CHECKING:
    from wisesr.inference.prediction.rows import Answer, Layout, RowWriter

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
"""Ending of a file's name -> format."""


def format_of(said: str | None, output: Path | None) -> str:
    """The format of the rows.

    Raises:
        UserError: the ending of the file is that of none, or Parquet has no file to go to.
    """
    if said == "parquet" and output is None:
        raise UserError("--format=parquet needs --output FILE: it is not for reading on a terminal, and its end comes first")
    if said is not None or output is None:
        return said or "csv"
    ending = output.suffix.lower()
    if ending not in FORMATS:
        raise UserError(f"--output {output}: {unknown('format', ending, FORMATS)}; or say it with --format")
    return FORMATS[ending]


def require_output(output: Path | None) -> None:
    """Have a place for the rows.

    Raises:
        UserError: there is none.
    """
    from wisesr.results.writable import require_writable

    if output is None:
        if sys.stdout is None:
            raise UserError("standard output is closed: --output FILE")
        return
    if _is_a_stream(output):  # of `>> rows.csv`: taken for that file, its rows would be replaced
        raise UserError(f"--output must be a file, and {output} is a stream; leave it out for standard output")
    if output.exists() and not output.is_file():
        what = "a folder" if output.is_dir() else "a device or a pipe; leave it out for standard output"
        raise UserError(f"--output must be a file, and {output} is {what}")
    require_writable("--output", output)


def _is_a_stream(output: Path) -> bool:
    """Whether a path is another name for what a process has open: /dev/stdout, /dev/fd/1, /proc/self/fd/1."""
    link = str(output.readlink()) if output.is_symlink() else ""
    return link.startswith("/proc/") or os.path.realpath(output.parent).startswith("/proc/")


def write_rows(batches: Iterable[Sequence[Answer]], output: Path | None, kind: str, layout: Layout) -> None:
    """All rows, to standard output or to a file; what ends them early leaves those so far in `partial_of` the file."""
    if output is None:
        _write(batches, sys.stdout.buffer, kind, layout)
        return
    from wisesr.results.atomic_files import replacing

    target = Path(os.path.realpath(output))  # a link stays one
    with replacing(target) as unfinished:
        try:
            with unfinished.open("wb") as file:
                _write(batches, file, kind, layout)
        except BaseException:
            if unfinished.exists():
                os.replace(unfinished, partial_of(output))
            raise


def partial_of(output: Path) -> Path:
    """Where rows stay that were written before an end that came too early."""
    target = Path(os.path.realpath(output))
    return target.with_name(f"{target.name}.partial")


def _write(batches: Iterable[Sequence[Answer]], file: IO[bytes], kind: str, layout: Layout) -> None:
    with closing(_writer(kind, file, layout)) as rows:
        for answers in batches:
            rows.write(answers)


def _writer(kind: str, file: IO[bytes], layout: Layout) -> RowWriter:
    if kind == "parquet":
        from wisesr.inference.prediction.parquet import ParquetRows

        return ParquetRows(file, layout)
    from wisesr.inference.prediction.rows import CsvRows, JsonRows

    writers: dict[str, type[CsvRows] | type[JsonRows]] = {"csv": CsvRows, "jsonl": JsonRows}
    return writers[kind](file, layout)
