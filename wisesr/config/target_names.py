"""What shows of a `_target_` by its name alone: code of another place, a package that is not there. No torch.

A wrong name would else show once a cell has imported torch, and each cell of a grid by itself.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from wisesr.config.signatures import makes
from wisesr.wording import shown_value

_ROOMS = {
    "backbone": "wisesr.models.",
    "head": "wisesr.models.heads.",
    "dataset": "wisesr.data.",
    "augment": "wisesr.data.",
    "recipe.optimizer": "wisesr.training.optimizers.",
    "recipe.schedule": "wisesr.training.schedules.",
    "logger": "wisesr.training.loggers.",
}
"""Where the package has its parts of each place."""

_CLASSES = ("backbone", "head", "augment", "logger")
"""Places that take a class; `dataset` takes a function."""


def target_problem(where: str, target: str, *, installed: bool = True) -> str | None:
    """What is wrong with a name before its code is read or imported; None if nothing shows.

    Args:
        where: the place of its node, `head`, `recipe.schedule`, `logger.NAME`.
        target: its `_target_`.
        installed: whether the package of somebody else's code has to be there.

    Raises:
        UserError: it is wisesr's, and there is no such file, or nothing of that name in it.
    """
    if not all(part.isidentifier() for part in target.split(".")) or "." not in target:
        return f"{where}._target_ must be a dotted name, as package.module.Name, not {shown_value(target)}"
    if target.startswith("wisesr."):
        place = where if where in _ROOMS else where.partition(".")[0]
        if _is_of_another_place(place, target):
            return f"{where}._target_: {target} is no {place.rpartition('.')[2]}; those of wisesr are in {_ROOMS[place][:-1]}"
        return None
    package = target.partition(".")[0]
    if installed and not _is_there(package):
        places = "in this folder, on PYTHONPATH or among what is installed"
        return f"{where}._target_: {shown_value(target)}: there is no package or module {package} {places}"
    return None


def _is_of_another_place(place: str, target: str) -> bool:
    """Whether what a name of wisesr's stands for is a part of another place, or a function where a class belongs."""
    room = max((room for room in _ROOMS.values() if target.startswith(room)), key=len, default=_ROOMS[place])
    if room != _ROOMS[place]:
        return True
    is_class = makes(target) == "class"
    return (place == "dataset" and is_class) or (place in _CLASSES and not is_class)


def _is_there(name: str) -> bool:
    """Whether a package or module can be found, without importing it; cells look into the working folder, too."""
    if name in sys.modules:
        return True
    try:
        return find_spec(name) is not None or PathFinder.find_spec(name, [str(Path.cwd())]) is not None
    except (ImportError, ValueError, OSError):
        return True  # which the import tells better
