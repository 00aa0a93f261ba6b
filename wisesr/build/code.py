"""The code that a configuration computes by: the cell's program, and what each of its `_target_`s names. No torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wisesr.results.code import Code, as_found
from wisesr.results.code_files import FoundCode, find_code
from wisesr.results.code_search import cell_path

PROGRAM = "wisesr.cell.__main__"
_ASIDE = ("logger", "grid")
"""Nodes whose parts make no number."""


def targets_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Every `_target_` that a configuration computes with, sorted: those of its loggers make no number."""
    return tuple(sorted(set(_targets({name: node for name, node in config.items() if name not in _ASIDE}))))


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(target := node.get("_target_"), str):
            yield target
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from _targets(value)


class CodeNow:
    """The code of cells as it lies on the disk, looked at once for all that have the same targets.

    Args:
        path: where their modules are looked for; None for where a cell's process does.
    """

    def __init__(self, path: Sequence[str] | None = None) -> None:
        self._path = cell_path() if path is None else path
        self._found: dict[tuple[str, ...], FoundCode] = {}

    def find(self, config: Mapping[str, Any]) -> FoundCode:
        """The files of a cell's code."""
        targets = targets_of(config)
        if targets not in self._found:
            self._found[targets] = find_code([PROGRAM], targets, self._path)
        return self._found[targets]

    def of(self, config: Mapping[str, Any]) -> Code:
        """What a cell of this configuration would note of its code."""
        return as_found(self.find(config))
