"""The maps of a frozen backbone, computed before the first epoch where no other cell has done it, and then read.

It happens in `on_fit_start`: the model is on its device and in the precision of its training, torch has the flags of the
trainer, no loader has been made yet, and the clock of training does not run.
"""

from __future__ import annotations

import hashlib
import logging
import os
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from numpy.typing import NDArray
from torch import nn

from wisesr.data.datamodule import ImageData
from wisesr.data.maps import Layout, Maps, Place, keys_of_maps
from wisesr.data.rows.store import Kind, Rows, Store
from wisesr.results.atomic_files import read_json, write_json
from wisesr.training.flags import torch_flags
from wisesr.training.map_computing import MapComputing
from wisesr.training.module import ClassificationModule
from wisesr.wording import size

log = logging.getLogger("wisesr")

MAPS = "maps"
_LAYOUT, _CHECK, _ROUNDING = "layout.json", "check.json", "rounding.json"


class MapSettings(NamedTuple):
    """How a cell wants its maps."""

    place: Path
    """The folder of all that is kept."""
    depends_on: Mapping[str, Any]
    """All that maps depend on beside the image, the backbone's tensors and the batch: plain data."""
    half: bool
    """Whether they are float16."""
    asked: bool
    """Whether a user asked for them, and did not leave it to us."""
    text: str
    """For the list of what is kept: `efficientnet_lite0, 112 px`."""
    about: Mapping[str, Any]
    """The same for a program: dataset."""


class KeepMaps(Callback):
    """Gives the data of a cell the maps of its images: what is computed is the same with them and without."""

    def __init__(self, settings: MapSettings) -> None:
        self._settings = settings
        self._store: Store | None = None
        self.told: dict[str, Any] | None = None
        """For the record: how maps were come by; None where none are used."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the maps, or compute them."""
        module, data = cast(ClassificationModule, pl_module), cast(ImageData, cast(Any, trainer).datamodule)
        places, tails = data.map_places()
        store = Store(self._settings.place, self._kind(module, data))
        computing = MapComputing(trainer, module, data, places, tails, half=self._settings.half)
        keys = keys_of_maps(np.asarray(data.manifest.digests), places, tails)
        try:
            store.folder.mkdir(parents=True, exist_ok=True)
            layout = _layout(store.folder, computing)
            rows = store.find(keys)
            if rows is None:
                rows = self._compute(store, keys, computing, layout)
        except OSError as error:
            log.warning("the backbone is computed in each epoch, as its maps cannot be kept: %s", error)
            return
        if rows is not None:
            self._use(store, Maps(rows, layout, places, tails, data.device_batch), computing, places, data)

    def pass_seconds(self, module: ClassificationModule, batch: int) -> float | None:
        """Seconds of one thread for a forward pass of the backbone, the median of three; None where no maps are used.

        Measured by the first cell that asks, and kept beside the maps: all that read them have the same backbone.
        """
        if self._store is None:
            return None
        path = self._store.folder / f"pass-{batch}.json"
        known = read_json(path)
        if not isinstance(known, float):
            known = _timed_pass(module, batch)
            _write(path, known)
        return float(known)

    def _compute(self, store: Store, keys: NDArray[np.uint8], computing: MapComputing, layout: Layout) -> Rows | None:
        count = len(store.missing(keys))
        log.info("maps of %s images are computed once, %s: wisesr cache tells where", f"{count:,}", size(count * layout.bytes))

        def make(wanted: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
            return computing.rows(wanted, layout)

        with torch.random.fork_rng(devices=[]):
            about, asked = self._settings.about, self._settings.asked
            rows = store.extend(keys, make, what="computing maps", about=about, row_bytes=layout.bytes, asked=asked)
        if self._settings.half and not (store.folder / _ROUNDING).exists():
            told = computing.rounding
            _write(
                store.folder / _ROUNDING,
                {"largest_error": told.largest_error, "largest_value": told.largest_value, "relative_rms": told.relative},
            )
        return rows

    def _use(self, store: Store, maps: Maps, computing: MapComputing, places: list[Place], data: ImageData) -> None:
        """Hold one batch of images that stood in different ones against the maps that they have together."""
        path = store.folder / _CHECK
        known = read_json(path)
        if not isinstance(known, float):
            known = _check(maps, computing, places, data.device_batch)
            _write(path, known)
        if known and not self._settings.asked:
            log.warning(
                "the backbone is computed in each epoch: on this device its maps depend on what else is in a batch (by up to "
                "%.2g); dataset.features=on takes them as they are",
                known,
            )
            return
        data.maps, self._store = maps, store
        rounding = read_json(store.folder / _ROUNDING) if self._settings.half else None
        self.told = {"dtype": "float16" if self._settings.half else maps.dtype, "differs": known, "rounding": rounding}

    def _kind(self, module: ClassificationModule, data: ImageData) -> Kind:
        device = next(module.model.parameters()).device
        depends_on = {
            **self._settings.depends_on,
            "tensors": _tensors_hash(module.model.backbone),
            "batch": data.device_batch,
            "half": self._settings.half,
            "threads": torch.get_num_threads() if device.type == "cpu" else None,
            "flags": torch_flags(),
            "variables": {name: os.environ[name] for name in sorted(os.environ) if name.startswith(_VARIABLES)},
        }
        return Kind(MAPS, depends_on, dimensions=1, item=1, text=self._settings.text)


_VARIABLES = ("ONEDNN_", "DNNL_", "MKL_", "ATEN_CPU_CAPABILITY", "NVIDIA_TF32_OVERRIDE", "CUBLAS_", "TORCH_ALLOW_TF32")
"""How variables begin by which libraries choose their ways."""


def _tensors_hash(module: nn.Module) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(module.state_dict().items()):
        content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8) if tensor.numel() else tensor
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\0".encode() + content.numpy().tobytes())
    return digest.hexdigest()


def _layout(folder: Path, computing: MapComputing) -> Layout:
    known = read_json(folder / _LAYOUT)
    if isinstance(known, list):
        shape, order, *types = known
        return Layout(tuple(shape), tuple(order), *types)
    layout = computing.layout()
    write_json(folder / _LAYOUT, list(layout))
    return layout


def _check(maps: Maps, computing: MapComputing, places: list[Place], batch: int) -> float:
    """The largest difference of a batch of kept maps from those that its images have together."""
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(places))
    of_a_kind = [places[index] for index in order if (places[index][1] is None) == (places[0][1] is None)][:batch]
    kept = maps.batch(of_a_kind)
    assert kept is not None
    return computing.difference(kept, of_a_kind)


def _timed_pass(module: ClassificationModule, batch: int) -> float:
    device = next(module.model.parameters()).device
    images = torch.randn(batch, 3, module.image_size, module.image_size).to(device)
    times, threads = [], torch.get_num_threads()
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    torch.set_num_threads(1)
    try:
        for _ in range(4):
            began = clock()
            with torch.no_grad():
                module.maps_of(module.model, images)
                if device.type == "cuda":
                    torch.cuda.synchronize(device)
            times.append(clock() - began)
    finally:
        torch.set_num_threads(threads)
    return statistics.median(times[1:])


def _write(path: Path, value: Any) -> None:
    """What is only a help: a folder that cannot be written costs its being found out again."""
    try:
        write_json(path, value)
    except OSError as error:
        log.debug("%s cannot be written: %s", path, error)
