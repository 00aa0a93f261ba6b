"""Heads and classifiers by the names of the configuration, for use in Python; nothing of a cell is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wisesr.build.cell import make_classifier
from wisesr.build.parts import build_head
from wisesr.config.options import load_option, options
from wisesr.config.schema import Config
from wisesr.config.setting_types import mismatches
from wisesr.config.signatures import target_settings
from wisesr.errors import UserError, unknown
from wisesr.types import FeatureShape

if TYPE_CHECKING:
    from wisesr.models.classifier import Classifier
    from wisesr.models.heads.base import Head


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
    return build_head(head_node(name, settings), FeatureShape(*feature_shape), num_classes)


def head_node(name: str, settings: Mapping[str, Any]) -> Config:
    """The node of a head of `conf/head`, with settings in place of the YAML's.

    Raises:
        UserError: no such head or setting, or a value that does not fit.
    """
    if not isinstance(name, str):
        raise UserError(f"head must be a name of conf/head, as 'wise', not {name!r}")
    return _settings("head", load_option("head", name), settings)


def create_model(backbone: str, head: str, num_classes: int, image_size: int, **settings: Any) -> Classifier:
    """A classifier by the names of its parts.

    Args:
        backbone: a name in `conf/backbone`, or timm's name of a model. "timm" and "torchvision" take the name as the setting
            `model`: `create_model("torchvision", "wise", 10, 224, model="resnet18")`.
        head: a name in `conf/head`.
        num_classes: logits.
        image_size: pixels, height and width.
        settings: in place of the YAML's: of the backbone (`weights="package"`, `freeze="all"`) and of the head (`dropout=0.2`).

    Whoever calls this normalises the images: with `model.backbone.mean` and `std`, or, where the weights are a cell's
    checkpoint, with `model.backbone.trained_inputs`. The two may differ (augment=paper), so neither is held against the other.

    Returns:
        A module (batch, 3, image_size, image_size) -> (batch, classes).

    Raises:
        UserError: no such part or setting, or a value that does not fit.
    """
    known = backbone in options("backbone")
    body = load_option("backbone", backbone if known else "timm") | ({} if known else {"model": backbone})
    unnamed = body.get("model") == "???"
    top = load_option("head", head)
    for key in settings:
        if key not in {**body, **top}:
            hidden = {"_target_"} if unnamed else {"_target_", "model"}
            raise UserError(unknown("setting of backbone or head", key, {**body, **top}.keys() - hidden))
    if unnamed and "model" not in settings:
        raise UserError(f"the backbone {backbone} needs the name of a model: create_model({backbone!r}, ..., model='resnet18')")
    of_body = {key: value for key, value in settings.items() if key in body}
    of_top = {key: value for key, value in settings.items() if key in top}
    return make_classifier(_settings("backbone", body, of_body), _settings("head", top, of_top), num_classes, image_size)


def _settings(where: str, node: Config, settings: Mapping[str, Any]) -> Config:
    for key in settings:
        if key not in node or key == "_target_":
            raise UserError(unknown(f"setting of {where}", key, [name for name in node if name != "_target_"]))
    whole = node | dict(settings)
    if problems := mismatches(where, whole, target_settings(node["_target_"])):
        raise UserError("; ".join(problems))
    return whole
