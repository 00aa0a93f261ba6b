"""What to do about files that a list names otherwise than they are: sentences, and commands that write a list that fits.

Commands are given only where all files are explained alike, and where they leave the rest of the list as it is. No torch.
"""

from __future__ import annotations

import posixpath
import re
import shlex
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.data.image_list import ImageList
from wisesr.data.listing import Row
from wisesr.data.overrides import override
from wisesr.wording import some_of

_NORMALISE = 'import sys, unicodedata as u; sys.stdout.write(u.normalize("{form}", sys.stdin.read()))'


class Found(NamedTuple):
    """What is there instead of a missing file."""

    row: Row
    names: Sequence[str]
    """Of files that are there, at least one, the likeliest first."""


def endings_left_out(base: Path, files: Sequence[Found], listing: ImageList | None) -> str:
    """The list names `0`, and `0.png` is there."""
    endings = {_ending(name) for found in files for name in found.names}
    way = _appending(listing, endings.pop()) if len(endings) == 1 else ""
    return f"{_names(files[0])} there: the list leaves the endings out. Write them into it{way}"


def other_ending(base: Path, files: Sequence[Found], listing: ImageList | None) -> str:
    """The list names `0.jpg`, and `0.png` is there."""
    return f"{_names(files[0])} there, with another ending. Write the list as the files are called{_replacing(files, listing)}"


def other_case(base: Path, files: Sequence[Found], listing: ImageList | None) -> str:
    """The list names `a.jpg`, and `A.JPG` is there."""
    same = all(_stem(found.names[0]) == _stem(found.row.path) for found in files)
    way = _replacing(files, listing) if same else ""
    return f"{_names(files[0])} there: big and small letters differ. Write the list as the files are called{way}"


def other_form(base: Path, files: Sequence[Found], listing: ImageList | None) -> str:
    """The list has é as one character, the file's name as two, or the other way round."""
    row, names = files[0]
    form = "NFC" if unicodedata.normalize("NFC", row.path) == names[0] else "NFD"
    python = shlex.quote(_NORMALISE.format(form=form))
    way = listing.header.command(f"PYTHONUTF8=1 python3 -c {python}", form.lower()) if listing is not None else ""
    letter = next((letter for letter in unicodedata.normalize("NFC", names[0]) if unicodedata.decomposition(letter)), "é")
    kinds = "one character" if form == "NFC" else "a letter and its mark"
    return (
        f"{names[0]} is there, and only looks the same: its {letter} is stored as {kinds} (Unicode's form {form}), in the list "
        f"it is not. Write the list in that form{_then(way)}"
    )


def percent(base: Path, files: Sequence[Found], listing: ImageList | None) -> str:
    """The list names `a%20b.png`, and `a b.png` is there."""
    return (
        f"{_names(files[0])} there: the list has the name as in an address of the web. Write the list as the files are called"
    )


def alike(base: Path, files: Sequence[Found], listing: ImageList | None) -> str:
    """Folder, ending or case differ, more than one of them."""
    return f"{_names(files[0])} there. Write the list as the files are called, with folder and ending"


def elsewhere(base: Path, files: Sequence[Found], listing: ImageList | None) -> str:
    """The files lie in another folder than the list says."""
    first, moves = files[0], {_move(found) for found in files}
    if len(moves) == 1:
        return f"{_names(first)} there: {_moved(base, *moves.pop(), _root_of(files, listing))}"
    if all(found.row.label in found.names[0].split("/")[:-1] for found in files):
        return f"{_names(first)} there: the folders are the classes. Leave dataset.csv out, or write the folders into the list"
    return f"{_names(first)} there, in another folder. Write folders into the list, from dataset.root on, which is {base}"


def _moved(base: Path, listed: str, there: str, root_of: Callable[[Path], str]) -> str:
    """What is to be said of files that all lie in one folder below `there` instead of `listed`."""
    below = base / there if not listed else None
    if not there and base.as_posix().endswith(f"/{listed}"):
        below = Path(base.as_posix()[: -len(listed) - 1])
    if below is not None:
        return f"the filenames are below {below}{root_of(below) or '. Write the folder into the list'}"
    where = there if there else f"{base} itself"
    return f"the files are in {where}, where the list says {listed}. Write the list as the folders are called"


def _root_of(files: Sequence[Found], listing: ImageList | None) -> Callable[[Path], str]:
    """The overrides for another root, with the same list; only where no listed file is found below this one."""

    def root(below: Path) -> str:
        if listing is None or len(files) < len(listing.rows):
            return ""
        return f": {override('dataset.root', str(below))} {override('dataset.csv', str(listing.header.path))}"

    return root


def _move(found: Found) -> tuple[str, str]:
    """The folders in which a path and a file's name differ: `("a", "b/c")` for a/1.png and b/c/1.png."""
    listed, there = found.row.path.split("/"), found.names[0].split("/")
    while listed and there and listed[-1] == there[-1]:
        listed.pop()
        there.pop()
    return "/".join(listed), "/".join(there)


def _names(found: Found) -> str:
    return f"{some_of(found.names, 2)} {'is' if len(found.names) == 1 else 'are'}"


def _then(way: str) -> str:
    return f": {way}" if way else ""


def _appending(listing: ImageList | None, ending: str) -> str:
    """A command that appends an ending to all filenames."""
    if listing is None or not isinstance(listing.header.path, Path):
        return ""
    text, at = listing.header.path.read_bytes(), listing.columns.filename + 1
    last = at == len(listing.header.names)
    if b'"' in text or b"\r" in (text if last else text.replace(b"\r\n", b"")):  # awk would not read it as it is meant
        return ""
    if any(_ending(row.path) == ending for row in listing.rows):
        return ""
    mark = shlex.quote(listing.header.mark.replace("\t", "\\t"))
    program = f'NR > {listing.line} && NF {{${at} = ${at} "{ending}"}} 1'
    return _then(listing.header.command(f"awk -F {mark} -v OFS={mark} {shlex.quote(program)}", "endings"))


def _replacing(files: Sequence[Found], listing: ImageList | None) -> str:
    """A command that replaces one ending by another."""
    changes = {(_ending(found.row.path), _ending(found.names[0])) for found in files}
    if listing is None or len(changes) != 1:
        return ""
    old, new = changes.pop()
    if sum(_ending(row.path) == old for row in listing.rows) > len(files):  # of files that are there as well
        return ""
    if not all(re.fullmatch(r"\.\w+", ending, re.ASCII) for ending in (old, new)):
        return ""
    change = shlex.quote(rf"s/\{old}/{new}/")
    return _then(listing.header.command(f"sed {change}", "endings"))


def _ending(name: str) -> str:
    return posixpath.splitext(name)[1]


def _stem(name: str) -> str:
    return posixpath.splitext(name)[0]
