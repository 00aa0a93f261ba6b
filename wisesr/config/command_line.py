"""A command line as a user types it, made what Hydra reads: flags first, each value as it was meant. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wisesr.config.flags import SWEEP, divide
from wisesr.config.grammar import for_shell, is_sweep, read
from wisesr.config.options import GROUPS
from wisesr.config.typed_sizes import refuse_what_is_too_long
from wisesr.config.typed_values import settled, with_text
from wisesr.config.typed_words import halves, overrides_of
from wisesr.errors import UserError
from wisesr.program import program


class Arranged(NamedTuple):
    """A command line for Hydra."""

    arguments: list[str]
    notes: list[str]
    """What a user would not expect of it, a sentence each."""


def arrange(arguments: Sequence[str]) -> Arranged:
    """A command line as Hydra reads it: its flags first, values settled.

    Raises:
        UserError: a word that is neither a flag nor an override; a value that cannot be read; several values without `-m`.
    """
    flags, words = divide(arguments)
    sweeps = any(flag in SWEEP for flag in flags)
    typed, overrides = _settled(words)
    if not sweeps and not _may_sweep_unasked(flags, overrides):
        for given, override in zip(typed, overrides, strict=True):
            if is_sweep(override):
                raise UserError(several_values(given))
    return Arranged([*flags, *overrides], _notes(typed, overrides) if sweeps else [])


def as_hydra_reads(words: Sequence[str]) -> list[str]:
    """Overrides, without flags, as Hydra reads them.

    Raises:
        UserError: a word that is none; a value that cannot be read.
    """
    return _settled(words)[1]


def for_one_cell(words: Sequence[str]) -> list[str]:
    """As `as_hydra_reads`, where there is one cell.

    Raises:
        UserError: those of `as_hydra_reads`; several values.
    """
    typed, overrides = _settled(words)
    for given, override in zip(typed, overrides, strict=True):
        if is_sweep(override):
            line = f"{given}: there must be one value; several are for {program()} -m"
            raise UserError(with_text(line, *halves(given)))
    return overrides


def several_values(given: str) -> str:
    """What to type where several values were given without `-m`."""
    line = f"{given}: several values are a sweep, which needs -m: {program()} -m {for_shell(given)}"
    return with_text(line, *halves(given))


def quote_choices(arguments: Iterable[str]) -> list[str]:
    """`resolution=112,224` as `resolution='112','224'`: Hydra would read numbers, and refuse them as choices of a group."""
    choices = re.compile(rf"({'|'.join(GROUPS)})=(\w+(?:,\w+)*)")
    found = ((argument, choices.fullmatch(argument)) for argument in arguments)
    return [f"{choice[1]}={settled(choice[1], choice[2])}" if choice else argument for argument, choice in found]


def _settled(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Overrides as they were typed, in one word each, and as Hydra reads them."""
    for word in words:
        _refuse_other_bytes(word)
        refuse_what_is_too_long(word)
    roots = [word.partition("=")[2] for word in words if word.startswith("dataset.root=")]
    typed, overrides = [], []
    for key, value in overrides_of(words, roots):
        deletes = key.startswith("~") and not value
        typed.append(key if deletes else f"{key}={value}")
        overrides.append(key if deletes else f"{key}={settled(key.lstrip('+~'), value, roots)}")
    return typed, overrides


def _refuse_other_bytes(word: str) -> None:
    """Raise for a word with bytes that are no UTF-8, which Python holds as halves of surrogate pairs (PEP 383)."""
    if any("\udc80" <= character <= "\udcff" for character in word):
        shown = word.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        raise UserError(f"{shown} has bytes that are no UTF-8: rename it, or give a link to it that has another name")


def _may_sweep_unasked(flags: Sequence[str], overrides: Sequence[str]) -> bool:
    """Whether the configuration may ask for a sweep, as experiments do; then Hydra tells what is wrong."""
    return any(flag.startswith("--config") for flag in flags) or any(
        override.lstrip("+").startswith(("experiment=", "hydra.mode=")) for override in overrides
    )


def _notes(typed: Sequence[str], overrides: Sequence[str]) -> list[str]:
    """Under `-m` a comma makes a sweep, but for a path that has one."""
    pairs = zip(typed, overrides, strict=True)
    one = [halves(given) for given, override in pairs if "," in given and not is_sweep(override) and _looks_swept(given)]
    return [f"{key}: taken as one path, {value}, not as several values" for key, value in one]


def _looks_swept(given: str) -> bool:
    """Whether Hydra would have read several values, or nothing at all, in what was typed."""
    return is_sweep(given) or read(given) is None
