"""For the planner: what each head is on its feature map, and which larger map would make it another.

Torch is imported on use: the grid reads the answers and does without.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.build.same_heads import BuiltHead, built_head
from wisesr.config.schema import Config
from wisesr.types import FeatureShape

if TYPE_CHECKING:
    from wisesr.build.dry_run import DryRun

_CLASSES = 10
"""A stand-in: how many there are makes no head another."""
_ENOUGH = 6
"""Positions a side on which `wise` averages, and drops none."""
_ASKED = 3
"""Backbones and sizes for which larger maps are looked for: each takes a second or two."""
_STEP = 32


class Way(NamedTuple):
    """A setting that makes a feature map large enough."""

    setting: str
    """`resolution.size=192`."""
    extent: tuple[int, int]
    """Height and width of the map."""
    times: float
    """Its FLOPs, as a multiple of those that the cell has."""


class MapHead(NamedTuple):
    """What a head is on its map."""

    shape: FeatureShape
    built: BuiltHead | None
    """None for somebody else's."""
    ways: tuple[Way, ...] = ()
    """To a map on which it would be another; empty where it is one of its own, and where none was found."""


def describe_heads(configs: Sequence[Config], maps: Sequence[Sequence[int] | None]) -> list[MapHead | None]:
    """Of each cell, what its head is; None where its backbone cannot be built.

    Args:
        configs: of the cells.
        maps: their feature maps, where they are known.
    """
    from wisesr.build.dry_run import DryRun

    dry_run = DryRun()
    found: dict[str, MapHead | None] = {}
    asked: set[str] = set()
    answers = []
    for config, known in zip(configs, maps, strict=True):
        where = json.dumps([config["backbone"], config["resolution"], config["recipe"]["structure"]], sort_keys=True)
        key = json.dumps([where, config["head"]], sort_keys=True)
        if key not in found:
            found[key] = _describe(config, known, dry_run)
            head = found[key]
            if head is not None and _is_lost(config, head) and len(asked | {where}) <= _ASKED:
                asked.add(where)
                found[key] = head._replace(ways=tuple(_ways(config, head.shape, dry_run)))
        answers.append(found[key])
    return answers


def _describe(config: Config, known: Sequence[int] | None, dry_run: DryRun) -> MapHead | None:
    try:
        shape = dry_run.measure(config, _CLASSES)[0] if known is None else FeatureShape(*known)
    except Exception:  # the plan tells it
        return None
    return MapHead(shape, built_head(config["head"], shape, _CLASSES))


def _is_lost(config: Config, head: MapHead) -> bool:
    """Whether the map is too small for what the head is for."""
    averages = head.built is not None and head.built.skips_average and config["head"].get("pre_pool", 1) is None
    return averages or min(head.shape[1:]) == 1


def _ways(config: Config, shape: FeatureShape, dry_run: DryRun) -> Iterator[Way]:
    """The smallest image, and the largest stride, that are enough; and what each costs."""
    wanted = _ENOUGH if "pre_pool" in config["head"] else 2
    try:
        flops = dry_run.measure(config, _CLASSES)[1]
    except Exception:
        return
    size, extent = config["resolution"]["size"], min(shape[1:])
    first = -(-size * wanted // extent // _STEP) * _STEP
    sizes = ((f"resolution.size={px}", config | {"resolution": {"size": px}}) for px in range(first, first + 3 * _STEP, _STEP))
    yield from _first(sizes, wanted, flops, dry_run)
    backbone = config["backbone"]
    if backbone.get("output_stride", 0) is None and config["recipe"]["structure"] == "timm":
        given = ((f"backbone.output_stride={pixels}", {**backbone, "output_stride": pixels}) for pixels in (16, 8))
        strides = ((setting, config | {"backbone": node}) for setting, node in given)
        yield from _first(strides, wanted, flops, dry_run)


def _first(tried: Iterable[tuple[str, Config]], wanted: int, flops: int, dry_run: DryRun) -> Iterator[Way]:
    """The first that leaves a map of the wanted extent, if one does."""
    for setting, config in tried:
        try:
            shape, larger = dry_run.measure(config, _CLASSES)
        except Exception:  # a size or stride that the model refuses: nothing is wrong with the cell
            continue
        if min(shape[1:]) >= wanted:
            yield Way(setting, (shape.height, shape.width), larger / flops)
            return


def read_heads(answer: Sequence[Any]) -> list[MapHead | None]:
    """Heads, as they come back from JSON."""
    return [head and _read(*head) for head in answer]


def _read(shape: Sequence[int], built: Sequence[Any] | None, ways: Sequence[Sequence[Any]]) -> MapHead:
    read = None if built is None else BuiltHead(built[0], tuple(built[1]), built[2])
    return MapHead(FeatureShape(*shape), read, tuple(Way(way[0], tuple(way[1]), way[2]) for way in ways))
