"""A wrong command for each number: kinds in turn, everything else at random."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from tests.wrong_configurations import combinations, files, names, odd, structure, sweeps, values
from tests.wrong_configurations.case import Case

MAKERS = tuple(
    (f"{module.__name__.rpartition('.')[2]}.{maker.__name__}", maker)
    for module in (names, values, structure, odd, combinations, sweeps, files)
    for maker in module.MAKERS
)
_STEP = 37
"""Has no factor in common with the number of kinds: a hundred numbers in a row meet all modules."""


def case_of(number: int) -> Case:
    """The wrong command of a number, the same on every machine."""
    kind, maker = MAKERS[number * _STEP % len(MAKERS)]
    return replace(maker(random.Random(number)), kind=kind)


def lay_out(case: Case, folder: Path) -> set[Path]:
    """Write its files below a folder; what lies there then."""
    for name, data in case.files.items():
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return set(folder.rglob("*"))
