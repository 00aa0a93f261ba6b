"""The words of a command line made overrides, KEY=VALUE: what a shell divided or a hand wrote otherwise. No torch."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from wisesr.config.grammar import for_shell, is_key, read
from wisesr.config.key_kinds import is_choice
from wisesr.config.options import GROUPS, is_option, options
from wisesr.config.schema import ROOT_KEYS
from wisesr.config.typed_paths import is_folder
from wisesr.config.typed_values import holds_existing, with_text
from wisesr.errors import UserError, unknown

_OPENING = "\u201c\u201d\u201e\u201f\u00ab\u2018\u201a\u201b"
_CLOSING = "\u201d\u201c\u201f\u00bb\u2019\u2018\u201b"
"""Quotes of programs of letters, which no shell knows."""


def overrides_of(words: Sequence[str], roots: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Overrides as (key, value), the key with its `+` or `~`; of one that deletes, `~head`, the value is empty and has no =.

    Args:
        words: of a command line, without its flags.
        roots: of the dataset, below which its other paths may be.

    Raises:
        UserError: a word that is none, with the form that it ought to have.
    """
    found: list[tuple[str, str]] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        key, equals, value = word.partition("=")
        is_override = equals and is_key(key.lstrip("+~"))
        if found and not is_override and (joined := _joined(*found[-1], [word, *waiting], roots)):
            found[-1] = (found[-1][0], joined.path)
            del waiting[: joined.words - 1]
            continue
        if not equals:
            found.append((_deleted(word, found, waiting), ""))
            continue
        _check_key(word, key)
        if not holds_existing(key, value, roots):
            _check_value(word, waiting)
        found.append((key, value))
    return found


def halves(override: str) -> tuple[str, str]:
    """Key and value of an override."""
    key, _, value = override.partition("=")
    return key, value


class _Joined(NamedTuple):
    path: str
    words: int
    """That were joined to the value before them."""


def _joined(key: str, value: str, words: Sequence[str], roots: Sequence[str]) -> _Joined | None:
    """A path that the shell divided at its blanks, if it is there: `dataset.root=/my images` without quotes."""
    for count in range(len(words), 0, -1):
        path = " ".join([value, *words[:count]])
        if holds_existing(key, path, roots):
            return _Joined(path, count)
    return None


def _deleted(word: str, found: Sequence[tuple[str, str]], waiting: Sequence[str]) -> str:
    """The word if it deletes a key; whatever else has no = is answered."""
    if word.startswith("~") and is_key(word[1:]):
        return word
    _refuse_typographic(word, waiting)
    if word.lstrip().startswith("{"):
        raise UserError(_json(word))
    following = waiting[0] if waiting else ""
    if is_key(word) and following.startswith("="):
        rest = " ".join([*waiting[:2]]) if following == "=" else following
        raise UserError(_no_override(f"{word} {rest}".strip()) + _form(word, rest.lstrip("= ") or "VALUE"))
    colon = re.fullmatch(r"([\w.]+):(.*)", word, re.DOTALL)
    if colon and (is_choice(colon[1]) or colon[1] in ROOT_KEYS or "." in colon[1]):
        value = colon[2] or (following if "=" not in following and following else "VALUE")
        raise UserError(_no_override(f"{word} {following}".strip() if not colon[2] else word) + _form(colon[1], value))
    if found and found[-1][1].endswith(","):
        raise UserError(_comma(*found[-1], word))
    if word in (*GROUPS, *ROOT_KEYS, "experiment"):
        value = following if following and "=" not in following else "VALUE"
        raise UserError(_no_override(word) + _form(word, value))
    raise UserError(_no_override(word) + _hint(word, found))


def _hint(word: str, found: Sequence[tuple[str, str]]) -> str:
    """What a word may be that belongs to no key."""
    if is_folder(word):
        return _folder(word)
    if groups := [group for group in GROUPS if word in options(group)]:
        return f". An option of a group: {' or '.join(f'{group}={word}' for group in groups)}"
    if found and found[-1][1] and not is_choice(found[-1][0]):
        key, value = found[-1]
        return with_text("; or does it belong to the value before it, after a blank?", key, f"{value} {word}")
    return ""


def _folder(word: str) -> str:
    return f". Images in a folder of yours: dataset=folder {for_shell(f'dataset.root={word}')}"


def _no_override(word: str) -> str:
    return f"{word!r} is no override: GROUP=OPTION or KEY=VALUE, without spaces around the ="


def _form(key: str, value: str) -> str:
    return f": {for_shell(f'{key}={value}')}"


def _json(word: str) -> str:
    """What `${args_json}` of a W&B sweep gives."""
    try:
        values = json.loads(word)
    except ValueError:
        return _no_override(word)
    items = values.items() if isinstance(values, dict) else ()
    form = " ".join(for_shell(f"{key}={value}") for key, value in items)
    return f"{word}: settings are given one by one, as ${{args_no_hyphens}} of a W&B sweep does: {form}".rstrip(": ")


def _check_key(word: str, key: str) -> None:
    """Raise for what stands before the = and is no key."""
    name = key.lstrip("+~")
    if is_key(name):
        return
    _refuse_typographic(word, ())
    if is_folder(word):
        raise UserError(_no_override(word) + _folder(word))
    if not name.strip():
        raise UserError(f"{_no_override(word)}: before the = there must be the name of a key or group")
    if is_key(name.strip()):
        value = word.partition("=")[2].strip()
        raise UserError(_no_override(word) + _form(key.strip().replace(name, name.strip(), 1), value))
    raise UserError(unknown("key or group", name, (*GROUPS, *ROOT_KEYS, "experiment")))


def _check_value(word: str, waiting: Sequence[str]) -> None:
    """Raise for a value that is not there, or has a comma or = too many."""
    key, _, value = word.partition("=")
    _refuse_typographic(word, waiting)
    following = waiting[0] if waiting and "=" not in waiting[0] else ""
    if not value and not key.startswith(("~", "hydra")):
        if following:
            raise UserError(_no_override(f"{word} {following}") + _form(key, following))
        raise UserError(f"{word}: a value must stand behind the ={_example(key)}")
    if value.startswith("=") and value.strip("="):
        form = for_shell(f"{key}=" + value.lstrip("="))
        raise UserError(with_text(f"{word}: one = is enough: {form}", key, value))
    if read(word) is None and re.search(r"^\s*,|,\s*,|,\s*$", value) and value.strip(", "):
        raise UserError(_comma(key, value, following))


def _example(key: str) -> str:
    """` : head=wise`, of a group its first options."""
    names = [name for name in options(key) if is_option(name)] if key in GROUPS else []
    empty = for_shell(f'{key}=""')
    return f": {key}={names[0]}, for instance" if names else f"; for an empty text {empty}"


def _comma(key: str, value: str, following: str) -> str:
    """`head=gap, wise`, which the shell divides; `head=gap,wise,`."""
    parts = [part.strip() for part in f"{value}{following}".split(",") if part.strip()]
    said = f"{key}={value} {following}".rstrip()
    form = for_shell(f"{key}={','.join(parts)}")
    rule = "between values there is one comma, without blanks, and none at the end"
    return with_text(f"{said}: {rule}: {form}", key, value)


def _refuse_typographic(word: str, waiting: Sequence[str]) -> None:
    """Raise for quotes that a program of letters has made of plain ones, as in what was copied from a mail or a page."""
    key, equals, value = word.partition("=")
    begun = value if equals and word[0] not in _OPENING else word
    if begun[:1] not in _OPENING or not begun:
        return
    whole = " ".join([word, *waiting])
    end = 1 + max((index for index, character in enumerate(whole) if character in _CLOSING), default=-1)
    meant = "".join(character for character in (whole[:end] or word) if character not in _OPENING + _CLOSING)
    said = f"{begun[0]} is a quote of letters, which neither the shell nor Hydra knows"
    line = f"{whole[:end] or word}: {said}: {for_shell(meant)}"
    raise UserError(with_text(line, key, whole.partition("=")[2]) if equals and begun is value else line)
