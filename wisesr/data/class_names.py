"""Names of classes that hardly differ, or that one split has and the other has not. No torch."""

from __future__ import annotations

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from wisesr.wording import natural_key, some_of

_SHOWN = 8
"""Names that a sentence lists."""


def looks_like(name: str) -> str:
    """What two names share that a reader takes for one: without case, spaces of any width, ligatures, what has no width."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(letter for letter in plain if not letter.isspace() and unicodedata.category(letter) not in ("Cf", "Cc"))


def hardly_different(names: Iterable[str]) -> str:
    """A sentence on classes that look the same, empty where there are none: their images are of one kind, most likely."""
    alike = defaultdict(list)
    for name in sorted(set(names), key=natural_key):
        alike[looks_like(name)].append(name)
    groups = [" and ".join(map(in_quotes, same)) for same in alike.values() if len(same) > 1]
    if not groups:
        return ""
    return (
        f"class names that differ only in case, spaces or signs that look alike, each a class of its own: {_some(groups, '; ')}"
    )


def strangers(split: str, names: Sequence[str], known: Iterable[str]) -> str:
    """A sentence on classes of a split that the training split has not, with the names there that may be meant."""
    by_look = {looks_like(name): name for name in known}
    listed = [in_quotes(name) for name in names]
    near = [(name, by_look[looks_like(name)]) for name in names if looks_like(name) in by_look]
    if not near and len(names) <= _SHOWN:
        near = [(name, best) for name in names for best in difflib.get_close_matches(name, by_look.values(), 1, 0.75)]
    hints = [f"{in_quotes(name)} may be {in_quotes(other)} there" for name, other in near]
    hint = f" ({_some(hints)})" if hints else ""
    return f"classes of the {split} split have no images in the train split: {_some(listed)}{hint}"


def in_quotes(name: str) -> str:
    """A name in quotes, with what has no width or looks like a plain space written as its number: `'cat\\xa0'`."""
    odd = any(letter != " " and (letter.isspace() or unicodedata.category(letter) == "Cf") for letter in name)
    ligature = unicodedata.normalize("NFKC", name) != unicodedata.normalize("NFC", name)
    return ascii(name) if odd or ligature else repr(name)


def _some(names: Sequence[str], separator: str = ", ") -> str:
    return some_of(names, _SHOWN, separator)
