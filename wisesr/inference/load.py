"""A finished cell as a model that can be used: `wisesr.load("digits:resnet18-wise-0")`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wisesr.build.cell import make_classifier
from wisesr.build.parts import build_augmentation
from wisesr.data.augmentation import Augmentation
from wisesr.data.images import PixelRules
from wisesr.errors import UserError
from wisesr.inference.run import Run, memory_format
from wisesr.inference.stored import Stored, read_stored
from wisesr.inference.trust import require_trusted
from wisesr.models.backbones import TimmBackbone
from wisesr.models.classifier import Classifier
from wisesr.models.heads.pre_average import automatic_pool
from wisesr.models.keras_conventions import set_epsilons
from wisesr.models.keras_structure import structure_as_keras
from wisesr.models.weights import as_of_this_size
from wisesr.results.cell_files import BEST, CONFIG
from wisesr.results.find import find_cell
from wisesr.types import FeatureShape
from wisesr.wording import some_of

_SHOWN = 4


def load(
    run: str | Path,
    *,
    outputs: str | Path = "outputs",
    image_size: int | None = None,
    device: str | torch.device = "cpu",
    trust: bool = False,
) -> Run:
    """The model of a finished cell, with what belongs to it: transform, class names, record. Nothing of its files is run.

    Args:
        run: the cell's directory, wherever it lies now; or `STUDY:backbone-head-seed`, or a part of its path that no other
            cell's has, below `outputs`.
        outputs: where to look for names.
        image_size: pixels, height and width; None for those of the training. Another size resizes what belongs to positions:
            a learned kernel so that its sum is kept, a transformer's positions as timm does; pre-averaging stays as trained.
        device: where the model computes.
        trust: whether a part that is not wisesr's (a head of your own) may be imported from where the run names it.

    Raises:
        UserError: no such run, one that is not finished or damaged, a part that is not trusted, or a size that the backbone or
            the head refuses.
    """
    directory = find_cell(str(run), Path(outputs))
    stored = read_stored(directory)
    require_trusted(stored.config, ("backbone", "head", "augment"), trust=trust, where=str(directory / CONFIG))
    size = stored.config["resolution"]["size"] if image_size is None else image_size
    model = _model(stored, size)
    transform = _transform(stored, size, model)
    return Run(
        directory=directory,
        config=stored.config,
        record=stored.record,
        class_names=stored.class_names,
        image_size=size,
        model=model.to(device).to(memory_format=memory_format(stored.config)),
        augmentation=transform,
        rules=pixel_rules(stored),
    )


def _model(stored: Stored, size: int) -> Classifier:
    """The classifier with the cell's weights, in eval mode and in the precision of its training."""
    model = _empty(stored, size)
    trained = FeatureShape(*stored.record.cost.feature_map)
    parts: dict[str, dict[str, Tensor]] = {"backbone": {}, "head": {}}
    for name, value in stored.state.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = value
    body, path = model.backbone, stored.directory / BEST
    if size != stored.config["resolution"]["size"]:
        parts["backbone"] = _backbone_state(body, parts["backbone"], path)
        try:
            parts["head"] = model.head.resized_state(parts["head"], trained)
        except ValueError as error:
            raise UserError(f"head {stored.config['head']['name']} at {size} px: {error}") from error
    _fill(model, {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}, path)
    try:
        set_epsilons(body, stored.epsilons)
    except UserError as error:
        raise UserError(f"{path}: {str(error).removeprefix('backbone.weights: ')}") from error
    if stored.structure == "keras":
        structure_as_keras(body.model)
    return model.eval().requires_grad_(False)


def _empty(stored: Stored, size: int) -> Classifier:
    """The classifier without weights: pretrained ones are not looked for, and pre-averaging is as it was trained."""
    node, top = dict(stored.config["backbone"]), dict(stored.config["head"])
    if node["_target_"].startswith(("wisesr.", "torchvision.models.")):
        node |= {key: None for key in ("weights", "freeze") if key in node}
    if "pre_pool" in top and top["pre_pool"] is None:
        top["pre_pool"] = automatic_pool(FeatureShape(*stored.record.cost.feature_map))
    before = torch.get_rng_state()
    try:
        model = make_classifier(node, top, len(stored.class_names), size)
    except (RuntimeError, MemoryError) as error:  # of sizes that no memory holds
        raise UserError(f"{stored.directory}: its model cannot be made at {size} px: {' '.join(str(error).split())}") from error
    finally:
        torch.set_rng_state(before)  # a random start that nobody will see
    model.half_maps = stored.config["dataset"].get("features") == "fp16"
    return model.double() if stored.config["trainer"]["precision"] == "64-true" else model


def _backbone_state(body: Any, state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    if not isinstance(body, TimmBackbone):
        return state
    inner = {name.removeprefix("model."): value for name, value in state.items()}
    return {f"model.{name}": value for name, value in as_of_this_size(body.model, inner, str(path)).items()}


def _fill(model: Classifier, state: Mapping[str, Tensor], path: Path) -> None:
    wanted = model.state_dict()
    problems = [
        f"{len(names)} {kind}: {some_of(names, _SHOWN)}"
        for kind, names in (
            ("missing", [name for name in wanted if name not in state]),
            ("unexpected", [name for name in state if name not in wanted]),
            ("of another shape", [name for name in wanted if name in state and state[name].shape != wanted[name].shape]),
        )
        if names
    ]
    if problems:
        raise UserError(f"{path} does not fit the model that its {CONFIG} describes: {'; '.join(problems)}")
    model.load_state_dict(dict(state))


def _transform(stored: Stored, size: int, model: Classifier) -> Augmentation:
    body = model.backbone
    transform = build_augmentation(stored.config["augment"], size, body.mean, body.std)
    if stored.inputs is not None and stored.inputs != transform.inputs:
        raise UserError(
            f"{stored.directory / BEST} was trained on images normalised with {stored.inputs}, and this version normalises "
            f"them with {transform.inputs}: use the versions that its record names (provenance.versions)"
        )
    return transform


def pixel_rules(stored: Stored) -> PixelRules:
    """By which rules files became RGB in training; where an older record does not tell, those of its dataset then."""
    text, dataset = stored.record.provenance.data.rules, stored.config["dataset"]
    if text is None:
        return PixelRules(upright="partial" not in dataset, range=dataset.get("range", "auto"))
    return PixelRules.parse(text)
