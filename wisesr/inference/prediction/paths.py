"""Files, folders, patterns and a list, as a user gives them, to the pictures that they stand for, one by one. No torch.

Nothing is held but the names in the folders that are open, so a million paths cost no more than the largest folder. What finds
nothing is answered with a problem, and nothing ends the rest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from wisesr.data.image_formats import ending_hint, ending_of, is_image
from wisesr.inference.prediction.folders import files_below
from wisesr.inference.prediction.patterns import Pattern
from wisesr.wording import count_of, some_of

LIST = "-"
"""Stands for the list among the paths."""
_BLOCK = 1 << 16
_SHOWN = 8
"""Endings that a sentence lists."""


class Found(NamedTuple):
    """A picture, or what was asked for and is none."""

    path: str
    """As given, or below the folder that was given; bytes that are no UTF-8 as `os.fsdecode` has them."""
    problem: str = ""
    """Why there is nothing to read."""


@dataclass
class Skipped:
    """Files in folders that are no images by the ending of their names."""

    kinds: Counter[str] = field(default_factory=Counter)
    """Ending, in lower case, empty where there is none -> files."""

    def __str__(self) -> str:
        """A sentence without its full stop; empty where there are none."""
        if not self.kinds:
            return ""
        named = [f"{kind or 'without an ending'} {many:,}" for kind, many in self.kinds.most_common()]
        hints = sorted({f"to read {kind}: {hint}" for kind in self.kinds if (hint := ending_hint(kind))})
        files = count_of(self.kinds.total(), "file")
        return "; ".join([f"Skipped {files} in folders, no images by their endings: {some_of(named, _SHOWN)}", *hints])


def find_pictures(paths: Iterable[str], skipped: Skipped, listed: Iterable[str] = ()) -> Iterator[Found]:
    """Every picture that paths stand for: theirs in the order given, a folder's in natural order (2 before 10).

    Args:
        paths: of files, whatever their ending; of folders, which stand for all images below them; patterns with `*`, `?`,
            `[...]` and `**`, unless a file is called so; and `LIST`.
        skipped: counts what in folders is no image by its ending.
        listed: paths of files and folders, in the place of `LIST`.
    """
    for path in paths:
        if path == LIST:
            for line in listed:
                yield from _named(line, skipped)
        else:
            yield from pictures_of(path, skipped)


def pictures_of(path: str, skipped: Skipped) -> Iterator[Found]:
    """What one path stands for; arguments as of `find_pictures`, but for the list."""
    if Pattern.is_one(path) and not os.path.lexists(path):
        yield from _below(path, Pattern.parse(path), skipped, "nothing matches this pattern")
    else:
        yield from _named(path, skipped)


def _named(path: str, skipped: Skipped) -> Iterator[Found]:
    """A file, which is tried whatever it is called, or what is in a folder."""
    if os.path.isdir(path):  # noqa: PTH112 (a Path would change how a path is written)
        yield from _below(path, Pattern(path), skipped, "no images in this folder")
    else:
        yield Found(path)


def _below(path: str, pattern: Pattern, skipped: Skipped, if_none: str) -> Iterator[Found]:
    empty = True
    for file in files_below(pattern):
        if file.problem or pattern.names_an_ending or is_image(file.parts[-1]):
            empty = False
            yield Found(file.path, file.problem)
        else:
            skipped.kinds[ending_of(file.parts[-1])] += 1
    if empty:
        yield Found(path, if_none)


def read_list(stream: IO[bytes], separator: bytes = b"\n") -> Iterator[str]:
    r"""Paths, as they come: one a line, or with separator `b"\0"` as `find -print0` writes them. Empty ones are left out.

    Of lines, the mark that Windows' editors begin with and the `\r` that they end with are no part of a path.
    """
    if separator == b"\n":
        lines = (line.rstrip(b"\r\n") for line in stream)
        first = next(lines, b"").removeprefix(b"\xef\xbb\xbf")
        paths: Iterable[bytes] = (path for part in ((first,), lines) for path in part)
    else:
        paths = _divided(stream, separator)
    return (os.fsdecode(path) for path in paths if path)


def _divided(stream: IO[bytes], separator: bytes) -> Iterator[bytes]:
    rest = b""
    while block := stream.read(_BLOCK):
        *whole, rest = (rest + block).split(separator)
        yield from whole
    yield rest
