"""Why files that a list names are not there: what is there in their stead. No torch."""

from __future__ import annotations

import difflib
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from wisesr.data import missing_ways as ways
from wisesr.data.image_formats import is_image
from wisesr.data.image_list import ImageList, read_list
from wisesr.data.listing import Row
from wisesr.data.missing_ways import Found
from wisesr.errors import UserError
from wisesr.wording import some_of

_SEARCHED = 5_000
"""Names among which the nearest is looked for."""


def missing_hint(
    base: Path,
    missing: Sequence[Row],
    present: Sequence[str],
    csv: str | None = None,
    columns: Mapping[str, str | None] | None = None,
) -> str:
    """One sentence on why files are missing, without a full stop at its end: what is there, and what to do.

    Args:
        base: the root.
        missing: listed and not there; at least one.
        present: paths of all files below the root; where there are images among them, only these count.
        csv: `dataset.csv`: with it, the sentence has a command that makes a list that fits, where there is one.
        columns: `dataset.columns`.
    """
    if said := _other_than_file(base, missing[0]):
        return said
    images = [name for name in present if is_image(name)]  # 0.png, and not 0.xml beside it
    if not present:
        return f"no image lies below {base}"
    there, found = _There(images or present), defaultdict(list)
    for row in missing:
        for find, say in _CAUSES.items():
            if names := find(there, row):
                found[say].append(Found(row, names))
                break
    if not found:
        return there.nearest(base, missing[0].path)
    say, files = max(found.items(), key=lambda item: len(item[1]))
    if len(files) < len(missing):
        some = f"{len(files):,} of the {len(missing):,} are there under other names: "
        return some + say(base, files, None)
    return say(base, files, _list_of(base, csv, columns))


def _other_than_file(base: Path, row: Row) -> str:
    """What a path is that is there and is no file."""
    path = base / row.path
    try:
        if path.is_symlink():
            return f"{row.path} is a link to {path.readlink()}, which is not there"
        if path.is_dir():
            return f"{row.path} is a folder: the list must name files"
    except OSError:  # a name that is too long for the disk, for instance
        pass
    return ""


def _list_of(base: Path, csv: str | None, columns: Mapping[str, str | None] | None) -> ImageList | None:
    try:
        return read_list(base, csv, columns=columns) if csv is not None else None
    except (UserError, OSError):  # it was read a moment ago; without it there is less to say, and no other error
        return None


class _There:
    """The files that are there, by what may lead to them."""

    def __init__(self, present: Sequence[str]) -> None:
        self.present = present

    def _by(self, key: Callable[[str], str]) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.present:
            found[key(name)].append(name)
        return dict(found)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.present)

    @cached_property
    def by_stem(self) -> Mapping[str, list[str]]:
        return self._by(_stem)

    @cached_property
    def by_folded(self) -> Mapping[str, list[str]]:
        return self._by(_folded)

    @cached_property
    def by_file(self) -> Mapping[str, list[str]]:
        return self._by(posixpath.basename)

    @cached_property
    def by_folded_stem(self) -> Mapping[str, list[str]]:
        return self._by(lambda name: _folded(posixpath.basename(_stem(name))))

    def nearest(self, base: Path, path: str) -> str:
        """The file with the most similar name, or what there is at all."""
        folder = posixpath.dirname(path)
        beside = [name for name in self.present if posixpath.dirname(name) == folder]
        if near := difflib.get_close_matches(path, (beside or self.present)[:_SEARCHED], n=1, cutoff=0.7):
            return f"the nearest name there is {near[0]}"
        return f"nothing of a like name lies below {base}; there are {some_of(sorted(self.present), 2)}"


def _stem(name: str) -> str:
    return posixpath.splitext(name)[0]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _without_ending(there: _There, row: Row) -> Sequence[str]:
    return there.by_stem.get(row.path, ())


def _other_ending(there: _There, row: Row) -> Sequence[str]:
    return there.by_stem.get(_stem(row.path), ())


def _other_form(there: _There, row: Row) -> Sequence[str]:
    return [name for form in ("NFC", "NFD") if (name := unicodedata.normalize(form, row.path)) in there.names]


def _other_case(there: _There, row: Row) -> Sequence[str]:
    return there.by_folded.get(_folded(row.path), ())


def _percent(there: _There, row: Row) -> Sequence[str]:
    return [name] if (name := unquote(row.path)) in there.names else []


def _elsewhere(there: _There, row: Row) -> Sequence[str]:
    """Files of this name in other folders: the first agree with most of the path, or lie in a folder of the class."""
    names = there.by_file.get(posixpath.basename(row.path), [])
    return sorted(names, key=lambda name: (-_shared(name, row.path), row.label not in name.split("/")[:-1], name))


def _alike(there: _There, row: Row) -> Sequence[str]:
    file = posixpath.basename(row.path)
    found = there.by_folded_stem
    return found.get(_folded(file)) or found.get(_folded(_stem(file))) or ()


def _shared(one: str, other: str) -> int:
    """How many parts of two paths are the same, from the end."""
    pairs = zip(reversed(one.split("/")), reversed(other.split("/")), strict=False)
    return next((count for count, (a, b) in enumerate(pairs) if a != b), min(one.count("/"), other.count("/")) + 1)


_CAUSES: Mapping[Callable[[_There, Row], Sequence[str]], Callable[[Path, Sequence[Found], ImageList | None], str]] = {
    _without_ending: ways.endings_left_out,
    _other_form: ways.other_form,
    _other_case: ways.other_case,
    _percent: ways.percent,
    _other_ending: ways.other_ending,
    _elsewhere: ways.elsewhere,
    _alike: ways.alike,
}
"""What finds a file in the stead of a missing one, the surest first -> what says so."""
