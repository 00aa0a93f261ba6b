"""Which entries of a source go where: what all datasets have in common. No torch."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from wisesr.data.images import EXTENSIONS
from wisesr.data.listing import Row
from wisesr.data.prepare.entries import Entry, Names, refusal
from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

_SHOWN = 6


class Plan(NamedTuple):
    """What is copied, and what is not."""

    root: str
    """The folder of the source in which the dataset was found; empty for its top."""
    copies: dict[str, Entry]
    """Path below the target -> entry."""
    texts: dict[str, bytes]
    """Path below the target -> content of the dataset's lists."""
    rows: list[Row]
    """The images, as the dataset will read them."""
    missing: Sequence[str] = ()
    """Paths below the target of listed images that the source does not have."""
    left_out: Mapping[str, int] = MappingProxyType({})
    """Kind of file -> how many of it are not copied."""

    @property
    def size(self) -> int:
        """Bytes to copy."""
        return sum(entry.size for entry in self.copies.values()) + sum(map(len, self.texts.values()))

    def with_left_out(self, entries: Iterable[Entry], unlisted: str) -> Plan:
        """The plan of a source with these entries, `left_out` counted. `unlisted`: what images are that the dataset lacks."""
        taken = {entry.name for entry in self.copies.values()}
        names = [entry.name for entry in entries if entry.name not in taken and entry.name.rpartition("/")[2] not in self.texts]
        kinds = ("hidden files" if is_hidden(name) else unlisted if is_image(name) else "other files" for name in names)
        return self._replace(left_out=Counter(kinds))


def is_hidden(name: str) -> bool:
    """Whether an entry is what a file browser leaves behind: `__MACOSX/...`, `.DS_Store`, `._1.jpg`, `Thumbs.db`."""
    return any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db", "desktop.ini") for part in name.split("/"))


def is_image(name: str) -> bool:
    """Whether an entry is an image by its name's ending."""
    return name.lower().endswith(EXTENSIONS)


def one_root(label: str, roots: Iterable[str], looked_for: str, entries: Sequence[Entry]) -> str:
    """The only folder that looks like the dataset's, as `looked_for` says, among the `roots` that do.

    Raises:
        UserError: there is none, or more than one.
    """
    found = sorted(set(roots))
    if len(found) == 1:
        return found[0]
    if found:
        shown = some_of([root or "its top" for root in found], _SHOWN)
        raise UserError(
            f"{label} holds {looked_for} in {len(found)} places: {shown}. Which of them is meant cannot be known: "
            "unpack it, and name one of the folders with --from"
        )
    raise UserError(f"{label} does not hold {looked_for} in any of its folders. {contents(entries)}")


def contents(entries: Sequence[Entry]) -> str:
    """What a source holds at its top, and links that are not followed, as sentences."""
    tops = Counter(entry.name.partition("/")[0] for entry in entries)
    shown = [f"{top!a} ({count_of(count, 'file')})" for top, count in tops.most_common()]
    return f"It holds: {some_of(shown, _SHOWN) or 'nothing'}.{links(entries)}"


def links(entries: Iterable[Entry]) -> str:
    """What could not be taken of a folder, as a sentence; empty where there is nothing."""
    refused = [ascii(entry.name) for entry in entries if entry.refused]
    return f" Not taken, as links or no files: {some_of(refused, _SHOWN)}." if refused else ""


def check_targets(plan: Plan, label: str) -> None:
    """Hold every path that will be written against the rules for an archive's names, whoever made it up.

    Raises:
        UserError: an entry that may not be taken is wanted, a path is not below the target, two are the same.
    """
    names = Names(label)
    for path, entry in plan.copies.items():
        if entry.refused:
            raise refusal(label, entry.name, entry.refused)
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):  # tools cannot read and print it
            raise refusal(label, entry.name, f"would become {path!a}, which is no plain name of a file")
        names.add(path)
    names.check_folders()
    if twice := [name for name, count in Counter(entry.name for entry in plan.copies.values()).items() if count > 1]:
        raise refusal(label, twice[0], "is listed by two names")
