"""Patterns of paths, `photos/**/*.jpg`, held against the names on the way to a file, without a list of matches. No torch."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

from wisesr.data.image_formats import ending_of

_MAGIC = re.compile(r"[*?[]")


class Pattern(NamedTuple):
    """A folder, and which of the files below it are meant."""

    folder: str
    """Empty for the one that the process is in."""
    segments: tuple[str, ...] = ()
    """One a name on the way, as of `fnmatch`, or `**` for any number of folders; none for all that is below the folder."""

    @staticmethod
    def is_one(text: str) -> bool:
        """Whether a path has signs of a pattern."""
        return _MAGIC.search(text) is not None

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Of a path that has such signs: what stands before the first name with one is the folder."""
        sign = _MAGIC.search(text)
        end = text.rfind("/", 0, sign.start() if sign else len(text)) + 1
        folder = text[:end].rstrip("/") or text[:end][:1]
        return cls(folder, tuple(part for part in text[end:].split("/") if part))

    @property
    def names_an_ending(self) -> bool:
        """Whether files of one ending are asked for, as by `*.dat`, and so are to be tried whatever that is."""
        ending = ending_of(self.segments[-1]) if self.segments else ""
        return bool(ending) and not self.is_one(ending)

    def enters(self, parts: tuple[str, ...]) -> bool:
        """Whether something in a folder may be meant. `parts`: the names that lead to it from the pattern's own."""
        for part, segment in zip(parts, self.segments, strict=False):
            if segment == "**":
                return True
            if not fnmatchcase(part, segment):
                return False
        return True

    def means(self, parts: tuple[str, ...]) -> bool:
        """Whether a file is meant: itself, or, as in a shell, through a folder that it lies in."""
        if "**" not in self.segments:
            return len(parts) >= len(self.segments) and self.enters(parts)
        return any(_fits(parts[:end], self.segments) for end in range(1, len(parts) + 1))


def _fits(parts: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    if not segments:
        return not parts
    if segments[0] == "**":
        return any(_fits(parts[start:], segments[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], segments[0]) and _fits(parts[1:], segments[1:])
