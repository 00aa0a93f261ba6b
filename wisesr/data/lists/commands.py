"""Commands that a message hands to the user to copy. No torch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from wisesr.data.overrides import override


def filtered(command: str, path: Path | str, suffix: str) -> str:
    """A command that writes a changed copy of a list beside it, and the override that takes the copy.

    Args:
        command: reads the list as its standard input: `tr -d x`.
        path: the list.
        suffix: of the copy's name: labels-utf8.csv.

    Returns:
        Empty for a path that is a text, which is no file on this disk.
    """
    if isinstance(path, str):
        return ""
    copy = path.with_name(f"{path.stem}-{suffix}.csv")
    return f"{command} < {shlex.quote(str(path))} > {shlex.quote(str(copy))}, then {override('dataset.csv', str(copy))}"


def columns_override(columns: Mapping[str, str | None]) -> str:
    """`'dataset.columns={filename: img, class: "Art, Bild"}'`, as a shell and Hydra take it."""
    return override("dataset.columns", columns)
