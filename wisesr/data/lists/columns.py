"""Which column of a list of images is which: by its name, or by `dataset.columns`. No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.data.lists.commands import columns_override, filtered
from wisesr.data.manifest import VAL
from wisesr.data.split_folders import SYNONYMS
from wisesr.errors import UserError, unknown
from wisesr.wording import some_of

NAMES: Mapping[str, Sequence[str]] = {
    "filename": (
        *("filename", "file", "filepath", "path", "image", "imagename", "imagepath", "imagefile"),
        *("img", "imgname", "imgpath"),
    ),
    "class": ("class", "label", "category", "classname", "labelname"),
    "split": ("split", "subset", "partition"),
    "group": ("group", "groupid"),
}
"""What a column is -> names that say so, whatever their case, spaces and underscores."""
SPLIT_WORDS: Mapping[str, str] = {
    **{word: split for split, words in SYNONYMS.items() for word in words},
    **{"evaluation": VAL, "dev": VAL},
}
"""Words for the splits, in small letters: those that folders may have as names, and two that stand in lists."""
_IMAGE = re.compile(r"\.(jpe?g|jfif|jp2|png|gif|bmp|dib|tiff?|webp|avif|hei[cf]|p[bgnp]m|dng|dcm)$", re.IGNORECASE)
_SHOWN = 20
"""Columns that a message lists."""


class Columns(NamedTuple):
    """Positions of the columns; None for one that a list has not."""

    filename: int
    label: int
    split: int | None
    group: int | None


class Header(NamedTuple):
    """The first line of a list, and how its lines are written."""

    path: Path | str
    """Of the list, for messages; a text where it is no file on this disk."""
    names: Sequence[str]
    """Without spaces around them."""
    first: Sequence[str] = ()
    """The cells of the line below it."""
    mark: str = ","
    """Between cells."""
    utf8: bool = True
    """Whether commands that copy bytes keep it whole."""

    def command(self, command: str, suffix: str) -> str:
        """As `wisesr.data.lists.commands.filtered`; empty for a list that such commands would break."""
        return filtered(command, self.path, suffix) if self.utf8 else ""


def plain(name: str) -> str:
    """A column's name as it is compared with `NAMES`: `Image Path` is `imagepath`."""
    return re.sub(r"[\W_]+", "", name.casefold())


def recognised(header: Sequence[str], chosen: Mapping[str, str | None]) -> int:
    """How many of a header's cells are the filename, class, split or group."""
    names = {plain(name) for key in NAMES for name in ([str(chosen[key])] if key in chosen else NAMES[key])}
    return sum(plain(cell) in names - {""} for cell in header)


def find_columns(header: Header, chosen: Mapping[str, str | None]) -> Columns:
    """The columns of a list.

    Args:
        header: of the list.
        chosen: `dataset.columns`: filename, class, split and group -> a column's name; None for a split or group that is not
            to be read.

    Raises:
        UserError: what is chosen does not exist; filename or class is not there; two columns may be meant.
    """
    for key, name in chosen.items():
        if key not in NAMES:
            raise UserError(unknown("key of dataset.columns", str(key), NAMES))
        if name is None and key in ("filename", "class"):
            raise UserError(f"dataset.columns.{key} must be the name of a column, not null")
    found = {key: _position(header, key, str(name)) for key, name in chosen.items() if name is not None}
    for key, names in NAMES.items():
        if key not in chosen:
            places = [place for place, cell in enumerate(header.names) if plain(cell) in names and place not in found.values()]
            if len(places) > 1:
                raise UserError(f"{header.path}: {_ambiguous(key, [header.names[place] for place in places])}")
            if places:
                found[key] = places[0]
    if "filename" not in found or "class" not in found:
        raise UserError(f"{header.path}{_absent(header, found)}")
    if found["filename"] == found["class"]:
        raise UserError(f"dataset.columns: filename and class are one column, {header.names[found['class']]!r}")
    return Columns(found["filename"], found["class"], found.get("split"), found.get("group"))


def _position(header: Header, key: str, name: str) -> int:
    """Where a column that the user names is: written exactly so, or else with other case and spaces."""
    same = [place for place, cell in enumerate(header.names) if cell == name.strip()]
    same = same or [place for place, cell in enumerate(header.names) if plain(cell) == plain(name) != ""]
    if len(same) > 1:
        raise UserError(f"{header.path}: {len(same)} columns are called {name!r} (dataset.columns.{key}): rename one")
    if not same:
        raise UserError(f"{header.path}: dataset.columns.{key}: {unknown('column', name, filter(None, header.names))}")
    return same[0]


def _ambiguous(key: str, names: Sequence[str]) -> str:
    if len(set(names)) == 1:
        return f"{len(names)} columns are called {names[0]!r}: rename or remove one"
    ways = " or ".join(columns_override({key: name}) for name in names)
    none = f", or {columns_override({key: None})} for none" if key in ("split", "group") else ""
    return f"{' and '.join(map(repr, names))} may both be the {key}: choose with {ways}{none}"


def _absent(header: Header, found: Mapping[str, int]) -> str:
    """What is to be said where no column is the filename, or none is the class."""
    names = [name for name in header.names if name]
    numbers = any(re.fullmatch(r"[\d.]+", name) for name in names)
    if any(map(_is_image, names)) or (numbers and not any(map(_is_image, header.first))):  # pandas may call columns 0 and 1
        return _headless(header)
    missing = [key for key in ("filename", "class") if key not in found]
    guess = {key: header.names[place] for key, place in found.items()}
    images = [name for name, cell in zip(header.names, header.first, strict=False) if name and _is_image(cell)]
    if "filename" not in guess and len(images) == 1:
        guess["filename"] = images[0]
    elif "filename" not in guess and "class" not in guess and len(names) == 2:
        guess["filename"] = names[0]
    others = [name for name in names if name not in guess.values()]
    if "class" not in guess and "filename" in guess and len(others) == 1:
        guess["class"] = others[0]
    listed = some_of(names, _SHOWN) if names else "none"
    if len(names) < 2 and found:
        return f": {listed} is its only column, and filename and class must both be given"
    if len(names) < 2:
        what = "What separates columns must be a comma, semicolon, tab or |"
        return f": its first line, {listed}, names one column. {what}{_spaced(header)}"
    return (
        f": no column is called {', and none '.join(map(repr, missing))}. There are: {listed}. Say which it is: "
        f"{columns_override({key: guess.get(key, 'COLUMN') for key in missing})}"
    )


def _is_image(cell: str) -> bool:
    """Whether a cell looks like an image's path, and like no column's name or class."""
    return bool(_IMAGE.search(cell.strip()) or re.search(r"[/\\]\w", cell))


def _headless(header: Header) -> str:
    cells = header.names if len(header.names) > 1 else header.names[0].split()
    first = next((place for place, cell in enumerate(cells) if _is_image(cell)), 0)
    names = ("filename", "class")[:: -1 if first else 1]
    spaced = _spaced(header, names)
    line = f"printf '{header.mark.join(names)}\\n'".replace("\t", "\\t")
    copied = header.command(f"({line}; cat)", "header") if len(header.names) == 2 else ""
    way = f": {copied}" if copied else ""
    return (
        f" has no line of names on top: the first, {some_of([repr(cell) for cell in header.names], 4)}, is an image already. "
        f"Put one there that names the columns, filename and class among them{spaced or way}"
    )


def _spaced(header: Header, names: Sequence[str] = ()) -> str:
    """A command that puts commas where one space separates two columns, and names on top."""
    if len("".join(header.names).split()) != 2 or len(header.names) != 1:
        return ""
    command = f"(echo {','.join(names)}; tr -s ' ' ,)" if names else "tr -s ' ' ,"
    way = header.command(command, "commas")
    return f": {way}" if way else ""
