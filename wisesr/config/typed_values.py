"""One value of a command line, as a user types it, made one that Hydra reads as it is meant. No torch.

Hydra's grammar gives a meaning to most of what names of folders hold. Here a key that holds paths takes a path as it is, and
what Hydra cannot read is a text, unless it was clearly meant as a list, a function or an interpolation: the answer says how.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from wisesr.config.grammar import COMMAND, as_text, as_value, for_shell, functions, is_one_value, quoted, read
from wisesr.config.grid_words import OF_COMBINATIONS, refuse_commas
from wisesr.config.key_kinds import is_choice, is_path_key, is_text_only, kinds, may_be, takes_text
from wisesr.config.options import GROUPS, is_option, options
from wisesr.config.typed_paths import at_home, existing, existing_parts, is_folder, is_new_beside_others
from wisesr.errors import UserError
from wisesr.program import program

_FORMS = {
    "choice": "choice(A,B,C)",
    "glob": "glob(w*)",
    "interval": "interval(FROM,TO)",
    "range": "range(FROM,TO) or range(FROM,TO,STEP), in numbers",
}
_SEVERAL = ("logger", "experiment")
"""Groups of which several options may be chosen together."""


def settled(key: str, text: str, roots: Sequence[str] = ()) -> str:
    """A value as Hydra is to get it.

    Args:
        key: without what stands before it to add or delete it.
        text: what was typed.
        roots: of the dataset, below which its other paths may be.

    Raises:
        UserError: it cannot be read, or is a list where a key has one value.
    """
    if is_choice(key):
        return _choice(key, text)
    bases = _bases(key, roots)
    if (path := _path(key, text, bases)) is not None:
        return path
    found = read(f"{key}={text}")
    if key in OF_COMBINATIONS and "," in text and text[:1] not in "[{" and not is_one_value(found):
        refuse_commas(key, text)
    if found is None:
        return _unread(key, text, roots)
    if not is_one_value(found):
        return text
    value = found.value()
    if isinstance(value, (bool, int, float)) and is_text_only(key):
        return quoted(text)  # 1_000, 007 and 1e3 are names as well
    if value == "None" and kinds(key) and may_be(key, None) and not _is_quoted(text):
        return "null"  # as Python writes it, and what calls a command for it
    if isinstance(value, list) and not may_be(key, value) and all(isinstance(item, (str, int, float)) for item in value):
        raise UserError(_list(key, text))
    return text


def holds_path(key: str, text: str) -> bool:
    """Whether a text may be a path here: not a choice, a number or one of some words, and not a name where names stand."""
    return not is_choice(key) and ("/" in text or text.startswith("~") or is_path_key(key)) and takes_text(key)


def holds_existing(key: str, text: str, roots: Sequence[str]) -> bool:
    """Whether a value is a path that is there."""
    return holds_path(key, text) and existing(text, _bases(key, roots)) is not None


def _bases(key: str, roots: Sequence[str]) -> list[str]:
    """Folders that a relative path of a key may be below."""
    below = key.startswith("dataset.") and key != "dataset.root"
    return ["", *(existing(root, [""]) or root for root in roots)] if below else [""]


def _path(key: str, text: str, bases: Sequence[str]) -> str | None:
    """A path that is there, several that are, or one that may come to be; None if it is none of these."""
    if not holds_path(key, text):
        return None
    found = read(f"{key}={text}")
    meant = found.value() if found is not None and is_one_value(found) else text
    if not isinstance(meant, str) and kinds(key) and may_be(key, meant):
        return None  # null, a number or a list, where that is a value too
    if (whole := existing(text, bases)) is not None:
        return as_value(whole)
    if "," in text and (parts := existing_parts(text, bases)):
        return ",".join(map(as_value, parts))
    if (found is None or not is_one_value(found)) and _is_new(text, bases):
        return as_value(at_home(text))
    return None


def _is_new(text: str, bases: Sequence[str]) -> bool:
    try:
        return is_new_beside_others(text, bases)
    except UserError:
        return False


def _unread(key: str, text: str, roots: Sequence[str]) -> str:
    """What Hydra cannot read, as a text, or as several with commas between."""
    if why := _meant(text):
        raise UserError(with_text(f"{key}={text}: {why}{_list_hint(key, text)}", key, text))
    if "," in text and "\\," not in text:  # which is no comma between values
        parts = [part.strip() for part in text.split(",")]
        if not all(parts):
            raise UserError(with_text(f"{key}={text}: there is nothing between two commas, or beside one", key, text))
        try:
            return ",".join(settled(key, part, roots) for part in parts)
        except UserError as error:  # of one of them; what was typed is all of them
            raise UserError(with_text(str(error).partition("\n")[0], key, text)) from None
    return quoted(at_home(text) if holds_path(key, text) else text)


def _meant(text: str) -> str:
    """What a text that Hydra cannot read was meant as, and the rule of that; nothing if it may well be just a text."""
    name = re.match(r"\s*(\w+)\s*\(", text)
    if name and name[1] in functions():
        return f"{name[1]}(...) cannot be read. Its form is {_FORMS.get(name[1], f'{name[1]}(VALUE)')}"
    if "${" in text:
        return "${...} stands for another value of the configuration, and what stands here cannot be read as that"
    rules = {
        "[": "a list is [A,B], its texts in quotes where they are not made of letters, digits and . _ - /",
        "{": "names with values are {A:1,B:2}, the texts in quotes where they are not made of letters, digits and . _ - /",
        "'": "a text in quotes ends with the same quote that it begins with",
        '"': "a text in quotes ends with the same quote that it begins with",
    }
    return rules.get(text.lstrip()[:1], "")


def _list_hint(key: str, text: str) -> str:
    """A list of texts with the quotes that it lacks."""
    if not (text.startswith("[") and text.endswith("]") and may_be(key, ["a text"])):
        return ""
    items = ",".join(as_value(item.strip().strip("'\"")) for item in text[1:-1].split(","))
    line = f"{key}=[{items}]"
    return f"\nWith them:\n{COMMAND}{for_shell(line)}" if read(line) else ""


def with_text(line: str, key: str, text: str) -> str:
    """A message, and below it how to give what was typed as a text, where a text is a value."""
    return f"{line}\n{as_text(key, text)}" if not is_choice(key) and takes_text(key) else line


def _choice(key: str, text: str) -> str:
    """Names of options: Hydra would read 112 as a number, and refuse it as the choice of a group.

    https://github.com/facebookresearch/hydra/blob/v1.3.2/hydra/_internal/defaults_list.py
    """
    if key == "dataset":
        _refuse_folder(text)
    if re.fullmatch(r"\w+(?:,\w+)*", text, re.ASCII):
        return ",".join(
            name if _is_text(name) or (name == "null" and key not in GROUPS) else f"'{name}'" for name in text.split(",")
        )
    found = read(f"{key}={text}")
    if found is not None:
        if isinstance(found.value(), list) and key in GROUPS and key not in _SEVERAL:
            raise UserError(_list(key, text))
        return quoted(text) if isinstance(found.value(), (bool, int, float)) else text
    if why := _meant(text):
        raise UserError(f"{key}={text}: {why}")
    return ",".join(name if read(f"{key}={name}") else quoted(name) for name in text.split(","))


def _is_text(name: str) -> bool:
    """Whether Hydra reads a word as a text; 112, true and nan it would refuse as names of options."""
    found = read(f"key={name}")
    return found is not None and isinstance(found.value(), str)


def _refuse_folder(text: str) -> None:
    if is_folder_of_images(text):
        line = for_shell(f"dataset.root={text}")
        raise UserError(f"{text} is no dataset's name: images in a folder of yours are dataset=folder {line}")


def is_folder_of_images(text: str) -> bool:
    """Whether a folder stands where the name of a dataset belongs: one that is there, or a path that is called like none."""
    if text in options("dataset") or not is_option(text):
        return False
    return ("/" in text and "," not in text) or is_folder(text)


def _list(key: str, text: str) -> str:
    """A list where one value is asked for: a sweep was meant, or one."""
    inner = text.strip()[1:-1].strip()
    if not inner:
        return f"{key}={text}: {key} has one value, and this list has none"
    if "," not in inner:
        return f"{key}={text}: one value has no brackets: {for_shell(f'{key}={inner}')}"
    line = for_shell(f"{key}={inner.replace(', ', ',')}")
    several = f"{key}={text}: {key} has one value in a cell. Several of them are a sweep: {program()} -m {line}"
    return with_text(several, key, text)


def _is_quoted(text: str) -> bool:
    return text.strip()[:1] in ("'", '"')
