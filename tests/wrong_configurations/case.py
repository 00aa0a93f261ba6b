"""One wrong command: what is typed, the files that it finds, and what an answer must name."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

SHOWN = 12
"""Characters of a long value that an answer must show."""


@dataclass(frozen=True)
class Case:
    """A command that is wrong, by what it was made of."""

    arguments: tuple[str, ...]
    named: tuple[tuple[str, ...], ...]
    """For each thing that is wrong, the ways in which an answer may name it: the key, and where one is wrong, the value."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Below the working folder, by path; one that ends in / is a folder."""
    needs_torch: bool = False
    """Whether what is wrong shows only once torch is imported: no bound on time, and a cell may have been begun."""
    kind: str = ""
    """Of the function that made it."""


Maker = Callable[[random.Random], Case]


def told(text: str) -> tuple[str, ...]:
    """The ways in which an answer may show a value that was typed: as it is, as Python would write it, its beginning."""
    shown = {text, repr(text)[1:-1], text.encode("unicode_escape").decode(), repr(_read(text)), text.replace(":", ": ")}
    if text.lower() in ("null", "true", "false"):
        shown |= {text.lower()}
    if len(text) > SHOWN:
        shown |= {repr(text)[1 : SHOWN + 1], text[:SHOWN]}
    return tuple(shown - {""}) if text else ("''", "empty", "no value", "nothing", "without a value")


def _read(text: str) -> object:
    """A number, list or node as Hydra reads it; else the text without quotes."""
    words: dict[str, object] = {"null": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return float(text) if not text.lstrip("-").isdecimal() else int(text)
    except ValueError:
        pass
    lists: dict[str, object] = {"[]": [], "[1]": [1], "[1,2]": [1, 2], "{}": {}, "{a:1}": {"a": 1}, "[[]]": [[]], "[a]": ["a"]}
    return lists.get(text, text.strip("'\""))


def wrong(key: str, text: str, *others: str, start: str = "") -> Case:
    """A key with a wrong value; `start` is what stands before the key."""
    return Case((*others, f"{start}{key}={text}"), ((key,), told(text)))


def typo(rng: random.Random, name: str, taken: tuple[str, ...] = ()) -> str:
    """The name with one letter wrong somewhere: left out, twice, of the neighbour, other; never one that is taken."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    while True:
        at = rng.randrange(len(name))
        slips = [
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :],
            name[:at] + rng.choice(letters) + name[at + 1 :],
            name[:at] + rng.choice(letters) + name[at:],
        ]
        slip = rng.choice(slips)
        if slip and slip != name and slip not in taken and slip[0].isalpha() and not slip.endswith((".", "_")):
            return slip
