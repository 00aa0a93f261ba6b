"""How long cells take on this machine's CPU, by a few steps of each model that are done and timed beforehand.

For the planner's child alone: torch is imported on use. A model of which a step would take long is timed on few images at a
time; which model it is matters, and hardly which head it has, so each backbone, size, dataset and recipe is timed once. Where
the maps of a frozen backbone are kept, the head is all that is left: then each head is timed, on maps, and the backbone once
for what making them takes.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wisesr.config.schema import Config
from wisesr.grid.planning.cost import Cost
from wisesr.grid.planning.hours import Pace
from wisesr.grid.planning.kept import Kept
from wisesr.grid.planning.steps import ImageTime
from wisesr.grid.planning.timer import Timer

if TYPE_CHECKING:
    from wisesr.data.manifest import Manifest

_SECONDS = 40.0
"""Of all timing; a model that is begun is finished."""
_NO_MATTER = {"recipe": ("epochs", "head_lr_scale", "schedule", "patience"), "dataset": ("split_seed", "fold", "on_leak")}
"""Settings that make no step longer."""


def time_cells(
    configs: Sequence[Config],
    costs: Sequence[Cost | None],
    manifest_of: Callable[[Config], Manifest],
    *,
    kept: Sequence[Kept] = (),
    cores: int,
    imports: float,
    tell: Callable[[int], None],
) -> tuple[list[Pace | None], list[float | None]]:
    """What cells take, a cell each; None where that was not timed: too little time, several devices, a foreign part that fails.

    The smallest models come first, so that most of them are timed.

    Args:
        configs: of the cells.
        costs: a cell each.
        manifest_of: a cell's images.
        kept: what is made once for them.
        cores: of one cell.
        imports: seconds that those of a cell take.
        tell: called before each model, with a cell that has it.

    Returns:
        A pace each; and of `kept`, the seconds that making it takes each.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    keys: dict[int, str] = {}
    for index, (config, cost) in enumerate(zip(configs, costs, strict=True)):
        if cost is not None and _is_timed(config):
            keys[index] = f"{cost.reads} {_key(config)}"
            head = json.dumps(config["head"], sort_keys=True) if cost.reads == "maps" else ""
            groups.setdefault((keys[index], head), []).append(index)
    paces: dict[int, Pace] = {}
    timer, began = Timer(manifest_of, cores, imports), time.monotonic()
    for (key, _), members in sorted(groups.items(), key=lambda each: (_flops(costs[each[1][0]]), *each[0])):
        if time.monotonic() - began > _SECONDS:
            break
        first = members[0]
        cost = costs[first]
        assert cost is not None
        tell(first)
        try:
            pace = timer.time(key, configs[first], cost)
        except Exception:  # of anybody's model, or for want of memory: the plan does without
            continue
        paces |= dict.fromkeys(members, pace)
    making = [_making(store, [timer.images.get(keys.get(index, "")) for index in store.cells], cores) for store in kept]
    return [paces.get(index) for index in range(len(configs))], making


def _making(store: Kept, timed: Sequence[ImageTime | None], cores: int) -> float | None:
    """Seconds of making what is missing of a store, by what the cells that want it were timed with."""
    known = next((each for each in timed if each is not None), None)
    if known is None or not store.fits:
        return None
    return store.missing * (known.measure if store.kind == "maps" else known.decode / cores)


def _flops(cost: Cost | None) -> int:
    """Of a model, by which it is small or large; heads on maps follow the backbone that makes them."""
    return cost.flops if cost else 0


def _is_timed(config: Config) -> bool:
    trainer = config["trainer"]
    return trainer["num_nodes"] == 1 and trainer["devices"] in (1, "auto") and trainer["accelerator"] in ("auto", "cpu")


def _key(config: Config) -> str:
    """What the time of a step depends on."""
    groups = ("backbone", "resolution", "dataset", "recipe", "augment", "trainer")
    node = copy.deepcopy({group: config[group] for group in groups})
    for group, keys in _NO_MATTER.items():
        for key in keys:
            node[group].pop(key, None)
    node["recipe"]["optimizer"].pop("lr", None)
    return json.dumps(node, sort_keys=True)
