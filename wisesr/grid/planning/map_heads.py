"""For the planner: what each head is on its feature map, and which larger map would make it another.

Torch is imported on use: the grid reads the answers and does without.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.build.same_heads import BuiltHead, Dropped, built_head, dropped_on
from wisesr.config.schema import Config
from wisesr.types import FeatureShape

if TYPE_CHECKING:
    from wisesr.build.dry_run import DryRun

_CLASSES = 10
"""A stand-in: how many there are makes no head another."""
_ENOUGH = 6
"""Positions a side on which `wise` averages."""
_ASKED = 3
"""Backbones and sizes for which larger maps are looked for: each takes a second or two."""
_TRIED = 3
"""Sizes of one of them."""
_STEP = 32
"""Pixels between two of them."""


class Way(NamedTuple):
    """A setting that makes a feature map large enough."""

    setting: str
    """`resolution.size=192`."""
    extent: tuple[int, int]
    """Height and width of the map."""
    times: float
    """Its FLOPs, as a multiple of those that the cell has."""
    dropped: float = 0.0
    """Share of its positions that the head would not look at."""


class MapHead(NamedTuple):
    """What a head is on its map."""

    shape: FeatureShape
    built: BuiltHead | None
    """None for somebody else's."""
    ways: tuple[Way, ...] = ()
    """To a map on which it would be another; empty where it is one of its own, and where none was found."""
    whole: tuple[Way, ...] = ()
    """To a larger map of which averaging drops nothing; empty where it drops nothing here, and where none was looked for."""


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
    whole_asked = False
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
            elif head is not None and _drops(head) and not whole_asked:  # the first stands for all in the plan's one sentence
                whole_asked = True
                found[key] = head._replace(whole=tuple(_whole(config, head.shape, dry_run)))
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
    built = head.built
    averages = built is not None and (built.skips_average or built.in_vain) and config["head"].get("pre_pool", 1) is None
    return ("pre_pool_mode" in config["head"] and bool(averages)) or min(head.shape[1:]) == 1


def _drops(head: MapHead) -> bool:
    """Whether it leaves out an edge of the map that it need not."""
    dropped = head.built and head.built.dropped
    return bool(dropped and dropped.by_choice and not dropped.permuted)


def _sizes(config: Config, pixels: Iterable[int]) -> Iterator[tuple[str, Config]]:
    return ((f"resolution.size={size}", config | {"resolution": {"size": size}}) for size in pixels)


def _whole(config: Config, shape: FeatureShape, dry_run: DryRun) -> Iterator[Way]:
    """The next larger image of whose map averaging leaves out nothing, and what it costs."""
    size = config["resolution"]["size"]
    first = (size // _STEP + 1) * _STEP
    likely = [px for px in range(first, 2 * size, _STEP) if not dropped_on(config["head"], _scaled(shape, px / size))]
    try:
        flops = dry_run.measure(config, _CLASSES)[1]
    except Exception:
        return
    yield from (way for way in _first(_sizes(config, likely[:_TRIED]), 1, flops, dry_run) if not way.dropped)


def _scaled(shape: FeatureShape, times: float) -> FeatureShape:
    """About the map of an image that is so many times as large."""
    return FeatureShape(shape.channels, round(shape.height * times), round(shape.width * times))


def _ways(config: Config, shape: FeatureShape, dry_run: DryRun) -> Iterator[Way]:
    """The smallest image, and the largest stride, that are enough; and what each costs."""
    wanted = _ENOUGH if "pre_pool" in config["head"] else 2
    try:
        flops = dry_run.measure(config, _CLASSES)[1]
    except Exception:
        return
    size, extent = config["resolution"]["size"], min(shape[1:])
    first = -(-size * wanted // extent // _STEP) * _STEP
    yield from _first(_sizes(config, range(first, first + _TRIED * _STEP, _STEP)), wanted, flops, dry_run)
    backbone = config["backbone"]
    if backbone.get("output_stride", 0) is None and config["recipe"]["structure"] == "timm":
        given = ((f"backbone.output_stride={pixels}", {**backbone, "output_stride": pixels}) for pixels in (16, 8))
        strides = ((setting, config | {"backbone": node}) for setting, node in given)
        yield from _first(strides, wanted, flops, dry_run)


def _first(tried: Iterable[tuple[str, Config]], wanted: int, flops: int, dry_run: DryRun) -> Iterator[Way]:
    """The first that leaves a map of the wanted extent, if one does, and where there are several, that drops nothing of it."""
    enough: Way | None = None
    for setting, config in tried:
        try:
            shape, larger = dry_run.measure(config, _CLASSES)
        except Exception:  # a size or stride that the model refuses: nothing is wrong with the cell
            continue
        if min(shape[1:]) < wanted:
            continue
        dropped = dropped_on(config["head"], shape)
        way = Way(setting, (shape.height, shape.width), larger / flops, dropped.share if dropped else 0.0)
        enough = enough or way
        if not dropped:
            enough = way
            break
    if enough is not None:
        yield enough


def read_heads(answer: Sequence[Any]) -> list[MapHead | None]:
    """Heads, as they come back from JSON."""
    return [head and _read(*head) for head in answer]


def _read(shape: Sequence[int], built: Sequence[Any] | None, *ways: Sequence[Sequence[Any]]) -> MapHead:
    read = None
    if built is not None:
        computation, names, skips, in_vain, dropped = built
        read = BuiltHead(computation, tuple(names), skips, in_vain, None if dropped is None else Dropped(*dropped))
    found = (tuple(Way(setting, tuple(extent), *more) for setting, extent, *more in kind) for kind in ways)
    return MapHead(FeatureShape(*shape), read, *found)
