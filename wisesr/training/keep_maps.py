"""The maps of a frozen backbone, computed before the first epoch where no other cell has done it, and then read.

It happens in `on_fit_start`: the model is on its device and in the precision of its training, torch has the flags of the
trainer, no loader has been made yet, and the clock of training does not run.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from numpy.typing import NDArray
from torch import nn

from wisesr.data.datamodule import ImageData
from wisesr.data.maps import Layout, Maps, keys_of_maps
from wisesr.data.rows.store import Kind, Rows, Store
from wisesr.models.keras_conventions import epsilons
from wisesr.results.atomic_files import read_json, write_json
from wisesr.training.cost import forget_peak_memory, peak_memory
from wisesr.training.flags import torch_flags
from wisesr.training.map_computing import MapComputing
from wisesr.training.map_places import Places
from wisesr.training.module import ClassificationModule
from wisesr.wording import size

log = logging.getLogger("wisesr")

MAPS = "maps"
_LAYOUT, _PLACES, _ROUNDING = "layout.json", "places.json", "rounding.json"


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
        self.otherwise: Callable[[], object] = lambda: None
        """Called where no maps can be used after all, before any image is read."""
        self.layout: Layout | None = None
        """Of the maps that are used."""
        self.peak_memory = 0
        """Bytes, as of `cost.peak_memory`, until maps were computed: what that takes is no part of the training."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Find the maps, or compute them."""
        module, data = cast(ClassificationModule, pl_module), cast(ImageData, cast(Any, trainer).datamodule)
        module.check_parts(trainer.world_size, trainer.accumulate_grad_batches)  # what it refuses need not be computed
        self._give(trainer, module, data)
        if self.told is None:
            self.otherwise()

    def _give(self, trainer: Trainer, module: ClassificationModule, data: ImageData) -> None:
        places, tails = data.map_places()
        store = Store(self._settings.place, self._kind(module, data))
        computing = MapComputing(trainer, module, data, places, tails, half=self._settings.half)
        keys, peak = keys_of_maps(np.asarray(data.manifest.digests), places, tails), peak_memory(computing.device)
        try:
            store.folder.mkdir(parents=True, exist_ok=True)
            layout, differs = _layout(store.folder, computing), _places(store.folder, computing).differs
            if layout.has_gaps and computing.device.type == "cuda":  # which a copy to the device closes
                differs = differs or torch.finfo(torch.float32).eps
            if differs and not self._settings.asked:
                log.info("the backbone is computed in each epoch: %s; dataset.features=on takes them as they are", _MATTER)
                return
            rows = store.find(keys)
            if rows is None:
                rows = self._compute(store, keys, computing, layout)
        except OSError as error:
            log.warning("the backbone is computed in each epoch, as its maps cannot be kept: %s", error)
            return
        finally:
            if computing.began:
                self.peak_memory = peak
                forget_peak_memory(computing.device)
        if rows is None:
            log.warning("the backbone is computed in each epoch: what was just kept below %s is not there", store.folder)
            return
        if differs:
            log.warning("%s, by about %.2g: dataset.features takes them as they are", _MATTER, differs)
        data.maps, self._store, self.layout = Maps(rows, layout, places, tails, data.device_batch), store, layout
        rounding = _read(store.folder / _ROUNDING) if self._settings.half else None
        self.told = {"dtype": layout.stored, "differs": differs, "rounding": rounding}

    def pass_seconds(self, batch: int, measure: Callable[[], float]) -> float | None:
        """Seconds of a forward pass of the backbone over so many images; None where no maps are used.

        Measured by the first cell that asks, and kept beside the maps: all that read them have the same backbone.
        """
        if self._store is None:
            return None
        path = self._store.folder / f"pass-{batch}.json"
        known = _read(path)
        if not isinstance(known, float):
            known = measure()
            _write(path, known)
        return known

    def _compute(self, store: Store, keys: NDArray[np.uint8], computing: MapComputing, layout: Layout) -> Rows | None:
        def make(wanted: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
            count, room = f"{len(wanted):,}", size(len(wanted) * layout.bytes)
            log.info("%s maps are computed once, %s: wisesr cache tells where", count, room)
            return computing.rows(wanted, layout)

        with torch.random.fork_rng(devices=[]):
            about, asked = self._settings.about, self._settings.asked
            rows = store.extend(keys, make, what="computing maps", about=about, row_bytes=layout.bytes, asked=asked)
        told = computing.rounding
        if told.squares and not (store.folder / _ROUNDING).exists():  # none where another process has computed them
            _write(
                store.folder / _ROUNDING,
                {"largest_error": told.largest_error, "largest_value": told.largest_value, "relative_rms": told.relative},
            )
        return rows

    def _kind(self, module: ClassificationModule, data: ImageData) -> Kind:
        device = next(module.model.parameters()).device
        depends_on = {
            **self._settings.depends_on,
            "tensors": tensors_hash(module.model.backbone),
            "modules": _modules_hash(module.model.backbone),
            "batch": data.device_batch,
            "half": self._settings.half,
            "threads": torch.get_num_threads() if device.type == "cpu" else None,
            "flags": torch_flags(),
            "variables": {name: os.environ[name] for name in sorted(os.environ) if name.startswith(_VARIABLES)},
        }
        return Kind(MAPS, depends_on, dimensions=1, item=1, text=self._settings.text)


_MATTER = "in batches of this size, on this device, last bits of maps may depend on an image's place"
_VARIABLES = (
    *("ONEDNN_", "DNNL_", "MKL_", "ATEN_CPU_CAPABILITY", "TIMM_FUSED_ATTN"),
    *("NVIDIA_TF32_OVERRIDE", "CUBLAS_", "CUBLASLT_", "CUDNN_", "TORCH_ALLOW_TF32", "TORCH_CUDNN_"),
)
"""How variables begin by which libraries choose their ways."""


def tensors_hash(module: nn.Module) -> str:
    """Of all tensors of a module, their names and shapes: equal for equal weights, wherever they lie."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(module.state_dict().items()):
        content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8) if tensor.numel() else tensor
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\0".encode() + content.numpy().tobytes())
    return digest.hexdigest()


def _modules_hash(backbone: nn.Module) -> str:
    """Of all that modules say of themselves, strides and epsilons among it, without addresses in this process's memory."""
    text = f"{backbone} {epsilons(backbone)}"
    return hashlib.sha256(re.sub(r"\b0x[0-9a-fA-F]+", "", text).encode()).hexdigest()


def _layout(folder: Path, computing: MapComputing) -> Layout:
    known = _read(folder / _LAYOUT)
    if isinstance(known, list):
        shape, strides, *types = known
        return Layout(tuple(shape), tuple(strides), *types)
    layout = computing.layout()
    _write(folder / _LAYOUT, list(layout))
    return layout


def _places(folder: Path, computing: MapComputing) -> Places:
    known = _read(folder / _PLACES)
    if isinstance(known, list):
        return Places(*known)
    found = computing.places()
    _write(folder / _PLACES, list(found))
    return found


def _read(path: Path) -> Any:
    """What `_write` wrote; None where there is nothing, or nothing that can be read."""
    try:
        return read_json(path)
    except OSError as error:
        log.debug("%s cannot be read: %s", path, error)
        return None


def _write(path: Path, value: Any) -> None:
    """What is only a help: a folder that cannot be written costs its being found out again."""
    try:
        write_json(path, value)
    except OSError as error:
        log.debug("%s cannot be written: %s", path, error)
