"""Which split a folder's name speaks of: `Train_Set2`, `flowersTest`, `TESTSET`, `Trainingsdaten`. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from wisesr.data.folder_tree import same_name
from wisesr.data.manifest import TEST, TRAIN, VAL

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    TRAIN: ("train", "training"),
    VAL: ("val", "valid", "validation", "eval"),
    TEST: ("test", "testing"),
}
"""Names of a split's folder, in any case; the first is the setting's default."""
_MEANT = {
    **{word: split for split, words in SYNONYMS.items() for word in words},
    **dict.fromkeys(("trn", "trainval", "trainings"), TRAIN),
    **dict.fromkeys(("dev", "devel", "evaluation", "evaluate", "evaluating", "validate", "validating"), VAL),
    **dict.fromkeys(("validierung", "validierungs"), VAL),
    **dict.fromkeys(("holdout", "heldout", "tst", "tests"), TEST),
}
"""Words in the name of a folder that looks like a split."""
_WEAK = frozenset(("dev", "devel", "tests", "evaluate", "evaluating", "validate", "validating"))
"""Those that name a class as easily, on their own."""
_FILLERS = frozenset(
    (
        *("set", "sets", "data", "dataset", "datasets", "subset", "split", "splits", "sample", "samples"),
        *("images", "image", "imgs", "img", "pictures", "pics", "photos", "photographs"),
        *("seg", "part", "folder", "files", "dir", "daten", "menge", "bilder", "satz", "datensatz"),
    )
)
_PARTS = frozenset(["fold", "folds", "split", "part", "partition"])


def _one_of(words: Sequence[str] | frozenset[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_SPLIT_WORD = _one_of(frozenset(_MEANT) - {"dev", "devel"})
_GLUED = re.compile(rf"(?P<split>{_SPLIT_WORD})(?P<rest>(?:{_one_of(_FILLERS)}){{1,2}})")
_GLUED_LAST = re.compile(rf"(?P<rest>{_one_of(_FILLERS)})(?P<split>{_SPLIT_WORD})")
_ENDS_IN = re.compile(r"(?P<before>.*?[^\W\d_])(?P<split>train|training|test|testing|val|valid|validation)")


class Likeness(NamedTuple):
    """How a folder's name resembles that of a split."""

    split: str | None
    """None where it is a part, and nothing says which: fold1."""
    sure: bool
    """Whether it is asked about without a look at what lies in it."""


def meant(name: str) -> str | None:
    """The split that a name speaks of."""
    return next((_MEANT[word] for word in _words(name) if word in _MEANT), None)


def is_split_word(name: str) -> bool:
    """Whether a name says nothing but a split, and no class is called so: `train`, `test_set`, and not `tests`."""
    words = list(_words(name))
    return meant(name) is not None and not _rest(words) and not (len(words) == 1 and words[0] in _WEAK)


def speaks_of_split(name: str) -> bool:
    """Whether a split's word stands anywhere in a name: in `notest` too."""
    return re.search("train|test|val", name.casefold()) is not None


def alike(names: Sequence[str]) -> dict[str, Likeness]:
    """Folders whose names say split and nothing else, or differ in nothing but the split."""
    found: dict[str, Likeness] = {}
    rests: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        words = list(_words(name))
        split, rest = meant(name), _rest(words)
        if split and not rest:
            found[name] = Likeness(split, is_split_word(name))
        elif split:
            rests.setdefault(rest, {})[name] = split
        elif words and words[0] in _PARTS and len(rest) <= 1 and re.search(r"\d", name):
            found[name] = Likeness(None, False)
        elif glued := _ENDS_IN.fullmatch(same_name(name).casefold()):
            rests.setdefault((glued["before"], "..."), {})[name] = _MEANT[glued["split"]]
    for same in rests.values():
        if len(set(same.values())) > 1:
            found |= {name: Likeness(split, True) for name, split in same.items()}
    return found


def _rest(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _MEANT and word not in _FILLERS)


def _words(name: str) -> Iterator[str]:
    """Of a name: `Train_Set2` is train, set; `flowersTest` is flowers, test; `TESTSET` is test, set."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", same_name(name))
    for word in re.findall(r"[^\W\d_]+", apart.casefold()):
        known = word in _MEANT or word in _FILLERS
        glued = None if known else _GLUED.fullmatch(word) or _GLUED_LAST.fullmatch(word)
        yield from (glued["split"], *re.findall(_one_of(_FILLERS), glued["rest"])) if glued else (word,)
