"""A path as it was typed, whatever characters it has: found on the disk, one or several with commas between. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wisesr.errors import UserError


def is_there(path: str) -> bool:
    """Whether a file or folder is there and may be looked at; of a name that is too long, it is not."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def is_folder(path: str) -> bool:
    """Whether a folder is there and may be looked at."""
    try:
        return Path(path).is_dir()
    except OSError:
        return False


def existing(text: str, bases: Sequence[str]) -> str | None:
    """A path that is there, as code is to get it: `~` is the home folder, if it is there so.

    Args:
        text: what was typed.
        bases: folders that a relative path may be below; "" is the working folder.

    Returns:
        None where nothing of the name is there.
    """
    home = _at_home(text)
    if home and is_there(home):
        return home
    base = next((base for base in bases if text and is_there(str(Path(base, text)))), None)
    if base is None:
        return None
    is_special = text.startswith("~") or text == "???"  # which code would take as other things
    return str(Path(base, text).absolute()) if is_special else text


def existing_parts(text: str, bases: Sequence[str]) -> list[str]:
    """Several paths with commas between, all of which are there; one whose name has commas is one, if it is there.

    Returns:
        Nothing if some are not there.
    """
    if not text:
        return []
    words = text.split(",")
    for count in range(len(words), 0, -1):
        first = existing(",".join(words[:count]), bases) or existing(",".join(words[:count]).strip(), bases)
        if first is not None and count == len(words):
            return [first]
        if first is not None and (others := existing_parts(",".join(words[count:]), bases)):
            return [first, *others]
    return []


def is_new_beside_others(text: str, bases: Sequence[str]) -> bool:
    """Whether there is a folder for it to be in, which the text names."""
    folder, slash, name = at_home(text).rpartition("/")
    return bool(slash and name) and any(is_folder(str(Path(base, folder or "/"))) for base in bases)


def at_home(text: str) -> str:
    """A path whose `~` is the home folder.

    Raises:
        UserError: that of somebody who has none here.
    """
    if not text.startswith("~"):
        return text
    home = _at_home(text)
    if home is None:
        raise UserError(
            f"{text}: there is no home folder of {text.split('/')[0]!r} here. A folder of that very name: {Path.cwd() / text}"
        )
    return home


def _at_home(text: str) -> str | None:
    if not text.startswith("~"):
        return None
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        return None
