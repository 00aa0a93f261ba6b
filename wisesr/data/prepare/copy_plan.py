"""Which entries of a source go where: what all datasets have in common. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from wisesr.data.image_formats import is_image
from wisesr.data.legible import shorten
from wisesr.data.listing import Row
from wisesr.data.prepare.source import Entry, Source
from wisesr.errors import UserError
from wisesr.wording import count_of, some_of

_SHOWN = 6


class Plan(NamedTuple):
    """What is copied, and what is not."""

    root: str
    """The folder of the source in which the dataset was found; empty for its top."""
    copies: dict[str, Entry]
    """Path below the target -> entry, in the order of the source."""
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

    def with_left_out(self, source: Source, unlisted: str) -> Plan:
        """The plan with `left_out` counted. `unlisted`: what images of the source are that the dataset lacks."""
        taken = {entry.name for entry in self.copies.values()}
        names = [entry.name for entry in source.entries if entry.name.rpartition("/")[2] not in self.texts]
        rest = [name for name in names if name not in taken]
        images = sum(map(is_image, rest))
        counts = {"hidden files": source.hidden, unlisted: images, "other files": len(rest) - images}
        return self._replace(left_out={kind: count for kind, count in counts.items() if count})


def one_root(source: Source, roots: Iterable[str], looked_for: str) -> str:
    """The only folder that looks like the dataset's, as `looked_for` says, among the `roots` that do.

    Raises:
        UserError: there is none, or more than one.
    """
    found = sorted(set(roots))
    if not found:
        raise UserError(f"{source.label} does not hold {looked_for} in any of its folders. {contents(source)}")
    if len(found) > 1:
        shown = some_of([root[:150] or "its top" for root in found], _SHOWN)
        raise ambiguous(f"{source.label} holds {looked_for} in {len(found)} places: {shown}")
    return found[0]


def ambiguous(what: str) -> UserError:
    """The error for what is found in more than one place."""
    return UserError(f"{what}. Which of them is meant cannot be known: unpack it, and leave one")


def contents(source: Source) -> str:
    """What a source holds at its top, and links that are not followed, as sentences."""
    tops = Counter(entry.name.partition("/")[0] for entry in source.entries)
    shown = [f"{shorten(top)} ({count_of(count, 'file')})" for top, count in tops.most_common()]
    return f"It holds: {some_of(shown, _SHOWN) or 'nothing'}.{links(source)}"


def links(source: Source) -> str:
    """What could not be taken of a folder, as a sentence; empty where there is nothing."""
    refused = [shorten(entry.name) for entry in source.entries if entry.refused]
    return f" Not taken, as links or no files: {some_of(refused, _SHOWN)}." if refused else ""
