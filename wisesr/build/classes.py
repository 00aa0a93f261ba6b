"""`dataset.classes` of a configuration applied to a dataset, whoever wrote that one. No torch."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from wisesr.build.targets import locate
from wisesr.config.class_settings import CLASSES, class_problems
from wisesr.config.schema import DATASET_KEYS
from wisesr.data.class_subset import class_subset
from wisesr.data.manifest import Manifest
from wisesr.errors import UserError


def keys_of_all(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of a dataset's node that are no settings of the dataset itself. Some have `classes` of their own, as `layouts`."""
    return tuple(key for key in DATASET_KEYS if key != CLASSES) if _has_own_classes(dataset) else DATASET_KEYS


def with_chosen_classes(dataset: Mapping[str, Any], manifest: Manifest, splits: Sequence[str]) -> Manifest:
    """The images of the classes that `dataset.classes` keeps.

    Args:
        dataset: the node of the configuration.
        manifest: of all classes, with all its splits.
        splits: those that are used.

    Raises:
        UserError: it cannot be so many classes, or `dataset.classes_seed` has no effect.
    """
    own = _has_own_classes(dataset)
    if problems := class_problems(dataset, own=own):
        raise UserError(problems[0])
    count = None if own else dataset.get(CLASSES)
    return manifest if count is None else class_subset(manifest, count, seed=dataset.get("classes_seed", 0), splits=splits)


def _has_own_classes(dataset: Mapping[str, Any]) -> bool:
    return CLASSES in inspect.signature(locate("dataset", dataset["_target_"])).parameters
