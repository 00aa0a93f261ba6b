"""Where each cell stands in a study: every key that varies is an axis, and is told in words."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from wisesr.axes import Leaves, leaves
from wisesr.config import computation
from wisesr.report.study import Place

RATES = ("recipe.optimizer.lr", "recipe.head_lr_scale")
"""Settings that each head may need its own of."""
_NAMED = ("dataset", "backbone", "head")
"""Groups whose varying keys stand beside their name."""
_OWN = ("resolution.size", "protocol", "seed")
"""Keys that have a field of their own in a Place."""


def places(configs: Sequence[Mapping[str, Any]]) -> list[Place]:
    """The place of each cell; two computations that differ have different places.

    What varies among all cells of one dataset, backbone or head makes its label; what else varies among the cells of one
    dataset, size and protocol makes their settings and rates.

    Args:
        configs: of cells, as in `config.yaml`.
    """
    values = [leaves(computation(config)) for config in configs]
    labels = {group: _labels(values, group) for group in _NAMED}
    tables = [(label, one["resolution.size"], one["protocol"]) for label, one in zip(labels["dataset"], values, strict=True)]
    settings = _within(tables, [_without(one, lambda key: not _is_setting(key)) for one in values])
    rates = [{key: text for key, text in one.items() if key in RATES} for one in settings]
    return [
        Place(
            dataset=dataset,
            size=size,
            protocol=protocol,
            backbone=labels["backbone"][index],
            settings=_join(settings[index], but=RATES),
            head=labels["head"][index],
            rate=_join({key.rpartition(".")[2]: text for key, text in rates[index].items()}),
            seed=values[index]["seed"],
        )
        for index, (dataset, size, protocol) in enumerate(tables)
    ]


def _is_setting(key: str) -> bool:
    return key not in _OWN and key.partition(".")[0] not in _NAMED


def _without(values: Leaves, dropped: Callable[[str], bool]) -> Leaves:
    return {key: value for key, value in values.items() if not dropped(key)}


def _labels(values: Sequence[Leaves], group: str) -> list[str]:
    """`resnet50`, or `resnet50 weights=package` where several are called so."""
    own = [{key.partition(".")[2]: value for key, value in one.items() if key.startswith(f"{group}.")} for one in values]
    names = [str(one["name"]) for one in own]
    told = _within(names, own)
    return [" ".join(part for part in (name, _join(one)) if part) for name, one in zip(names, told, strict=True)]


def _join(told: Mapping[str, str], but: Sequence[str] = ()) -> str:
    return " ".join(f"{re.sub(r'[.]?_target_$', '', key) or 'code'}={text}" for key, text in told.items() if key not in but)


def _within(classes: Sequence[Hashable], values: Sequence[Leaves]) -> list[dict[str, str]]:
    """What varies among the cells of one class, for each cell."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, one in enumerate(classes):
        members[one].append(index)
    found: list[dict[str, str]] = [{} for _ in values]
    for group in members.values():
        for index, told in zip(group, _varying([values[index] for index in group]), strict=True):
            found[index] = told
    return found


def _varying(values: Sequence[Leaves]) -> list[dict[str, str]]:
    """For each cell its values, as text, of the keys that vary. A key that it lacks is not told.

    A node's `_target_` stands for what follows from it: its other keys are told to those cells only among which it is the same
    while they differ.
    """
    keys = sorted({key for one in values for key in one})
    told: list[dict[str, str]] = [{} for _ in values]
    for key in keys:
        known = [_known(one[key]) if key in one else None for one in values]
        if len(set(known)) == 1:
            continue
        targets = [f"{key[: place.end()]}_target_" for place in re.finditer(r"[.]", key)] + ["_target_"]
        nodes = [tuple(_known(one.get(target)) for target in targets if target != key) for one in values]
        variants: dict[Hashable, set[str | None]] = defaultdict(set)
        for node, text in zip(nodes, known, strict=True):
            variants[node].add(text)
        texts = _texts({one: value[key] for one, value in zip(known, values, strict=True) if one is not None}, key)
        for index, (node, one) in enumerate(zip(nodes, known, strict=True)):
            if one is not None and len(variants[node]) > 1:
                told[index][key] = texts[one]
    return told


def _known(value: object) -> str:
    """Different for different values, also for 1, "1" and true."""
    return json.dumps(value, sort_keys=True)


def _texts(values: Mapping[str, Any], key: str) -> dict[str, str]:
    """A short text for each value of a key; a longer one where that would not tell them apart."""
    short = {known: _short(value, key) for known, value in values.items()}
    return short if len(set(short.values())) == len(short) else {known: known for known in values}


def _short(value: object, key: str) -> str:
    """As YAML has it; code by the last of its name, a path by its end."""
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    if key.endswith("_target_"):
        return value.rpartition(".")[2]
    if value.count("/") > 2:
        value = "/".join(["...", *value.split("/")[-2:]])
    return value if re.fullmatch(r"[^\s=\"']+", value) else json.dumps(value, ensure_ascii=False)
