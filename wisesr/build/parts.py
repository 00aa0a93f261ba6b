"""Each part of a cell from its node of the configuration, whoever wrote it. torch is imported on use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wisesr.build.contracts import contract_error
from wisesr.build.run_name import run_name
from wisesr.build.targets import check_settings, locate, make_part
from wisesr.config.replicates import repetition_names
from wisesr.models.timm_import import import_timm
from wisesr.results.installation import read_command
from wisesr.types import FeatureShape, Steps

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from wisesr.data.augmentation import Augmentation
    from wisesr.models.backbones import TimmBackbone
    from wisesr.models.heads.base import Head
    from wisesr.training.loggers.base import RunLogger
    from wisesr.training.schedules import Schedule


def build_backbone(node: Mapping[str, Any], image_size: int) -> TimmBackbone:
    """A backbone from its node; a model of torchvision's by its name there, as `conf/backbone/torchvision.yaml` has it.

    Raises:
        UserError: it cannot be had, is none, or refuses the resolution.
    """
    import_timm()
    from torch import nn

    from wisesr.models.backbones import check_backbone

    target = locate("backbone", node["_target_"])
    if target.__module__.startswith("torchvision.models."):
        from wisesr.models.torchvision_backbone import TorchvisionBackbone

        settings = {key: value for key, value in node.items() if key not in ("_target_", "name")}
        check_settings("backbone", TorchvisionBackbone, settings, named=("model",))
        named = {"_target_": f"{TorchvisionBackbone.__module__}.{TorchvisionBackbone.__name__}", "model": target.__name__}
        return build_backbone({**node, **named}, image_size)
    backbone = make_part("backbone", node, nn.Module, skip=("name",))(image_size)
    if problem := check_backbone(backbone):
        raise contract_error("backbone", target, problem)
    return backbone  # type: ignore[no-any-return]


def build_head(node: Mapping[str, Any], feature_shape: FeatureShape, num_classes: int) -> Head:
    """A head from its node.

    Raises:
        UserError: it cannot be had, is none, or refuses the feature map.
    """
    import_timm()  # which some heads import
    from wisesr.models.heads.base import Head

    return make_part("head", node, Head, skip=("name",))(feature_shape, num_classes)  # type: ignore[no-any-return]


def build_augmentation(node: Mapping[str, Any], image_size: int, mean: Sequence[float], std: Sequence[float]) -> Augmentation:
    """An augmentation from its node, with what the backbone's weights expect their input to be normalised with, per channel.

    Raises:
        UserError: it cannot be had, or is no `Augmentation`.
    """
    from wisesr.data.augmentation import Augmentation

    return make_part("augment", node, Augmentation)(image_size, mean, std)  # type: ignore[no-any-return]


def cell_augmentation(config: Mapping[str, Any], mean: Sequence[float], std: Sequence[float]) -> Augmentation:
    """The augmentation of a cell, which with dataset.cache=reduced trains on smaller copies of the pictures.

    Raises:
        UserError: it cannot be had, or has no such way.
    """
    augment = build_augmentation(config["augment"], config["resolution"]["size"], mean, std)
    if config["dataset"]["cache"] == "reduced":
        augment.reduce()
    return augment


def build_view(config: Mapping[str, Any]) -> Augmentation:
    """The augmentation of a cell, with the normalisation of its backbone, whose weights are not looked at.

    Raises:
        UserError: one of them cannot be had.
    """
    import torch

    node, size = config["backbone"], config["resolution"]["size"]
    own = node["_target_"].startswith("wisesr.")
    unloaded = {key: None for key in ("weights", "freeze") if own and key in node}
    with torch.device("meta" if own else "cpu"):  # a foreign one may ask its tensors for their numbers
        backbone = build_backbone({**node, **unloaded}, size)
    return cell_augmentation(config, backbone.mean, backbone.std)


def build_optimizer(node: Mapping[str, Any]) -> Callable[[Iterable[dict[str, Any]]], Optimizer]:
    """Groups of parameters -> optimizer, from its node of the recipe; one of torch.optim by its name there.

    Raises:
        UserError: it cannot be had, or is none.
    """
    from torch.optim import Optimizer

    return make_part("recipe.optimizer", node, Optimizer)


def build_schedule(recipe: Mapping[str, Any], steps: Steps) -> Schedule:
    """Optimizer step -> factor of the rate, from the recipe's node; a scheduler of torch.optim by its name there.

    Raises:
        UserError: it cannot be had, or is none.
    """
    from torch.optim.lr_scheduler import LRScheduler

    node = recipe["schedule"]
    target = locate("recipe.schedule", node["_target_"])
    if isinstance(target, type) and issubclass(target, LRScheduler):
        from wisesr.training.torch_schedules import INTERVAL, asked_at_each_step, schedule_of

        if asked := asked_at_each_step(target):
            raise contract_error("recipe.schedule", target, f"needs {asked[0]} at each step")
        settings = {key: value for key, value in node.items() if key != "_target_"}
        check_settings("recipe.schedule", target, settings, added=(INTERVAL,))
        interval = settings.pop(INTERVAL, "epoch")
        return schedule_of(target, settings, steps, build_optimizer(recipe["optimizer"]), interval)
    return make_part("recipe.schedule", node, Callable)(steps)  # type: ignore[no-any-return]


def build_loggers(config: Mapping[str, Any], directory: Path) -> list[RunLogger]:
    """The loggers of a cell, none started yet.

    Raises:
        UserError: one cannot be had, or is none.
    """
    from wisesr.training.loggers.base import Run

    backbone, head, dataset = (config[group]["name"] for group in ("backbone", "head", "dataset"))
    repetition = repetition_names(config)
    tags = (backbone, head, dataset, f"{config['resolution']['size']}px", *repetition, config["protocol"])
    name = run_name(config, read_command(directory))
    run = Run(directory, name, config["study"], tags, deepcopy(config))
    return [_build_logger(f"logger.{name}", node, run) for name, node in config["logger"].items()]


def _build_logger(where: str, node: Mapping[str, Any], run: Any) -> RunLogger:
    from lightning.pytorch.loggers import Logger

    from wisesr.training.loggers.base import RunLogger

    target = locate(where, node["_target_"])
    if isinstance(target, type) and issubclass(target, Logger):
        from wisesr.training.loggers.lightning import LightningLogger

        settings = {key: value for key, value in node.items() if key != "_target_"}
        check_settings(where, target, settings, provided=0)
        try:
            return LightningLogger(run, target, settings)
        except TypeError as error:
            raise contract_error(where, target, f"cannot be called so ({error})") from error
    return make_part(where, node, RunLogger)(run)  # type: ignore[no-any-return]
