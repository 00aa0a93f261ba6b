"""What is kept, as people speak of it: a dataset's decoded images at a size, a dataset's maps of a backbone. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from wisesr.data.rows.room import kind_in_words
from wisesr.data.rows.stock import KINDS, Part, is_in_use, parts
from wisesr.errors import UserError, unknown

ALL, FILES = "all", "manifests"
"""Words for what may go, beside `decoded`, `maps`, datasets and keys: everything; what is known of files, with manifests."""
_SHOWN = 8
"""Digits of a key."""


class Use(str, Enum):
    """Whether something is needed now."""

    NOT = ""
    READ = "in use"
    WRITTEN = "being made"
    BEGUN = "half-built"
    """A process that made it was interrupted; the next that wants rows of its kind goes on."""


class Kept(NamedTuple):
    """Parts that hold rows of one kind of the same dataset."""

    parts: tuple[Part, ...]
    use: Use

    @property
    def what(self) -> str:
        """`decoded images, 224 px, squash`."""
        return ", ".join(filter(None, (kind_in_words(self.parts[0]), self.parts[0].text)))

    @property
    def dataset(self) -> str:
        """Whose rows they are, as far as it is known."""
        return str(self.parts[0].words.get("dataset", ""))

    @property
    def key(self) -> str:
        """By which `wisesr cache --clear` takes it."""
        return self.parts[0].key[:_SHOWN]

    @property
    def rows(self) -> int | None:
        """Images, or views of images; None where one cannot tell."""
        known = [part.rows for part in self.parts if part.rows is not None]
        return sum(known) if known else None

    @property
    def bytes(self) -> int:
        """That they take together."""
        return sum(part.bytes for part in self.parts)

    @property
    def used(self) -> float:
        """When one of them was used last, seconds since 1970."""
        return max(part.used for part in self.parts)


def kept_rows(place: Path) -> list[Kept]:
    """All rows that are kept, the latest used first."""
    groups: dict[tuple[str, str, str, str], list[Part]] = {}
    for part in parts(place):
        groups.setdefault((part.kind, part.key, str(part.words.get("dataset", "")), part.name and "whole"), []).append(part)
    found = [Kept(tuple(group), _use(group)) for group in groups.values()]
    return sorted(found, key=lambda kept: kept.used, reverse=True)


def _use(group: Sequence[Part]) -> Use:
    in_use = any(map(is_in_use, group))
    if not group[0].name:
        return Use.WRITTEN if in_use else Use.BEGUN
    return Use.READ if in_use else Use.NOT


def chosen_parts(found: Sequence[Part], words: Sequence[str]) -> list[Part]:
    """Those that words name: `all`, a kind, a dataset, the beginning of a key.

    Raises:
        UserError: a word names nothing, or more than one store.
    """
    chosen = [part for word in words for part in _named(found, word)]
    return list({part.files[0]: part for part in chosen}.values())


def _named(found: Sequence[Part], word: str) -> list[Part]:
    if word in (ALL, FILES):
        return list(found) if word == ALL else []
    if word in KINDS:
        return [part for part in found if part.kind == word]
    if of_dataset := [part for part in found if part.words.get("dataset") == word]:
        return of_dataset
    by_key = [part for part in found if part.key.startswith(word)]
    keys = {part.key for part in by_key}
    if len(keys) > 1:
        raise UserError(f"{word!r} is the beginning of {len(keys)} keys: {', '.join(sorted(keys))}")
    if not keys:
        datasets = {str(part.words["dataset"]) for part in found if "dataset" in part.words}
        raise UserError(
            unknown("kind, dataset or key", word, {ALL, FILES, *KINDS, *datasets, *(part.key[:8] for part in found)})
        )
    return by_key
