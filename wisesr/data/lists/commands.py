"""Commands that a message hands to the user to copy. No torch."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path


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
    return f"{command} < {shlex.quote(str(path))} > {shlex.quote(str(copy))}, then {shlex.quote(f'dataset.csv={copy}')}"


def columns_override(columns: Mapping[str, str | None]) -> str:
    """`'dataset.columns={filename: img, class: "Art des Bildes"}'`, as a shell and Hydra take it.

    https://hydra.cc/docs/1.3/advanced/override_grammar/basic/
    """
    return shlex.quote(f"dataset.columns={{{', '.join(f'{key}: {_quoted(name)}' for key, name in columns.items())}}}")


def _quoted(name: str | None) -> str:
    if name is None:
        return "null"
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) and name.lower() not in ("null", "true", "false", "nan", "inf"):
        return name
    return '"' + re.sub(r'(\\*)"', r'\1\1\\"', re.sub(r"(\\+)$", r"\1\1", name)).replace("${", "\\${") + '"'
