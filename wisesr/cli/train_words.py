"""Overrides of train.py among the arguments of another command, which argparse takes for options of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wisesr.errors import UserError

_SEVERAL = re.compile(r"[-\u2013\u2014]m(?:=.*)?|(?:--|[\u2013\u2014])multirun(?:=.*)?")


def as_train_takes(words: Sequence[str]) -> list[str]:
    """Words with `--dataset.root=...` as `dataset.root=...`.

    Args:
        words: that are no option of the command.

    Raises:
        UserError: the flag of a sweep; a setting with dashes, and without a =.
    """
    for word in words:
        if _SEVERAL.fullmatch(word):
            raise UserError(f"{word} makes a sweep of several cells, and here there is one: leave it out, and give one value")
        if found := re.fullmatch(r"--(\w+(?:\.\w+)+)", word):
            raise UserError(f"{word}: a setting is given with a =, without dashes: {found[1]}=VALUE")
    return [re.sub(r"^--(?=[\w.]+=)", "", word) for word in words]
