"""Where each cell stands in a study: every key that varies is an axis, and is told in words."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from wisesr.config.axes import Leaves
from wisesr.report.settings import by_option
from wisesr.report.study import Place

RATES = ("recipe.optimizer.lr", "recipe.head_lr_scale")
"""Settings that each head may need its own of."""
TableKey = tuple[str, str, int, str]
"""Study (where it is told), dataset, size, protocol."""
_OWN = ("resolution.size", "protocol", "seed")
"""Keys that have a field of their own in a Place."""
_NUMBERS = ("precision", "clip", "accumulate")
"""Keys of `trainer` that say what is computed; the others say how, and are for `report.guard`."""

Told = dict[str, str]
"""Text of each value that is told, by dotted name."""


def is_execution(key: str) -> bool:
    """Whether a key says on which hardware, and how, a cell is computed: no axis, and no statement of a table."""
    return key.startswith("trainer.") and key.partition(".")[2] not in _NUMBERS


def table_of(place: Place) -> TableKey:
    """The table that a place belongs to."""
    return place.study, place.dataset, place.size, place.protocol


def places(values: Sequence[Leaves], studies: Sequence[str]) -> list[Place]:
    """The place of each cell; two cells at one place differ in nothing but execution.

    What varies among the cells of one dataset and size makes the dataset's label; what varies among those of one table makes
    the labels of backbones (among those of one name) and heads (likewise), and the settings. A learning rate is a rate where
    it varies within one backbone and settings, else one of the settings.

    Args:
        values: of `settings.settings_of`, of each cell.
        studies: that each belongs to; empty where all belong together.
    """
    datasets = _labels(values, "dataset", list(zip(studies, (one["resolution.size"] for one in values), strict=True)))
    tables = [
        (study, dataset, one["resolution.size"], one["protocol"])
        for study, dataset, one in zip(studies, datasets, values, strict=True)
    ]
    backbones, heads = _labels(values, "backbone", tables), _labels(values, "head", tables)
    settings, rates = _settings(tables, backbones, values)
    return [
        Place(
            dataset=tables[index][1],
            size=tables[index][2],
            protocol=tables[index][3],
            backbone=backbones[index],
            settings=settings[index],
            head=heads[index],
            rate=rates[index],
            seed=one["seed"],
            study=studies[index],
        )
        for index, one in enumerate(values)
    ]


def shared(values: Sequence[Leaves], tables: Sequence[TableKey]) -> dict[TableKey, str]:
    """What all cells of a table share and those of another table do not: `recipe.epochs=130 backbone.weights=imagenet`.

    Args:
        values: of `settings.settings_of`, of each cell.
        tables: that each belongs to.
    """
    aside = ("backbone.name", "backbone.model", "backbone._target_")
    kept = [_only(one, lambda key: _is_setting(key) or (key.startswith("backbone.") and key not in aside)) for one in values]
    members: dict[TableKey, list[Told]] = defaultdict(list)
    for table, told in zip(tables, _varying(by_option(kept)), strict=True):
        members[table].append(told)
    found = {}
    for table, own in members.items():
        common = {key: text for key, text in own[0].items() if all(one.get(key) == text for one in own)}
        found[table] = _join(common)
    return found


def _settings(tables: Sequence[TableKey], backbones: Sequence[str], values: Sequence[Leaves]) -> tuple[list[str], list[str]]:
    """Settings and rates of each cell, in words."""
    told = _within(tables, [_only(one, _is_setting) for one in values], by_option)
    rates = [_join({key.rpartition(".")[2]: text for key, text in one.items() if key in RATES}) for one in told]
    others = [_join({key: text for key, text in one.items() if key not in RATES}) for one in told]
    groups = list(zip(tables, backbones, others, strict=True))
    tried: dict[Hashable, set[str]] = defaultdict(set)
    for group, rate in zip(groups, rates, strict=True):
        tried[group].add(rate)
    several = [len(tried[group]) > 1 for group in groups]
    settings = [other if one else _join(all_) for other, one, all_ in zip(others, several, told, strict=True)]
    return settings, [rate if one else "" for rate, one in zip(rates, several, strict=True)]


def _is_setting(key: str) -> bool:
    return key not in _OWN and key.partition(".")[0] not in ("dataset", "backbone", "head") and not is_execution(key)


def _only(values: Leaves, wanted: Callable[[str], bool]) -> Leaves:
    return {key: value for key, value in values.items() if wanted(key)}


def _labels(values: Sequence[Leaves], group: str, classes: Sequence[Hashable]) -> list[str]:
    """`resnet50`, or `resnet50 weights=package` where several of a class are called so."""
    own = [{key.partition(".")[2]: value for key, value in one.items() if key.startswith(f"{group}.")} for one in values]
    names = [str(one["name"]) for one in own]
    told = _within(list(zip(classes, names, strict=True)), own)
    return [" ".join(part for part in (name, _join(one)) if part) for name, one in zip(names, told, strict=True)]


def _join(told: Mapping[str, str]) -> str:
    return " ".join(f"{re.sub(r'[.]?_target_$', '', key) or 'code'}={text}" for key, text in told.items())


def _within(
    classes: Sequence[Hashable], values: Sequence[Leaves], prepare: Callable[[Sequence[Leaves]], Sequence[Leaves]] = list
) -> list[Told]:
    """What varies among the cells of one class, for each cell."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, one in enumerate(classes):
        members[one].append(index)
    found: list[Told] = [{} for _ in values]
    for group in members.values():
        for index, told in zip(group, _varying(prepare([values[index] for index in group])), strict=True):
            found[index] = told
    return found


def _varying(values: Sequence[Leaves]) -> list[Told]:
    """For each cell its values, as text, of the keys that vary. A key that it lacks is not told.

    A node's `_target_` stands for what follows from it: its other keys are told to those cells only among which it is the same
    while they differ.
    """
    told: list[Told] = [{} for _ in values]
    for key in sorted({key for one in values for key in one}):
        known = [repr(one[key]) if key in one else None for one in values]
        if len(set(known)) == 1:
            continue
        targets = [f"{key[: place.end()]}_target_" for place in re.finditer(r"[.]", key)] + ["_target_"]
        nodes = [tuple(repr(one.get(target)) for target in targets if target != key) for one in values]
        variants: dict[Hashable, set[str | None]] = defaultdict(set)
        for node, text in zip(nodes, known, strict=True):
            variants[node].add(text)
        texts = _texts({one: value[key] for one, value in zip(known, values, strict=True) if one is not None}, key)
        for index, (node, one) in enumerate(zip(nodes, known, strict=True)):
            if one is not None and len(variants[node]) > 1:
                told[index][key] = texts[one]
    return told


def _texts(values: Mapping[str, Any], key: str) -> dict[str, str]:
    """A short text for each value of a key; its JSON where that would not tell them apart."""
    short = {known: _short(value, key) for known, value in values.items()}
    if len(set(short.values())) == len(short):
        return short
    return {known: json.dumps(value, ensure_ascii=False, sort_keys=True) for known, value in values.items()}


def _short(value: object, key: str) -> str:
    """As YAML has it; code by the last of its name, a path by its end."""
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    if key.endswith("_target_"):
        return value.rpartition(".")[2]
    if value.count("/") > 2:
        value = "/".join(["...", *value.split("/")[-2:]])
    return value if re.fullmatch(r"[^\s=\"']+", value) else json.dumps(value, ensure_ascii=False)
