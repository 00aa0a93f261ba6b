"""Which entries of a source go where: what the layouts of all datasets have in common. No torch."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from wisesr.data.images import EXTENSIONS
from wisesr.data.listing import Row
from wisesr.data.prepare.safety import Names, refusal
from wisesr.data.prepare.sources import Entry
from wisesr.errors import UserError

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
    missing: list[str]
    """Paths below the target of listed images that the source does not have."""
    left_out: Mapping[str, int]
    """What -> how many files of it are not copied."""

    @property
    def size(self) -> int:
        """Bytes to copy."""
        return sum(entry.size for entry in self.copies.values()) + sum(map(len, self.texts.values()))


def is_hidden(name: str) -> bool:
    """Whether an entry is what a file browser leaves behind: `__MACOSX/...`, `.DS_Store`, `._1.jpg`, `Thumbs.db`."""
    return any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db", "desktop.ini") for part in name.split("/"))


def is_image(name: str) -> bool:
    """Whether an entry is an image by its name's ending."""
    return name.lower().endswith(EXTENSIONS)


def one_root(label: str, roots: Iterable[str], looked_for: str, entries: Sequence[Entry]) -> str:
    """The only folder that looks like the dataset's.

    Args:
        label: of the source.
        roots: all that do; may come several times.
        looked_for: how they look.
        entries: of the source, to say what it holds.

    Raises:
        UserError: there is none, or more than one.
    """
    found = sorted(set(roots))
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(root or "its top" for root in found[:_SHOWN])
        raise UserError(
            f"{label} holds {looked_for} in {len(found)} places: {shown}. Which of them is meant cannot be known: "
            "unpack it, and name one of the folders with --from"
        )
    raise UserError(f"{label} does not hold {looked_for} in any of its folders. {contents(entries)}")


def contents(entries: Sequence[Entry]) -> str:
    """What a source holds at its top, and links that are not followed, as sentences."""
    tops = Counter(entry.name.partition("/")[0] for entry in entries)
    some = ", ".join(f"{top!a} ({count:,} file{'s' * (count > 1)})" for top, count in tops.most_common(_SHOWN))
    more = f" and {len(tops) - _SHOWN:,} more" if len(tops) > _SHOWN else ""
    return f"It holds: {some or 'nothing'}{more}.{links(entries)}"


def links(entries: Iterable[Entry]) -> str:
    """What could not be taken of a folder, as a sentence; empty where there is nothing."""
    refused = [entry for entry in entries if entry.refused]
    if not refused:
        return ""
    some = ", ".join(ascii(entry.name) for entry in refused[:_SHOWN])
    more = f" and {len(refused) - _SHOWN:,} more" if len(refused) > _SHOWN else ""
    return f" Not taken, as links or no files: {some}{more}."


def content_of(entry: Entry, label: str) -> bytes:
    """A list's content.

    Raises:
        UserError: it could not be taken.
    """
    if entry.content is None:
        raise refusal(label, entry.name, entry.refused or "was not read")
    return entry.content


def check_targets(plan: Plan, label: str) -> None:
    """Hold every path that will be written against the rules for an archive's names, whoever made it up.

    Raises:
        UserError: an entry that may not be taken is wanted, a path is not below the target, two are the same.
    """
    names = Names(label)
    if twice := [name for name, count in Counter(entry.name for entry in plan.copies.values()).items() if count > 1]:
        raise refusal(label, twice[0], "is listed by two names")
    for path in plan.texts:
        names.file(path)
    for path, entry in plan.copies.items():
        if entry.refused:
            raise refusal(label, entry.name, entry.refused)
        if names.file(path) != path or is_hidden(path) or not _is_plain(path):
            raise refusal(label, entry.name, f"would become {path!a}, which is no plain name of a file")


def _is_plain(path: str) -> bool:
    """Whether every tool can read and print a name: no bytes that are no Unicode, no control characters."""
    return path.isprintable() or not any(unicodedata.category(character) in ("Cc", "Cs") for character in path)
