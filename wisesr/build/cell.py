"""All that one cell computes with, from its configuration.

Everything that needs torch is imported on use: a manifest is read without it, so that finished cells are skipped at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from wisesr.build.keep import check_views, keeps_images
from wisesr.build.parts import build_backbone, build_head, build_optimizer, build_schedule, cell_augmentation
from wisesr.data.manifest import TRAIN, Manifest
from wisesr.data.train_part import draw_train_part
from wisesr.errors import UserError
from wisesr.models.weight_sources import find_weights
from wisesr.results.provenance import file_hash
from wisesr.types import Budget, Steps, derive_seed, seconds_of

if TYPE_CHECKING:
    from wisesr.data.datamodule import ImageData
    from wisesr.models.classifier import Classifier
    from wisesr.models.conventions import Conventions
    from wisesr.training.module import ClassificationModule
    from wisesr.training.objective import Objective
    from wisesr.training.trainer import TrainerSettings


class Parts(NamedTuple):
    """All that one cell computes with."""

    module: ClassificationModule
    data: ImageData
    trainer: TrainerSettings
    budget: Budget


def weights_hash(config: Mapping[str, Any]) -> str | None:
    """Hash of the file of pretrained weights that a cell starts from; None where there is none to look at. No torch.

    Raises:
        UserError: it is not there.
    """
    backbone = config["backbone"]
    package, _, name = backbone["_target_"].rpartition(".")
    model = name if package == "torchvision.models" else backbone.get("model") if package.startswith("wisesr.") else None
    if model is None:
        return None
    file = find_weights(model, backbone.get("weights"))
    return None if file is None else file_hash(file)


def build_model(config: Mapping[str, Any], num_classes: int) -> Classifier:
    """Backbone and head, initialised from the seed, with the recipe's conventions.

    Raises:
        UserError: the backbone refuses the resolution, the head the feature map, one of them a convention.
    """
    import torch

    from wisesr.models.conventions import apply_conventions

    torch.manual_seed(derive_seed(config["seed"], "initialisation"))
    model = make_classifier(config["backbone"], config["head"], num_classes, config["resolution"]["size"])
    model.half_maps = config["dataset"]["features"] == "fp16"
    apply_conventions(model, build_conventions(config["recipe"]), config["seed"])
    return model


def build_conventions(recipe: Mapping[str, Any]) -> Conventions:
    """What a recipe says on the backbone: weights at the start, BatchNorm, strides and padding."""
    from wisesr.models.conventions import Conventions

    return Conventions(recipe["init"], recipe["batch_norm"], recipe["structure"])


def make_classifier(backbone: Mapping[str, Any], head: Mapping[str, Any], num_classes: int, image_size: int) -> Classifier:
    """A classifier: backbone and head from their nodes of the configuration.

    Raises:
        UserError: the backbone refuses the resolution, the head the feature map.
    """
    from wisesr.models.classifier import Classifier

    body = build_backbone(backbone, image_size)
    return Classifier(body, build_head(head, body.feature_shape, num_classes))


def build(config: Mapping[str, Any], manifest: Manifest, *, cores: int | None = None) -> Parts:
    """Everything that a fit needs; `cores` of the CPU may decode the images, None for all of them.

    Raises:
        UserError: a setting that cannot be had, by name.
    """
    return assemble(config, manifest, build_model(config, len(manifest.class_names)), cores=cores)


def assemble(config: Mapping[str, Any], manifest: Manifest, model: Classifier, *, cores: int | None = None) -> Parts:
    """Everything that a fit needs, around a model that is built already, on whatever device. Arguments as of `build`.

    Raises:
        UserError: a setting that cannot be had, by name.
    """
    from wisesr.data.datamodule import ImageData
    from wisesr.training.batch_parts import check_synchronisable
    from wisesr.training.module import ClassificationModule

    recipe, trainer, seed = config["recipe"], config["trainer"], config["seed"]
    steps = Steps(len(manifest.indices(TRAIN)), recipe["batch_size"], recipe["epochs"])
    body = model.backbone
    augment = cell_augmentation(config, body.mean, body.std)
    check_views(config["dataset"]["views"], augment, manifest)
    augment.check_trained(getattr(body, "trained_inputs", None), config["backbone"].get("weights"))
    module = ClassificationModule(
        model,
        class_names=manifest.class_names,
        image_size=config["resolution"]["size"],
        optimizer=build_optimizer(recipe["optimizer"]),
        schedule=build_schedule(recipe, steps),
        steps=steps,
        seed=seed,
        inputs=augment.inputs,
        objective=_objective(recipe, manifest),
        head_lr_scale=recipe["head_lr_scale"],
        ema=recipe["ema"],
        channels_last=trainer["channels_last"],
    )
    if trainer["sync_batchnorm"]:
        check_synchronisable(model)
    workers = config["dataset"]["workers"]
    data = ImageData(
        manifest,
        augment,
        protocol=config["protocol"],
        steps=steps,
        seed=seed,
        accumulate=trainer["accumulate"],
        workers=None if workers == "auto" else workers,
        cores=cores,
        train_part=draw_train_part(
            manifest,
            trainer["train_eval_images"],
            protocol=config["protocol"],
            split_seed=config["dataset"]["split_seed"],
        ),
        views=config["dataset"]["views"],
    )
    keeps_images(config, data)  # or it says why not
    max_time = trainer["max_time"]
    budget = Budget(recipe["patience"], None if max_time is None else seconds_of(max_time))
    return Parts(module, data, build_trainer_settings(trainer), budget)


def build_trainer_settings(trainer: Mapping[str, Any]) -> TrainerSettings:
    """Settings of Lightning's trainer, from the trainer's node of the configuration; devices=auto as the number there is."""
    import torch

    from wisesr.training.trainer import TrainerSettings

    settings = {key: value for key, value in trainer.items() if key in TrainerSettings._fields}
    if trainer["devices"] == "auto":
        on_gpu = trainer["accelerator"] != "cpu" and torch.cuda.is_available()
        settings["devices"] = torch.cuda.device_count() if on_gpu else 1
    return TrainerSettings(**settings)


def _objective(recipe: Mapping[str, Any], manifest: Manifest) -> Objective:
    from wisesr.training.objective import Objective, balanced_weights

    count, kind = len(manifest.class_names), recipe["class_weights"]
    if kind not in ("none", "balanced"):
        raise UserError(f"recipe.class_weights must be one of none, balanced, not {kind!r}")
    labels = np.asarray(manifest.labels)[manifest.indices(TRAIN)].tolist()
    return Objective(
        count,
        label_smoothing=recipe["label_smoothing"],
        class_weights=balanced_weights(labels, count) if kind == "balanced" else None,
        mixup=recipe["mixup"],
        cutmix=recipe["cutmix"],
    )
