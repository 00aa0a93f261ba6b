"""Hydra's own flags (`-m`, `--cfg job`) among the words of a command line, wherever they stand. No torch.

argparse takes no override after a flag that stands behind one: https://docs.python.org/3/library/argparse.html#intermixed-parsing
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wisesr.config.grammar import for_shell, is_key
from wisesr.config.key_kinds import is_switch
from wisesr.config.options import GROUPS
from wisesr.config.schema import ROOT_KEYS
from wisesr.errors import UserError, unknown
from wisesr.program import program

SWEEP = ("-m", "--multirun")


class Flag(NamedTuple):
    """One of Hydra's: https://hydra.cc/docs/1.3/advanced/hydra-command-line-flags."""

    names: tuple[str, ...]
    """The long one first."""
    takes_value: bool = False
    choices: tuple[str, ...] = ()
    default: str | None = None
    """The value where none is given; None where one must be."""


_INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
FLAGS = (
    *(Flag(names) for names in (("--help", "-h"), ("--hydra-help",), ("--version",), ("--resolve",), ("--run", "-r"))),
    *(Flag(names) for names in (("--multirun", "-m"), ("--shell-completion", "-sc"))),
    *(Flag(names, True) for names in (("--package", "-p"), ("--config-path", "-cp"), ("--config-name", "-cn"))),
    *(Flag(names, True) for names in (("--config-dir", "-cd"), ("--experimental-rerun",))),
    Flag(("--cfg", "-c"), True, ("job", "hydra", "all")),
    Flag(("--info", "-i"), True, _INFO, "all"),
)
"""All of them. Hydra has them in a private module only; a test holds this against its help."""
_OPTIONS = {name: flag for flag in FLAGS for name in flag.names}
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
"""What a program of letters makes of one or two dashes."""


class Divided(NamedTuple):
    """A command line in two."""

    flags: list[str]
    """Hydra's, each in one word with its value."""
    words: list[str]
    """All others; `--seed=1` is `seed=1`, which is how W&B's sweeps write it."""


def divide(arguments: Sequence[str]) -> Divided:
    """Divide a command line.

    Raises:
        UserError: no flag of this name, or one without its value, with a wrong one, or with one that it does not take.
    """
    flags: list[str] = []
    words: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = _with_plain_dashes(waiting.pop(0))
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            words.append(word)
        elif flag := _option(name):
            flags.append(_flag(name, flag, value if equals else None, waiting))
        elif word.startswith("--"):
            words += [f"{name[2:]}={value if equals else _value_of(name, waiting)}"] if word != "--" else []
        else:
            raise UserError(_no_flag(word))
    return Divided(flags, words)


def _option(name: str) -> Flag | None:
    """The flag of a name or of its beginning, as argparse has it; keys of ours come first, `--experiment` among them."""
    if name in _OPTIONS or not name.startswith("--") or len(name) < 3:
        return _OPTIONS.get(name)
    if name[2:] in (*GROUPS, *ROOT_KEYS, "experiment") or "." in name:
        return None
    found = [flag for flag in FLAGS if any(full.startswith(name) for full in flag.names)]
    return found[0] if len(found) == 1 else None


def _with_plain_dashes(word: str) -> str:
    """`—m` as `-m`, `—multirun` as `--multirun`."""
    found = re.match(f"[-{_DASHES}]+", word)
    if not found or not set(found[0]) & set(_DASHES):
        return word
    rest = word[len(found[0]) :]
    return f"-{rest}" if f"-{rest}" in _OPTIONS else f"--{rest}"


def _flag(name: str, flag: Flag, value: str | None, waiting: list[str]) -> str:
    """A flag with its value in one word; takes the value from the words that follow if it is there."""
    full, choices = flag.names[0], flag.choices
    name = name if name in flag.names else full
    if not flag.takes_value:
        if value is not None:
            key = value.partition("=")[0]
            meant = f"{name} {for_shell(value)}" if "=" in value and is_key(key) else name
            raise UserError(f"{name}={value}: {name} takes no value: {program()} {meant}")
        return name
    if value is None and waiting and (waiting[0] in choices if choices else not waiting[0].startswith("-")):
        value = waiting.pop(0)
    value = flag.default if value is None else value
    if value is None or (choices and value not in choices):
        said = f"{name}={value}" if value is not None else name
        rule = f"must be one of {', '.join(choices)}" if choices else "needs a value"
        raise UserError(f"{said}: {name} {rule}: {program()} {name} {choices[0] if choices else 'VALUE'}")
    if full == "--config-path":
        return f"{full}={_conf_of_their_own(name, value)}"
    return f"{full}={Path(value).expanduser() if value.startswith('~/') else value}"


def _conf_of_their_own(name: str, value: str) -> Path:
    """A folder in place of `conf`; Hydra would look for one that is not absolute below the package."""
    folder = Path(value).expanduser().absolute()
    if not folder.is_dir():
        raise UserError(
            f"{name} {value}: there is no such folder. Options of your own, beside those of conf/: --config-dir FOLDER"
        )
    return folder


def _value_of(name: str, waiting: list[str]) -> str:
    """The value of `--seed 1`, from the words that follow; `true` for `--grid.plan` with none."""
    key = name[2:]
    following = waiting[0] if waiting else ""
    is_override = "=" in following and is_key(following.partition("=")[0].lstrip("+~"))
    if following and not is_override and (not following.startswith("-") or re.fullmatch(r"-[\d.].*", following)):
        return waiting.pop(0)
    if is_switch(key):
        return "true"
    if not is_key(key) or ("." not in key and key not in (*GROUPS, *ROOT_KEYS, "experiment")):
        raise UserError(_unknown(name))
    raise UserError(f"{name} has no value. Settings are given without dashes: {program()} {key}=VALUE")


def _no_flag(word: str) -> str:
    """`-mhead=gap`, `-multirun`, `-x`."""
    if f"-{word}" in _OPTIONS:
        return f"{word} has two dashes: {program()} -{word}"
    if word.lower() in _OPTIONS:
        return f"no flag is called {word!r}. Did you mean {word.lower()}?"
    if word.startswith("-m") and "=" in word and is_key(word[2:].partition("=")[0]):
        return f"{word}: a blank belongs behind -m: {program()} -m {for_shell(word[2:])}"
    name, equals, value = word[1:].partition("=")
    if equals and is_key(name):
        return f"{word}: settings are given without dashes: {program()} {for_shell(f'{name}={value}')}"
    return _unknown(word)


def _unknown(word: str) -> str:
    names = [full for full in _OPTIONS if full.startswith("--")]
    return f"{unknown('flag', word, names)}. A setting is {program()} KEY=VALUE"
