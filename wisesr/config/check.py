"""Whether a configuration is right: each node held against the schema of its fixed keys and the signature of its `_target_`.

No torch: what is wrong shows in half a second, all of it together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wisesr.config.options import GROUPS, options
from wisesr.config.schema import (
    Config,
    DatasetSchema,
    GridSchema,
    Name,
    RecipeSchema,
    ResolutionSchema,
    RootSchema,
    TrainerSchema,
)
from wisesr.config.signatures import Setting, mismatches, positional_settings, schema_settings, target_settings
from wisesr.errors import UserError
from wisesr.types import seconds_of


def split_grid(configs: Sequence[Config]) -> tuple[list[Config], dict[str, Any]]:
    """Cells and the settings `grid` of the command that runs them, which are no part of a cell.

    Raises:
        UserError: a wrong setting; settings that differ between cells.
    """
    cells = [{key: value for key, value in config.items() if key != "grid"} for config in configs]
    (grid, *others) = [config.get("grid") or {} for config in configs]
    if problems := mismatches("grid", grid, schema_settings(GridSchema)):
        raise UserError("\n".join(problems))
    if any(other != grid for other in others):
        raise UserError("grid.* belongs to the command, not to a cell, and cannot be swept: give one value")
    return cells, dict(grid)


def check(config: Mapping[str, Any]) -> list[str]:
    """Everything wrong with a configuration that shows without importing torch, a sentence each; empty if nothing."""
    absent = [group for group in GROUPS if not isinstance(config.get(group), dict)]
    if absent:
        return [f"{group} is missing: choose one of {', '.join(options(group))}" for group in absent]
    groups = {group: Setting(dict, True) for group in GROUPS}
    problems = mismatches("", config, groups | schema_settings(RootSchema))
    for group, schema in (("trainer", TrainerSchema), ("resolution", ResolutionSchema)):
        problems += mismatches(group, config[group], schema_settings(schema))
    problems += _check_target("backbone", config["backbone"], schema_settings(Name))
    problems += _check_target("head", config["head"], schema_settings(Name))
    problems += _check_target("dataset", config["dataset"], schema_settings(DatasetSchema))
    problems += _check_target("augment", config["augment"], {})
    problems += _check_recipe(config["recipe"])
    problems += _check_time(config["trainer"].get("max_time"))
    for name, node in config["logger"].items():
        problems += _check_target(f"logger.{name}", node, {})
    problems += _check_names(config)
    return problems + _check_root(config["dataset"])


def _check_root(dataset: Mapping[str, Any]) -> list[str]:
    root = dataset.get("root")
    if not isinstance(root, str) or Path(root).is_dir():
        return []
    how = "; `wisesr data prepare --help` tells how to make it" if "partial" in dataset else ""
    return [f"dataset.root: there is no folder {root}{how}"]


def _check_recipe(recipe: Mapping[str, Any]) -> list[str]:
    parts = ("optimizer", "schedule")
    problems = mismatches("recipe", {k: v for k, v in recipe.items() if k not in parts}, schema_settings(RecipeSchema))
    for part in parts:
        if part not in recipe:
            problems.append(f"recipe.{part} is missing: a node with a _target_")
        else:
            problems += _check_target(f"recipe.{part}", recipe[part], {})
    return problems


def _check_time(text: object) -> list[str]:
    """Of `trainer.max_time`."""
    if text is not None and seconds_of(str(text)) is None:
        return [f"trainer.max_time must be null or DD:HH:MM:SS (in quotes in YAML), not {text!r}"]
    return []


def _check_target(where: str, node: object, fixed: Mapping[str, Setting]) -> list[str]:
    if not isinstance(node, Mapping) or not isinstance(node.get("_target_"), str):
        return [f"{where} must be a node with a _target_, the dotted name of what it builds, not {node!r}"]
    target = node["_target_"]
    if not target.startswith("wisesr."):
        own = {key: value for key, value in node.items() if key in fixed}
        return mismatches(where, own, fixed)  # somebody else's code: its settings are checked once it is imported
    try:
        if misplaced := positional_settings(target, node):
            return [f"{where}: {problem}" for problem in misplaced]
        return mismatches(where, node, {**fixed, **target_settings(target)})
    except UserError as error:
        return [f"{where}: {error}"]


def _check_names(config: Mapping[str, Any]) -> list[str]:
    study = config.get("study")
    if isinstance(study, str) and not re.fullmatch(r"[\w.-]*\w[\w.-]*", study):
        return [f"study must be made of letters, digits and . _ - (it names a folder), not {study!r}"]
    return []


def describe_problems(problems: Iterable[tuple[str, str]]) -> str:
    """One screen from (cell, problem) pairs; a problem of several cells stands once."""
    cells: dict[str, list[str]] = {}
    for cell, problem in problems:
        cells.setdefault(problem, []).append(cell)
    lines = []
    for problem, names in cells.items():
        where = f"   [{names[0]}{f' and {len(names) - 1} more cells' if len(names) > 1 else ''}]" if names[0] else ""
        lines.append(f"  - {problem}{where}")
    return "\n".join(lines)
