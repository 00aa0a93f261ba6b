"""`dataset.classes` and `dataset.classes_seed` in a configuration: what contradicts. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLASSES, CLASSES_SEED = "classes", "classes_seed"


def class_problems(dataset: Mapping[str, Any], *, own: bool) -> list[str]:
    """What contradicts in the settings of a dataset's classes, a sentence each; wrong types are told elsewhere.

    Args:
        dataset: its node.
        own: whether `classes` is a setting of the dataset itself, with a meaning of its own, as that of `layouts` is.
    """
    seed = dataset.get(CLASSES_SEED, 0)
    if seed == 0 or not isinstance(seed, int) or isinstance(seed, bool):
        return []
    if own:
        why = f"has no effect on {dataset.get('name')}, whose dataset.classes is a setting of its own"
        return [f"dataset.{CLASSES_SEED}={seed} {why}: leave it out"]
    if dataset.get(CLASSES) is None:
        return [
            f"dataset.{CLASSES_SEED}={seed} has no effect without dataset.classes: dataset.classes=10 keeps 10 classes by it"
        ]
    return []
