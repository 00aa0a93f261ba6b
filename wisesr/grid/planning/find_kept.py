"""For the planner's child: which rows cells share that are computed once, and which of them are there. torch on use."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wisesr.build.keep import keeps_images, place_of
from wisesr.build.maps import maps_depend_on, why_no_maps_of
from wisesr.config.schema import Config
from wisesr.data.kept import key_of
from wisesr.data.manifest import Manifest
from wisesr.data.rows.about import read_about
from wisesr.data.rows.store import Kind, Store
from wisesr.grid.planning.kept import Kept

if TYPE_CHECKING:
    from wisesr.build.cell import Parts
    from wisesr.data.datamodule import ImageData
    from wisesr.grid.planning.cost import Cost

_BYTES = {"16-mixed": 2, "bf16-mixed": 2, "16-true": 2, "bf16-true": 2, "64-true": 8}
"""Of a value of a map, by `trainer.precision`; of others four."""
_NOT_KNOWN = ("tensors", "modules", "threads", "flags", "variables", "machine")
"""What the planner does not ask of a store of maps, as only a cell knows it: it sees no GPU, and has other threads."""

_RECIPE = ("batch_size", "batch_norm", "structure", "init")
"""Settings of a recipe on which maps depend."""

Keys = NDArray[np.uint8]


class Wanted(NamedTuple):
    """Rows that a cell wants of a store."""

    store: str
    """Names the store: equal for cells that share it."""
    kept: Kept
    """What is known without looking: no counts, and no cells."""
    keys: Keys
    """(rows, 16): what its rows are found by."""
    find: Callable[[], Store | None]
    """The store, where it is there."""


class Wishes:
    """What cells want, one after another; what they have in common is found out once."""

    def __init__(self) -> None:
        self._known: dict[str, list[Wanted]] = {}
        self._keys: dict[str, Keys] = {}

    def of(self, config: Config, parts: Parts, cost: Cost) -> list[Wanted]:
        """What a cell wants: the maps of its backbone, or images that are decoded; nothing where it can have neither."""
        data, maps = parts.data, why_no_maps_of(config, parts) is None
        groups = ("backbone", "resolution", "dataset", "augment", "protocol", "trainer")
        recipe = {name: value for name, value in config["recipe"].items() if name in _RECIPE}
        images = _plain({group: config[group] for group in groups} | {"recipe": recipe})
        key = _plain({"images": images, "weights": _weights_of(config) if maps else None, "maps": maps})
        if key not in self._known:
            if maps and images not in self._keys:
                self._keys[images] = _keys_of(data)
            found = wanted_maps(config, data, cost, self._keys[images]) if maps else None
            self._known[key] = [found] if found else wanted_pictures(config, data)
        return self._known[key]


def _keys_of(data: ImageData) -> Keys:
    from wisesr.data.maps import keys_of_maps

    return keys_of_maps(np.asarray(data.manifest.digests), *data.map_places())


def _weights_of(config: Config) -> Any:
    """What tells backbones of one kind apart: at random each seed has its own."""
    weights = config["backbone"].get("weights")
    return ["seed", config["seed"]] if weights is None else weights


def wanted_maps(config: Config, data: ImageData, cost: Cost, keys: Keys) -> Wanted | None:
    """The maps that a cell wants.

    Args:
        config: of the cell, which may read maps (`wisesr.build.maps`).
        data: of the cell.
        cost: of the cell.
        keys: of its maps.
    """
    place = _place(config)
    if place is None:
        return None
    half, backbone = config["dataset"]["features"] == "fp16", config["backbone"]
    depends_on = maps_depend_on(config, data.manifest) | {"half": half, "batch": data.device_batch}
    told = _plain({"depends_on": depends_on, "weights": _weights_of(config), "init": config["recipe"]["init"]})
    value = 2 if half else _BYTES.get(config["trainer"]["precision"], 4)
    text, asked = f"{backbone['name']} at {config['resolution']['size']} px", config["dataset"]["features"] != "auto"
    kept = Kept("maps", text, str(place), 0, 0, math.prod(cost.feature_map) * value, cost.frozen_flops, asked, ())
    return Wanted(key_of(str(place), "maps", told), kept, keys, lambda: _store_of(config, data.manifest, place, depends_on))


def wanted_pictures(config: Config, data: ImageData) -> list[Wanted]:
    """The decoded images that a cell wants, a store for each view."""
    from wisesr.data.decoded import keys_of, kind_of

    place = _place(config)
    if place is None or not keeps_images(config, data):
        return []
    found = []
    for view, _, positions in data.fixed_views():
        store = Store(place, kind_of(data.manifest, view))
        whose = f"{config['dataset']['name']} at {view.side} px"
        asked = config["dataset"]["cache"] != "auto"
        kept = Kept("decoded", whose, str(place), 0, 0, view.row_bytes, 0, asked, ())
        found.append(Wanted(str(store.folder), kept, keys_of(data.manifest, positions), lambda store=store: store))  # type: ignore[misc]
    return found


def gather(wanted: Sequence[Sequence[Wanted]]) -> dict[str, Kept]:
    """The stores of all cells, a cell's wishes each: rows counted once, and those that are there told."""
    stores: dict[str, list[tuple[int, Wanted]]] = {}
    for index, own in enumerate(wanted):
        for wish in own:
            stores.setdefault(wish.store, []).append((index, wish))
    return {name: _gathered(wishes) for name, wishes in stores.items()}


def _gathered(wishes: Sequence[tuple[int, Wanted]]) -> Kept:
    keys = list({id(wish.keys): wish.keys for _, wish in wishes}.values())
    alike = np.unique(np.concatenate(keys), axis=0) if len(keys) > 1 else keys[0]
    store = wishes[0][1].find()
    missing = _distinct(alike) if store is None else len(store.missing(alike))
    return wishes[0][1].kept._replace(images=_distinct(alike), missing=missing, cells=[index for index, _ in wishes])


def _distinct(keys: Keys) -> int:
    return len(np.unique(np.ascontiguousarray(keys).view("V16")))


def _place(config: Config) -> Path | None:
    try:
        return place_of(config["dataset"])
    except OSError:
        return None  # nothing is kept


def _store_of(config: Config, manifest: Manifest, place: Path, depends_on: Mapping[str, Any]) -> Store | None:
    """The store of maps that would be found, where there is one: only then the backbone's tensors are looked at."""
    known = {name: value for name, value in json.loads(_plain(depends_on)).items() if name not in _NOT_KNOWN}
    tensors: str | None = None
    for path in sorted((place / "maps").glob("*/about.json")):
        told = read_about(path.parent).get("depends_on")
        if not isinstance(told, dict) or {name: told[name] for name in told if name not in _NOT_KNOWN} != known:
            continue
        store = Store(place, Kind("maps", told, dimensions=1, item=1, text=""))
        tensors = tensors or _tensors(config, manifest)
        if store.folder == path.parent and told.get("tensors") == tensors:
            return store
    return None


def _tensors(config: Config, manifest: Manifest) -> str | None:
    from wisesr.build.cell import build_model
    from wisesr.training.keep_maps import tensors_hash

    try:
        return tensors_hash(build_model(config, len(manifest.class_names)).backbone)
    except Exception:  # weights that have to be downloaded, say: the cell will tell
        return None


def _plain(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)


Reads = Literal["files", "decoded", "maps"]


def reads_of(wanted: Sequence[Wanted], stores: Mapping[str, Kept], data: ImageData) -> Reads:
    """What an epoch of a cell begins with, as `wisesr.cell.provenance.reads` will have it."""
    fitting = [wish for wish in wanted if stores[wish.store].fits]
    if any(wish.kept.kind == "maps" for wish in fitting):
        return "maps"
    view = data.augment.view(training=True)
    return "decoded" if fitting and view is not None else "files"
