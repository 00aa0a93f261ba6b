"""What loggers call a cell: `sun8-112 efficientnet_lite0 wise seed 3`, and what the command varied besides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from wisesr.config.axes import leaves, setting_text
from wisesr.config.replicates import repetition_names
from wisesr.config.signatures import target_settings

_SWEPT = re.compile(r"([a-z_][\w.]*)=(.*(?:,|\brange\(|\bchoice\(|\bglob\().*)", re.DOTALL)
"""`head.dropout=0,0.5`, `seed=range(5)`: https://hydra.cc/docs/advanced/override_grammar/extended/."""
_NAMED = ("study", "backbone", "head", "dataset", "resolution", "resolution.size", "seed", "replicate", "dataset.fold")
"""Keys that every name says, and the group that runs are in."""


def run_name(config: Mapping[str, Any], command: Sequence[str]) -> str:
    """A cell's name, by which its run is told from the others of its study.

    Args:
        config: of the cell; of a subset of classes it says which.
        command: that made the cell. Settings that it sweeps over are part of the name; what an experiment sweeps over stands
            in no command, and is not.
    """
    names = (f"{config['dataset']['name']}-{config['resolution']['size']}", config["backbone"]["name"], config["head"]["name"])
    repetition = (name.replace("-", " ") for name in repetition_names(config))
    return " ".join((*names, *repetition, *dict.fromkeys((*_classes(config["dataset"]), *_varied(config, command)))))


def _classes(dataset: Mapping[str, Any]) -> Iterator[str]:
    """`dataset.classes=10`: a run of some classes is no repetition of one of all; of what draws its own, nothing."""
    target = str(dataset["_target_"])
    if dataset.get("classes") is None or (target.startswith("wisesr.") and "classes" in target_settings(target)):
        return
    for key in ("classes", "classes_seed"):
        if dataset.get(key):
            yield setting_text(f"dataset.{key}", dataset[key])


def _varied(config: Mapping[str, Any], command: Sequence[str]) -> Iterator[str]:
    """`recipe.optimizer.lr=0.01`, for each setting that the command gives several values; lists of one value are none."""
    values = leaves(config)
    in_two_words = [f"{flag}={value}" for flag, value in pairwise(command) if flag.startswith("--") and "=" not in flag]
    for argument in (*command, *in_two_words):
        swept = _SWEPT.fullmatch(argument.lstrip("+-"))
        if swept and swept[1] in values and swept[1] not in _NAMED and not _is_one(swept[2], values[swept[1]]):
            yield setting_text(swept[1], values[swept[1]])


def _is_one(typed: str, value: object) -> bool:
    """Whether what was typed is one value although it has commas: a list, or a path whose name has them."""
    return isinstance(value, list) or (isinstance(value, str) and value.endswith(typed.strip("'\"").lstrip("~./")))
