"""A YAML file of conf/ with its comments, which YAML readers drop: the header, and each key with its value and its comment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_KEY = re.compile(r"^(?P<indent> *)(?P<key>\w+):(?P<value>.*?)(?:\s+#\s?(?P<comment>.*))?$")


class Entry(NamedTuple):
    """A key that has a value of its own."""

    key: str
    """With the keys above it: `optimizer.lr`."""
    value: str
    """As it stands there."""
    comment: str
    """Beside it and above it."""


class Commented(NamedTuple):
    """A file."""

    header: tuple[str, ...]
    """Lines, without their #."""
    body: str
    """All below the header."""
    bases: tuple[str, ...]
    """Files of the group that its `defaults` name."""
    entries: tuple[Entry, ...]


def read_commented(path: Path) -> Commented:
    """Read a file of conf/: block style, keys of one line each."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    header = tuple(line[1:].removeprefix(" ") for line in lines[:first] if "@package" not in line)
    below = lines[first:]
    defaults = next((line for line in below if line.startswith("defaults: [")), "")
    bases = tuple(name for name in re.findall(r"\w+", defaults.partition(":")[2].partition("]")[0]) if name != "_self_")
    return Commented(header, "\n".join(below).strip(), bases, tuple(_entries(below)))


def _entries(lines: list[str]) -> list[Entry]:
    found: list[Entry] = []
    above: list[str] = []
    parents: list[tuple[int, str]] = []
    for line in lines:
        if line.strip().startswith("#"):
            above.append(line.strip()[1:].removeprefix(" "))
            continue
        match = _KEY.match(line)
        if match is None:  # blank, or an item of a list
            above = []
            continue
        indent, value = len(match["indent"]), match["value"].strip()
        parents = [(depth, name) for depth, name in parents if depth < indent]
        path = ".".join([*(name for _, name in parents), match["key"]])
        if not value:
            parents.append((indent, match["key"]))
            continue
        found.append(Entry(path, value, "\n".join([*above, *filter(None, [match["comment"]])])))
        above = []
    return [entry for entry in found if entry.key.partition(".")[0] not in ("defaults", "hydra")]
