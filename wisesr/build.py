"""The only place where configuration becomes objects. Below it, plain typed arguments.

Everything that needs torch is imported on use: a manifest is read without it, so that finished cells are skipped at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wisesr.config import DATASET_KEYS, Config, load_option, options
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.data.split import complete
from wisesr.errors import UserError, unknown
from wisesr.models.sources import find_weights
from wisesr.results.provenance import file_hash
from wisesr.signatures import mismatches, target_settings
from wisesr.types import Budget, FeatureShape, Steps, derive_seed, seconds_of

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from wisesr.data.datamodule import ImageData
    from wisesr.models.backbones import TimmBackbone
    from wisesr.models.classifier import Classifier
    from wisesr.models.heads.base import Head
    from wisesr.training.fit import TrainerSettings
    from wisesr.training.loggers.base import RunLogger
    from wisesr.training.module import ClassificationModule
    from wisesr.training.objective import Objective


class Parts(NamedTuple):
    """All that one cell computes with."""

    module: ClassificationModule
    data: ImageData
    trainer: TrainerSettings
    budget: Budget


def build_manifest(config: Mapping[str, Any]) -> Manifest:
    """The images of a cell with the splits of its protocol. No torch.

    Raises:
        UserError: the dataset is not there, or not in order.
    """
    dataset = config["dataset"]
    try:
        manifest = _make("dataset", dataset, skip=DATASET_KEYS)()
    except OSError as error:
        raise UserError(f"dataset: {error}") from error
    return complete(
        manifest,
        protocol=config["protocol"],
        test_fraction=dataset["test_fraction"],
        val_fraction=dataset["val_fraction"],
        seed=dataset["split_seed"],
    )


def weights_hash(config: Mapping[str, Any]) -> str | None:
    """Hash of the file of pretrained weights that a cell starts from; None where there is none to look at. No torch.

    Raises:
        UserError: it is not there.
    """
    backbone = config["backbone"]
    if not backbone["_target_"].startswith("wisesr.") or "model" not in backbone:
        return None
    file = find_weights(backbone["model"], backbone.get("weights"))
    return None if file is None else file_hash(file)


def build_steps(config: Mapping[str, Any], manifest: Manifest) -> Steps:
    """Epochs and batches over the training split."""
    recipe = config["recipe"]
    return Steps(len(manifest.indices(TRAIN)), recipe["batch_size"], recipe["epochs"])


def build_model(config: Mapping[str, Any], num_classes: int) -> Classifier:
    """Backbone and head, initialised from the seed.

    Raises:
        UserError: the backbone refuses the resolution, the head the feature map.
    """
    return _classifier(config["backbone"], config["head"], num_classes, config["resolution"]["size"], config["seed"])


def build_backbone(node: Mapping[str, Any], image_size: int) -> TimmBackbone:
    """A backbone from its node of the configuration.

    Raises:
        UserError: it cannot be had, or refuses the resolution.
    """
    return _make("backbone", node, skip=("name",))(image_size)  # type: ignore[no-any-return]


def build_head(node: Mapping[str, Any], feature_shape: FeatureShape, num_classes: int) -> Head:
    """A head from its node of the configuration.

    Raises:
        UserError: it cannot be had, or refuses the feature map.
    """
    return _make("head", node, skip=("name",))(feature_shape, num_classes)  # type: ignore[no-any-return]


def build(config: Mapping[str, Any], manifest: Manifest) -> Parts:
    """Everything that a fit needs.

    Raises:
        UserError: a setting that cannot be had, by name.
    """
    return assemble(config, manifest, build_model(config, len(manifest.class_names)))


def assemble(config: Mapping[str, Any], manifest: Manifest, model: Classifier) -> Parts:
    """Everything that a fit needs, around a model that is built already, on whatever device.

    Raises:
        UserError: a setting that cannot be had, by name.
    """
    from wisesr.data.datamodule import ImageData
    from wisesr.training.module import ClassificationModule

    recipe, trainer, seed = config["recipe"], config["trainer"], config["seed"]
    steps = build_steps(config, manifest)
    module = ClassificationModule(
        model,
        num_classes=len(manifest.class_names),
        optimizer=build_optimizer(recipe["optimizer"]),
        schedule=_make("recipe.schedule", recipe["schedule"])(steps),
        steps=steps,
        seed=seed,
        objective=_objective(recipe, manifest),
        head_lr_scale=recipe["head_lr_scale"],
        ema=recipe["ema"],
        channels_last=trainer["channels_last"],
    )
    workers = config["dataset"]["workers"]
    data = ImageData(
        manifest,
        _make("augment", config["augment"])(config["resolution"]["size"], model.backbone.mean, model.backbone.std),
        protocol=config["protocol"],
        steps=steps,
        seed=seed,
        accumulate=trainer["accumulate"],
        workers=None if workers == "auto" else workers,
    )
    max_time = trainer["max_time"]
    budget = Budget(recipe["patience"], None if max_time is None else seconds_of(max_time))
    return Parts(module, data, build_trainer_settings(trainer), budget)


def build_optimizer(node: Mapping[str, Any]) -> Callable[..., Optimizer]:
    """Groups of parameters -> optimizer, from its node of the recipe."""
    return _make("recipe.optimizer", node)


def build_trainer_settings(trainer: Mapping[str, Any]) -> TrainerSettings:
    """What Lightning is told, from the trainer's node of the configuration."""
    from wisesr.training.fit import TrainerSettings

    settings = {key: value for key, value in trainer.items() if key not in ("threads", "max_time")}
    if trainer["devices"] == "auto" and not _has_gpu(trainer["accelerator"]):
        settings["devices"] = 1
    return TrainerSettings(**settings)


def _objective(recipe: Mapping[str, Any], manifest: Manifest) -> Objective:
    from wisesr.training.objective import Objective, balanced_weights

    count, kind = len(manifest.class_names), recipe["class_weights"]
    if kind not in ("none", "balanced"):
        raise UserError(f"recipe.class_weights must be one of none, balanced, not {kind!r}")
    labels = [manifest.labels[index] for index in manifest.indices(TRAIN)]
    return Objective(
        count,
        label_smoothing=recipe["label_smoothing"],
        class_weights=balanced_weights(labels, count) if kind == "balanced" else None,
        mixup=recipe["mixup"],
        cutmix=recipe["cutmix"],
    )


def build_loggers(config: Mapping[str, Any], directory: Path) -> list[RunLogger]:
    """The loggers of a cell, none started yet."""
    from wisesr.training.loggers.base import Run

    backbone, head, dataset = (config[group]["name"] for group in ("backbone", "head", "dataset"))
    tags = (backbone, head, dataset, f"{config['resolution']['size']}px", f"seed-{config['seed']}", config["protocol"])
    run = Run(directory, f"{backbone}-{head}-seed-{config['seed']}", config["study"], tags, config)
    return [_make(f"logger.{name}", node)(run) for name, node in config["logger"].items()]


def create_head(name: str, feature_shape: FeatureShape | tuple[int, int, int], num_classes: int, **settings: Any) -> Head:
    """A head by its name in `conf/head`, variants included.

    Args:
        name: `wise`, `gap`, `depthwise_nonneg`, ...
        feature_shape: channels, height and width of the feature map; any 3-tuple.
        num_classes: logits.
        settings: in place of the YAML's: `pre_pool=3`, `dropout=0.2`.

    Returns:
        A module (batch, channels, height, width) -> (batch, classes).

    Raises:
        UserError: no such head or setting, or a value that does not fit.
    """
    node = _settings("head", load_option("head", name), settings)
    return _make("head", node)(FeatureShape(*feature_shape), num_classes)  # type: ignore[no-any-return]


def create_model(backbone: str, head: str, num_classes: int, image_size: int, **settings: Any) -> Classifier:
    """A classifier by the names of its parts.

    Args:
        backbone: a name in `conf/backbone`, or timm's name of a model.
        head: a name in `conf/head`.
        num_classes: logits.
        image_size: pixels, height and width.
        settings: in place of the YAML's: of the backbone (`weights="package"`, `freeze="all"`) and of the head (`dropout=0.2`).

    Returns:
        A module (batch, 3, image_size, image_size) -> (batch, classes).

    Raises:
        UserError: no such part or setting, or a value that does not fit.
    """
    known = backbone in options("backbone") and backbone != "timm"
    body = load_option("backbone", backbone if known else "timm") | ({} if known else {"model": backbone})
    top = load_option("head", head)
    for key in settings:
        if key not in {**body, **top}:
            raise UserError(unknown("setting of backbone or head", key, {**body, **top}.keys() - {"_target_", "model"}))
    of_body = {key: value for key, value in settings.items() if key in body}
    of_top = {key: value for key, value in settings.items() if key in top}
    return _classifier(_settings("backbone", body, of_body), _settings("head", top, of_top), num_classes, image_size, seed=None)


def _settings(where: str, node: Config, settings: Mapping[str, Any]) -> Config:
    for key in settings:
        if key not in node:
            raise UserError(unknown(f"setting of {where}", key, [name for name in node if name != "_target_"]))
    whole = node | dict(settings)
    if problems := mismatches(where, whole, target_settings(node["_target_"])):
        raise UserError("; ".join(problems))
    return whole


def _classifier(
    backbone: Mapping[str, Any], head: Mapping[str, Any], num_classes: int, image_size: int, seed: int | None
) -> Classifier:
    import torch

    from wisesr.models.classifier import Classifier

    if seed is not None:
        torch.manual_seed(derive_seed(seed, "initialisation"))
    body = build_backbone(backbone, image_size)
    return Classifier(body, build_head(head, body.feature_shape, num_classes))


def _has_gpu(accelerator: str) -> bool:
    import torch

    return accelerator != "cpu" and torch.cuda.is_available()


def _make(where: str, node: Mapping[str, Any], skip: tuple[str, ...] = ()) -> Callable[..., Any]:
    """What `_target_` names with its settings filled in, to be called with what the code provides.

    Raises:
        UserError: from here if it cannot be imported or has no such setting, from the call if a value is refused.
    """
    target = _locate(where, node["_target_"])
    settings = {key: value for key, value in node.items() if key != "_target_" and key not in skip}
    accepted = inspect.signature(target).parameters
    for key in settings:
        if key not in accepted:
            raise UserError(unknown(f"key of {where}", key, accepted))
    return partial(_call, where, target, settings)


def _call(where: str, target: Callable[..., Any], settings: Mapping[str, Any], *arguments: Any) -> Any:
    try:
        return target(*arguments, **settings)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error


def _locate(where: str, target: str) -> Callable[..., Any]:
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{where}._target_: {target} cannot be imported ({error})") from error
    if not callable(found):
        raise UserError(f"{where}._target_: {target} is neither a function nor a class")
    return found  # type: ignore[no-any-return]
