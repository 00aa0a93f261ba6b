"""The tables as Markdown, written anew after each row, so that a run that is ended loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmarks.on_gpu.options import Row


class Section(NamedTuple):
    """One table: its title, what is to be known of its numbers, its columns."""

    title: str
    note: str
    columns: Row


class Sheet:
    """All tables of a run.

    Args:
        file: where they are written, or None.
        heading: the lines above the tables.
        sections: by key, in order.
    """

    def __init__(self, file: Path | None, heading: str, sections: dict[str, Section]) -> None:
        self._file, self._heading, self._sections = file, heading, sections
        self._rows: dict[str, list[Row]] = {key: [] for key in sections}

    def add(self, key: str, row: Row) -> None:
        """A row, filled up with empty cells; what stands so far is written."""
        whole = row + ("",) * (len(self._sections[key].columns) - len(row))
        self._rows[key].append(whole)
        print(f"{key}: {' | '.join(row)}", flush=True)
        self.write()

    def write(self) -> None:
        """The file, as far as it has come."""
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(self.text())

    def text(self) -> str:
        """All of it as Markdown; tables without rows are left out."""
        parts = [self._heading]
        for key, section in self._sections.items():
            if self._rows[key]:
                lines = [section.columns, tuple("---" for _ in section.columns), *self._rows[key]]
                table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
                parts.append(f"## {section.title}\n\n{section.note}\n\n{table}")
        return "\n\n".join(parts) + "\n"
