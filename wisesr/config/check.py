"""Whether a configuration is right: each node held against the schema of its fixed keys and the signature of its `_target_`.

No torch: what is wrong shows in half a second, all of it together.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_origin

from wisesr.config.class_settings import CLASSES, class_problems
from wisesr.config.options import GROUPS, load_option, options
from wisesr.config.replicates import replicate_problems
from wisesr.config.schema import MOVED, Config, GridSchema, fixed_settings, moved_sentence
from wisesr.config.setting_types import Setting, fits, mismatches, schema_settings
from wisesr.config.signatures import positional_settings, target_settings
from wisesr.config.target_names import target_problem
from wisesr.config.written import in_file
from wisesr.errors import UserError
from wisesr.types import seconds_of
from wisesr.wording import count_of, shown_value

_NAME = 255
"""Bytes of a folder's name, at most: https://man7.org/linux/man-pages/man7/path_resolution.7.html"""

_ROOM, _COLUMNS = 18, 100
"""Lines that all problems together may take, and how wide they are taken to be: a screen of 24 has other lines, too."""


def split_grid(configs: Sequence[Config]) -> tuple[list[Config], dict[str, Any]]:
    """Cells and the settings `grid` of the command that runs them, which are no part of a cell.

    Raises:
        UserError: a wrong setting; settings that differ between cells.
    """
    cells = [{key: value for key, value in config.items() if key != "grid"} for config in configs]
    (grid, *others) = [config.get("grid") or {} for config in configs]
    if problems := mismatches("grid", grid, schema_settings(GridSchema)):
        raise UserError(on_a_screen(problems))
    if other := next((other for other in others if other != grid), None):
        key = next(key for key in {**grid, **other} if grid.get(key) != other.get(key))
        raise UserError(f"grid.{key} belongs to the command, not to a cell, and cannot be swept: give one value")
    return cells, dict(grid)


def check(config: Mapping[str, Any], *, root: bool = True, trains: bool = True) -> list[str]:
    """Everything wrong with a configuration that shows without importing torch, a sentence each; empty if nothing.

    Args:
        config: of one cell.
        root: whether the folder of its images must be there.
        trains: whether it is to be trained. Of a finished cell, a key that has gone since (`MOVED`) tells what was done, and
            somebody else's code need not be there.
    """
    absent = [group for group in GROUPS if not isinstance(config.get(group), dict)]
    if absent:
        return [f"{group} is missing: choose one of {', '.join(options(group))}" for group in absent]
    groups = {group: Setting(dict, True) for group in GROUPS}
    problems = mismatches("", config, groups | fixed_settings(""), whole=config)
    for group in ("trainer", "resolution"):
        problems += mismatches(group, config[group], fixed_settings(group), whole=config)
    for group in ("backbone", "head", "dataset", "augment"):
        problems += _check_target(group, config[group], config, trains=trains)
    recipe = config["recipe"]
    problems += [*(_moved(recipe) if trains else []), *_check_recipe(recipe, config, trains=trains)]
    problems += _check_time(config["trainer"].get("max_time"))
    problems += _check_synchronised(config["trainer"])
    for name, node in config["logger"].items():
        problems += _check_target(f"logger.{name}", node, config, trains=trains)
    problems += _check_study(config.get("study"))
    problems += _check_names(config)
    problems += replicate_problems(config)
    problems += _check_classes(config["dataset"])
    problems += _check_cache_dir(config["dataset"])
    return problems + (_check_root(config["dataset"]) if root else [])


def _check_classes(dataset: object) -> list[str]:
    """What contradicts in the settings of a dataset's classes; of somebody else's code, that is told when it is imported."""
    target = dataset.get("_target_") if isinstance(dataset, Mapping) else None
    if not isinstance(dataset, Mapping) or not isinstance(target, str) or not target.startswith("wisesr."):
        return []
    try:
        return class_problems(dataset, own=CLASSES in target_settings(target))
    except UserError:
        return []  # there is no such target, which is told above


def _check_cache_dir(dataset: Mapping[str, Any]) -> list[str]:
    """What keeps the folder of kept images from being one; a cell would see it once it has imported torch."""
    folder = dataset.get("cache_dir")
    if folder == "":
        return ["dataset.cache_dir must be a folder, or null, not an empty text"]
    if isinstance(folder, str) and Path(folder).expanduser().is_file():
        return [f"dataset.cache_dir={folder} is a file, and must be a folder, or null"]
    return []


def _check_root(dataset: Mapping[str, Any]) -> list[str]:
    root = dataset.get("root")
    if not isinstance(root, str) or Path(root).exists() or "download" in dataset:  # code of the dataset names the way out
        return []
    name = str(dataset.get("_target_")).rpartition(".")[2]
    how = f"; to make it: wisesr data prepare {name} --from kaggle (or the downloaded archive)" if "partial" in dataset else ""
    return [f"dataset.root: there is no folder {root}{how}"]


def _check_recipe(recipe: Mapping[str, Any], whole: Mapping[str, Any], *, trains: bool) -> list[str]:
    parts = ("optimizer", "schedule")
    fixed = {key: recipe[key] for key in recipe if key not in parts and f"recipe.{key}" not in MOVED}
    problems = mismatches("recipe", fixed, fixed_settings("recipe"), whole=whole)
    for part in parts:
        if part not in recipe:
            problems.append(f"recipe.{part} is missing: a node with a _target_")
        else:
            problems += _check_target(f"recipe.{part}", recipe[part], whole, trains=trains)
    return problems


def _moved(recipe: Mapping[str, Any]) -> list[str]:
    return [moved_sentence(f"recipe.{key}", recipe[key]) for key in recipe if f"recipe.{key}" in MOVED]


def _check_time(text: object) -> list[str]:
    """What is wrong with `trainer.max_time`."""
    if text is not None and seconds_of(str(text)) is None:
        return [f"trainer.max_time must be null or DD:HH:MM:SS (in quotes in YAML), not {shown_value(text)}"]
    return []


def _check_synchronised(trainer: Mapping[str, Any]) -> list[str]:
    """What keeps `trainer.sync_batchnorm` from doing anything; whether the GPUs and a BatchNorm are there, the plan tells."""
    if trainer.get("sync_batchnorm") is not True:
        return []
    if trainer.get("accelerator") == "cpu":
        return ["trainer.sync_batchnorm must be false with trainer.accelerator=cpu, where PyTorch cannot synchronise"]
    if trainer.get("devices") == 1 and trainer.get("num_nodes") == 1:
        rule = "must be false with one device, whose BatchNorm sees all images of a forward pass"
        return [f"trainer.sync_batchnorm {rule}: several devices are trainer=ddp or trainer.devices=N"]
    return []


def _check_target(where: str, node: object, whole: Mapping[str, Any], *, trains: bool) -> list[str]:
    if not isinstance(node, Mapping):
        return [f"{where} must be a node with a _target_, the dotted name of what it builds, not {shown_value(node)}"]
    if not isinstance(node.get("_target_"), str):
        given = f"must be text, not {shown_value(node['_target_'])}" if "_target_" in node else "is missing"
        return [f"{where}._target_ {given}: the dotted name of what it builds, as package.module.Name"]
    target, fixed = node["_target_"], fixed_settings(where)
    try:
        if problem := target_problem(where, target, installed=trains):
            return [problem + in_file(f"{where}._target_", target)]
        if not target.startswith("wisesr."):
            # Somebody else's code: its settings are checked once it is imported, `classes` among them, which may be one.
            held = {key: setting for key, setting in fixed.items() if key != CLASSES}
            return mismatches(where, {key: value for key, value in node.items() if key in held}, held)
        if misplaced := positional_settings(target, node):
            return [f"{where}: {problem}" for problem in misplaced]
        return mismatches(where, node, {**fixed, **target_settings(target)}, partial(_who_takes, where), whole)
    except UserError as error:
        line = in_file(f"{where}._target_", target) if str(error).startswith("_target_") else ""
        return [f"{where}: {error}{line}"]


def _who_takes(group: str, key: str, value: object) -> str:
    """` (it is of head=depthwise, wise)`: the options that take a value which this one does not, one of each class."""
    takers: dict[str, str] = {}
    for name in options(group) if group in GROUPS and isinstance(value, str) else ():
        try:
            target = load_option(group, name).get("_target_")
        except UserError:
            continue  # a file that cannot be read is told where it is chosen
        if isinstance(target, str) and target.startswith("wisesr.") and target not in takers:
            setting = target_settings(target).get(key)
            if setting is not None and get_origin(setting.annotation) is Literal and fits(value, setting.annotation):
                takers[target] = name
    return f" (it is of {group}={', '.join(takers.values())})" if takers else ""


def _check_study(study: object) -> list[str]:
    if isinstance(study, str) and not re.fullmatch(r"[\w.-]*\w[\w.-]*", study):
        return [f"study must be made of letters, digits and . _ - (it names a folder), not {shown_value(study)}"]
    return []


def _check_names(config: Mapping[str, Any]) -> list[str]:
    """Names that make the name of a folder too long for a disk."""
    backbone, head, dataset = (config[group].get("name") for group in ("backbone", "head", "dataset"))
    folders = {
        "study makes": study if isinstance(study := config.get("study"), str) else "",
        "backbone.name and head.name make": f"{backbone}-{head}",
        "dataset.name makes": f"{dataset}-{config['resolution'].get('size')}",
    }
    sizes = {what: len(os.fsencode(str(name))) for what, name in folders.items()}
    return [
        f"{what} a folder's name of {size:,} bytes, and {_NAME} are the most: {shown_value(folders[what])}"
        for what, size in sizes.items()
        if size > _NAME
    ]


def describe_problems(problems: Iterable[tuple[str, str]]) -> str:
    """A line for each problem, from (cell, problem) pairs; a problem of several cells stands once."""
    cells: dict[str, list[str]] = {}
    for cell, problem in problems:
        cells.setdefault(problem, []).append(cell)
    return on_a_screen([f"  - {problem}{_where(names)}" for problem, names in cells.items()])


def on_a_screen(lines: Sequence[str]) -> str:
    """As many of the lines as a screen holds, and how many there are beyond them."""
    shown, room = 0, _ROOM
    for line in lines:
        room -= sum(1 + len(part) // _COLUMNS for part in line.split("\n"))
        if room < 0 and shown:
            break
        shown += 1
    more = [f"  - and {len(lines) - shown:,} more"] if shown < len(lines) else []
    return "\n".join([*lines[:shown], *more])


def _where(cells: Sequence[str]) -> str:
    """The first cell, and how many there are beyond it; nothing for one that has no name."""
    if not cells[0]:
        return ""
    others = f" and {count_of(len(cells) - 1, 'more cell')}" if len(cells) > 1 else ""
    return f"   [{cells[0]}{others}]"
