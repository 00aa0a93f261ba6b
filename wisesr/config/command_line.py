"""A command line as Hydra reads it. No torch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from wisesr.config.options import GROUPS


def arrange(arguments: Sequence[str]) -> list[str]:
    """A command line as Hydra reads it: `-m` first (it takes no override after one that stands before `-m`), choices quoted."""
    sweep = [argument for argument in arguments if argument in ("-m", "--multirun")]
    return sweep + quote_choices(argument for argument in arguments if argument not in sweep)


def quote_choices(arguments: Iterable[str]) -> list[str]:
    """`resolution=112,224` as `resolution='112','224'`: Hydra would read numbers, and refuse them as choices of a group.

    https://github.com/facebookresearch/hydra/blob/v1.3.2/hydra/_internal/defaults_list.py
    """
    choices = re.compile(rf"({'|'.join(GROUPS)})=(\w+(?:,\w+)*)")
    quoted = []
    for argument in arguments:
        if found := choices.fullmatch(argument):
            names = (f"'{name}'" if name.isdecimal() else name for name in found[2].split(","))
            argument = f"{found[1]}=" + ",".join(names)
        quoted.append(argument)
    return quoted
