"""Whether a cell's backbone is computed once for all cells, and what its maps depend on. torch is imported on use."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.build.keep import place_of
from wisesr.data.file_images import FileImages
from wisesr.data.images import RULES, decoders
from wisesr.data.manifest import Manifest
from wisesr.data.parts import Joined, PixelArray
from wisesr.errors import UserError
from wisesr.results.provenance import file_hash, hardware, installed_version

if TYPE_CHECKING:
    from wisesr.build.cell import Parts
    from wisesr.training.keep_maps import KeepMaps

log = logging.getLogger("wisesr")

_PLAIN = "wisesr.data.augmentation.Plain"
_SHUFFLED = "wisesr.models.heads.shuffled.ShuffledWiseHead"
_PACKAGES = ("torch", "torchvision", "timm", "numpy", "pillow")
_MODELS = Path(__file__).parents[1] / "models"


def why_no_maps(config: Mapping[str, Any]) -> str | None:
    """Why the backbone of a cell is computed for each batch, half a sentence for a reader; None where its maps are kept.

    By the configuration alone. No torch.
    """
    backbone, head, recipe, trainer, dataset = (config[key] for key in ("backbone", "head", "recipe", "trainer", "dataset"))
    if dataset["features"] == "off":
        return "dataset.features=off"
    if backbone.get("freeze") != "all":
        return f"backbone.freeze={_text(backbone.get('freeze'))} trains it"
    if recipe["mixup"] or recipe["cutmix"]:
        return "recipe.mixup and recipe.cutmix make other images in each epoch"
    if config["augment"]["_target_"] != _PLAIN and dataset["views"] is None:
        return "augment makes other images in each epoch (dataset.views=4, say, fixes four views of each)"
    if head["_target_"] == _SHUFFLED and head.get("shuffle") == "image":
        return "the head looks at the images themselves"
    if trainer["devices"] not in (1, "auto") or trainer["num_nodes"] != 1 or trainer["strategy"] == "ddp":
        return "it trains on several devices"
    if trainer["compile"]:
        return "trainer.compile=true compiles backbone and head together"
    return _why_not_asked(config) if dataset["features"] == "auto" else None


def _why_not_asked(config: Mapping[str, Any]) -> str | None:
    """What only somebody who asks for maps may want."""
    if config["backbone"].get("weights") is None:
        return "its weights are random, others with each seed"
    targets = (config[group]["_target_"] for group in ("backbone", "head", "augment"))
    if not all(target.startswith(("wisesr.", "torchvision.models.")) for target in targets):
        return "backbone, head or augment is not wisesr's own, whose code may change"
    return None


def why_no_maps_of(config: Mapping[str, Any], parts: Parts) -> str | None:
    """The same by the parts of the cell, too, which may lie on the meta device.

    Raises:
        UserError: dataset.features is on or fp16, and maps cannot be kept.
    """
    reason = why_no_maps(config) or _why_not_of(config, parts)
    if reason is not None and config["dataset"]["features"] in ("on", "fp16"):
        raise UserError(f"dataset.features={config['dataset']['features']}: {reason}; leave it at auto")
    return reason


def map_keeper(config: Mapping[str, Any], parts: Parts) -> KeepMaps | None:
    """What keeps the maps of a cell; None where its backbone is computed for each batch. Errors: as of `why_no_maps_of`."""
    reason = why_no_maps_of(config, parts)
    if reason is not None:
        if config["backbone"].get("freeze") == "all" and config["dataset"]["features"] == "auto":
            log.info("the frozen backbone is computed in each epoch, and its maps are not kept: %s", reason)
        return None
    try:
        place = place_of(config["dataset"])
    except OSError:
        return None  # there is no place for anything
    from wisesr.training.keep_maps import KeepMaps, MapSettings

    name, size = config["backbone"]["name"], config["resolution"]["size"]
    return KeepMaps(
        MapSettings(
            place,
            maps_depend_on(config, parts.data.manifest),
            half=config["dataset"]["features"] == "fp16",
            asked=config["dataset"]["features"] != "auto",
            text=f"{name}, {size} px",
            about={"dataset": config["dataset"]["name"], "backbone": name},
        )
    )


def _why_not_of(config: Mapping[str, Any], parts: Parts) -> str | None:
    """What only the parts themselves tell."""
    from wisesr.models.heads.base import Head
    from wisesr.models.heads.shuffled import ShuffledWiseHead

    model, data = parts.module.model, parts.data
    model.backbone.train()
    if any(parameter.requires_grad for parameter in model.backbone.parameters()) or any(
        part.training for part in model.backbone.modules() if part is not model.backbone
    ):
        return "parts of the backbone are not frozen"
    if any(part._forward_hooks or part._forward_pre_hooks for part in model.backbone.modules()):
        return "something looks into the backbone as it computes (forward hooks)"
    if parts.trainer.devices > 1:
        return "it trains on several devices"
    if type(model.head).of_images not in (Head.of_images, ShuffledWiseHead.of_images):
        return "the head looks at the images themselves"
    if data.views is None and not data.augment.is_fixed:
        return "augment makes other images in each epoch"
    if not data.manifest.hashed:
        return "dataset.fingerprint=listing does not look into files, and nobody could tell whether they are still the same"
    if len(data.manifest.indices("train")) < data.steps.batch_size:
        return "there are fewer training images than a batch has"
    return None if origin_of(data.manifest) else "the images' contents do not tell them apart for sure"


def maps_depend_on(config: Mapping[str, Any], manifest: Manifest) -> dict[str, Any]:
    """All that maps depend on beside the image, the backbone's tensors and the batch, as far as the configuration tells."""
    import torch

    from wisesr.data.decoded import code_hash

    recipe, trainer = config["recipe"], config["trainer"]
    on_gpu = torch.cuda.is_available() and trainer["accelerator"] != "cpu"
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    machine = hardware(device)
    return {
        "images": origin_of(manifest),
        "backbone": {key: value for key, value in config["backbone"].items() if key not in ("name", "weights", "freeze")},
        "conventions": [recipe["batch_norm"], recipe["structure"]],
        "augment": dict(config["augment"]),
        "reduced": config["dataset"]["cache"] == "reduced",
        "size": config["resolution"]["size"],
        "rules": [RULES, manifest.rules],
        "decoders": list(decoders()),
        "machine": [machine["cpu"], machine["device"], torch.backends.cpu.get_cpu_capability()],
        "trainer": [trainer["precision"], trainer["channels_last"], trainer["deterministic"]],
        "versions": [installed_version(package) for package in _PACKAGES]
        + [torch.version.cuda, torch.backends.cudnn.version()],
        "code": [code_hash(), _models_hash(), *map(source_of, (config[part]["_target_"] for part in ("augment", "backbone")))],
    }


def origin_of(manifest: Manifest) -> Any:
    """What beside its digest tells an image from all others; None where nothing does for sure.

    Of files the digest is that of their content. Arrays are hashed without their shapes, and drawn images by their settings.
    """
    load: Any = manifest.load
    load = getattr(load, "of_all", load)  # of a part of the classes
    if isinstance(load, FileImages):
        return "files"
    if isinstance(load, Joined):
        code = sorted({source_of(f"{type(part).__module__}.") for part in load.parts} | {source_of(f"{Joined.__module__}.")})
        arrays = [part for part in load.parts if isinstance(part, PixelArray)]
        kinds = {repr((array.pixels.shape[1:], str(array.pixels.dtype), array.white)) for array in arrays}
        if load.known is not None:
            return ["files", *code]
        return [*kinds, *code] if len(arrays) == len(load.parts) and len(kinds) == 1 else None
    made_by = load.func.__module__ if isinstance(load, partial) else ""
    return [made_by, source_of(f"{made_by}.")] if made_by.startswith("wisesr.data.") else None


@cache
def _models_hash() -> str:
    """Of the files by which a backbone comes about, as they were when this process began to use them."""
    files = sorted(_MODELS.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in files)).hexdigest()


def source_of(target: str) -> str:
    """Hash of the file that a `_target_` stands in."""
    module = import_module(target.rpartition(".")[0])
    return file_hash(Path(str(module.__file__)))


def _text(value: object) -> str:
    return "null" if value is None else str(value)
