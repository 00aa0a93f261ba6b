"""Where each cell stands in a study: every key that varies is an axis, and part of a label."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from wisesr.config.axes import COMPUTING, RATES, Leaves
from wisesr.report.division import ACCUMULATE, DEVICE_PARTS, SYNCHRONISED
from wisesr.report.head_options import LAST_BITS
from wisesr.report.repetitions import repetition, without_repetitions
from wisesr.report.settings import by_option
from wisesr.report.study import Place

TableKey = tuple[str, str, int, str]
"""Study (where studies have tables of their own), dataset, size, protocol."""
_OWN = ("resolution.size", "protocol", "seed")
"""Keys that have a field of their own in a Place."""
_HOW_READ = ("dataset.cache", "dataset.features", "dataset.views")
"""Keys of a dataset that say in what form its images are seen, and not which they are: settings, as those of `augment`."""
_DIVIDING = re.compile(rf"(?:^| )(?:{DEVICE_PARTS}|{SYNCHRONISED}|{re.escape(ACCUMULATE)})=\S+")

Texts = dict[str, str]
"""Text of each setting that a label names, by dotted name."""


def is_execution(key: str) -> bool:
    """Whether a key says on which hardware, and how, a cell is computed: no axis, but for `report.comparability`.

    Devices have keys of their own, made by `report.division` of what a cell really ran with.
    """
    return key.startswith("trainer.") and key.partition(".")[2] not in COMPUTING


def undivided(settings: str) -> str:
    """The text of a place's settings without those that say how batches were divided."""
    return _DIVIDING.sub("", settings).strip()


def table_of(place: Place) -> TableKey:
    """The table that a place belongs to."""
    return place.study, place.dataset, place.size, place.protocol


def places(cells: Sequence[Leaves], studies: Sequence[str]) -> list[Place]:
    """The place of each cell; two cells at one place differ in nothing but execution.

    What varies among the cells of one dataset and size makes the dataset's label; what varies among those of one table makes
    the labels of backbones (among those of one name) and heads (likewise), and the settings. A learning rate is a rate where
    it varies within one backbone and settings, else one of the settings.

    Args:
        cells: settings of each, as of `settings.settings_of`.
        studies: that each belongs to; empty where all belong together.
    """
    sizes = [values["resolution.size"] for values in cells]
    classes = list(zip(studies, sizes, strict=True))
    datasets = _labels(without_repetitions(cells, classes), "dataset", classes)
    tables = [
        (study, dataset, size, values["protocol"])
        for study, dataset, size, values in zip(studies, datasets, sizes, cells, strict=True)
    ]
    backbones, heads = _labels(cells, "backbone", tables), _labels(cells, "head", tables)
    settings, rates = _settings(tables, backbones, cells)
    seeds = [repetition(values) for values in cells]
    columns = zip(tables, backbones, settings, heads, rates, seeds, strict=True)
    return [
        Place(dataset, size, protocol, backbone, setting, head, rate, seed, study)
        for (study, dataset, size, protocol), backbone, setting, head, rate, seed in columns
    ]


def shared(cells: Sequence[Leaves], tables: Sequence[TableKey]) -> dict[TableKey, str]:
    """What all cells of a table share and those of another table do not: `recipe.epochs=130 backbone.weights=imagenet`."""
    aside = ("backbone.name", "backbone.model", "backbone._target_")

    def kept(key: str) -> bool:
        return _is_setting(key) or (key.startswith("backbone.") and key not in aside)

    members: dict[TableKey, list[Texts]] = defaultdict(list)
    for table, texts in zip(tables, _varying(by_option([_only(values, kept) for values in cells])), strict=True):
        members[table].append(texts)
    return {
        table: _settings_text({key: text for key, text in own[0].items() if all(texts.get(key) == text for texts in own)})
        for table, own in members.items()
    }


def _settings(tables: Sequence[TableKey], backbones: Sequence[str], cells: Sequence[Leaves]) -> tuple[list[str], list[str]]:
    """Labels of each cell's settings and rates."""
    varying = _within(tables, [_only(values, _is_setting) for values in cells], by_option)
    rates = [_settings_text({key.rpartition(".")[2]: text for key, text in texts.items() if key in RATES}) for texts in varying]
    others = [_settings_text({key: text for key, text in texts.items() if key not in RATES}) for texts in varying]
    groups = list(zip(tables, backbones, others, strict=True))
    tried: dict[Hashable, set[str]] = defaultdict(set)
    for group, rate in zip(groups, rates, strict=True):
        tried[group].add(rate)
    has_rates = [len(tried[group]) > 1 for group in groups]
    settings = [
        other if rated else _settings_text(texts) for other, rated, texts in zip(others, has_rates, varying, strict=True)
    ]
    return settings, [rate if rated else "" for rate, rated in zip(rates, has_rates, strict=True)]


def _is_setting(key: str) -> bool:
    if key in _HOW_READ:
        return True
    return key not in _OWN and key.partition(".")[0] not in ("dataset", "backbone", "head") and not is_execution(key)


def _only(values: Leaves, wanted: Callable[[str], bool]) -> Leaves:
    return {key: value for key, value in values.items() if wanted(key)}


def _labels(cells: Sequence[Leaves], group: str, classes: Sequence[Hashable]) -> list[str]:
    """`resnet50`, or `resnet50 weights=package` where several of a class have this name.

    How a head adds up is no label, nor how images are read.
    """
    aside = {f"head.{LAST_BITS}", *_HOW_READ}
    own = [
        {key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"{group}.") and key not in aside}
        for values in cells
    ]
    names = [str(values["name"]) for values in own]
    varying = _within(list(zip(classes, names, strict=True)), own)
    return [
        " ".join(part for part in (name, _settings_text(texts)) if part) for name, texts in zip(names, varying, strict=True)
    ]


def _settings_text(texts: Mapping[str, str]) -> str:
    return " ".join(f"{re.sub(r'[.]?_target_$', '', key) or 'code'}={text}" for key, text in texts.items())


def _within(
    classes: Sequence[Hashable], cells: Sequence[Leaves], prepare: Callable[[Sequence[Leaves]], Sequence[Leaves]] = list
) -> list[Texts]:
    """What varies among the cells of one class, for each cell."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, name in enumerate(classes):
        members[name].append(index)
    varying: list[Texts] = [{} for _ in cells]
    for group in members.values():
        for index, texts in zip(group, _varying(prepare([cells[index] for index in group])), strict=True):
            varying[index] = texts
    return varying


def _varying(cells: Sequence[Leaves]) -> list[Texts]:
    """For each cell its values, as text, of the keys that vary and that it has.

    A node's `_target_` stands for what follows from it: its other keys are named in those cells only among which it is the same
    while they differ.
    """
    varying: list[Texts] = [{} for _ in cells]
    for key in sorted({key for values in cells for key in values}):
        known = [repr(values[key]) if key in values else None for values in cells]
        if len(set(known)) == 1:
            continue
        targets = [f"{key[: place.end()]}_target_" for place in re.finditer(r"[.]", key)] + ["_target_"]
        nodes = [tuple(repr(values.get(target)) for target in targets if target != key) for values in cells]
        variants: dict[Hashable, set[str | None]] = defaultdict(set)
        for node, value in zip(nodes, known, strict=True):
            variants[node].add(value)
        texts = _texts({value: values[key] for value, values in zip(known, cells, strict=True) if value is not None}, key)
        for index, (node, value) in enumerate(zip(nodes, known, strict=True)):
            if value is not None and len(variants[node]) > 1:
                varying[index][key] = texts[value]
    return varying


def _texts(values: Mapping[str, Any], key: str) -> dict[str, str]:
    """A short text for each value of a key, by its `repr`; its JSON where that would not tell them apart."""
    short = {name: _short(value, key) for name, value in values.items()}
    if len(set(short.values())) == len(short):
        return short
    return {name: json.dumps(value, ensure_ascii=False, sort_keys=True) for name, value in values.items()}


def _short(value: object, key: str) -> str:
    """As YAML has it; code by the last part of its name, a path by its end."""
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    if key.endswith("_target_"):
        return value.rpartition(".")[2]
    if value.count("/") > 2:
        value = "/".join(["...", *value.split("/")[-2:]])
    return value if re.fullmatch(r"[^\s=\"']+", value) else json.dumps(value, ensure_ascii=False)
