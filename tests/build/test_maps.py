"""Whether the maps of a cell are kept, and what its user is told where they are not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.support.configs import change
from tests.support.frozen import frozen, weights_file
from wisesr.build.cell import Parts, build
from wisesr.build.data import build_manifest
from wisesr.build.maps import map_keeper, origin_of, why_no_maps
from wisesr.config.options import load_option
from wisesr.data.arrays import arrays
from wisesr.data.class_subset import class_subset
from wisesr.data.digits import digits
from wisesr.data.layouts import layouts
from wisesr.data.parts import Part, PixelArray, join
from wisesr.errors import UserError
from wisesr.models.heads.base import Head
from wisesr.types import FeatureShape

Config = dict[str, Any]


class Looking(Head):
    """A head of somebody's own that looks at the images."""

    def __init__(self, feature_shape: FeatureShape, num_classes: int) -> None:
        super().__init__(
            feature_shape, num_classes, aggregation=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), dropout=0.0
        )

    def of_images(self, features: Tensor, images: Tensor) -> Tensor:
        logits: Tensor = self(features) + images.mean()
        return logits


@pytest.fixture(scope="module")
def toy_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights_file(tmp_path_factory.mktemp("weights") / "toy.pth")


@pytest.fixture(scope="module")
def kept_parts(_composed_once: Config, toy_weights: Path) -> tuple[Config, Parts]:
    config = frozen(copy.deepcopy(_composed_once), toy_weights, "on")
    return config, build(config, build_manifest(config))


def with_head(name: str) -> Config:
    return {"name": name, **load_option("head", name)}


REFUSED: list[tuple[str, Config, str]] = [
    ("trained", {"backbone.freeze": None}, "backbone.freeze=null trains it"),
    ("in part", {"backbone.freeze": 2}, "backbone.freeze=2 trains it"),
    ("mixup", {"recipe.mixup": 0.2}, "recipe.mixup and recipe.cutmix make other images in each epoch"),
    ("cutmix", {"recipe.cutmix": 0.2}, "recipe.mixup and recipe.cutmix make other images in each epoch"),
    (
        "drawn",
        {"augment": load_option("augment", "standard")},
        "augment makes other images in each epoch (dataset.views=4",
    ),
    ("images", {"head": with_head("wise_shuffled_images")}, "the head looks at the images themselves"),
    ("devices", {"trainer.devices": 2}, "it trains on several devices"),
    ("strategy", {"trainer.strategy": "ddp"}, "it trains on several devices"),
    ("compiled", {"trainer.compile": True}, "trainer.compile=true compiles backbone and head together"),
]


@pytest.mark.parametrize(("changes", "reason"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_known_from_the_configuration(config: Config, toy_weights: Path, changes: Config, reason: str) -> None:
    """Before anything is built; the same words for who asks and for who leaves it to us."""
    for features in ("on", "fp16", "auto"):
        cell = frozen(config, toy_weights, features)
        for key, value in changes.items():
            cell = change(cell, key, value)
        found = why_no_maps(cell)
        assert found is not None and found.startswith(reason)


@pytest.mark.parametrize("features", ["on", "fp16", "auto", "off"])
def test_what_nothing_speaks_against(config: Config, toy_weights: Path, features: str) -> None:
    reason = why_no_maps(frozen(config, toy_weights, features))
    assert reason == ("dataset.features=off" if features == "off" else None)


def test_what_only_who_asks_for_it_gets(config: Config, toy_weights: Path) -> None:
    random = change(frozen(config, toy_weights, "auto"), "backbone.weights", None)
    assert why_no_maps(random) == "its weights are random, others with each seed"
    foreign = frozen(config, toy_weights, "auto") | {"head": {"name": "own", "_target_": f"{__name__}.Looking"}}
    drawing = frozen(config, toy_weights, "auto", dataset={"views": 2}) | {"augment": {"_target_": f"{__name__}.Drawing"}}
    for cell in (foreign, drawing):
        assert why_no_maps(cell) == "backbone, head or augment is not wisesr's own, whose code may change"
    for cell in (random, foreign, drawing):
        assert why_no_maps(change(cell, "dataset.features", "on")) is None


def test_an_error_names_the_setting_and_the_log_the_reason(
    kept_parts: tuple[Config, Parts], caplog: pytest.LogCaptureFixture
) -> None:
    config, parts = kept_parts
    mixed = change(config, "recipe.mixup", 0.2)
    with pytest.raises(UserError, match=r"^dataset.features=on: recipe.mixup and .* in each epoch; leave it at auto$"):
        map_keeper(mixed, parts)
    caplog.set_level("INFO", "wisesr")
    for features, said in (("auto", 1), ("off", 0)):
        caplog.clear()
        assert map_keeper(change(mixed, "dataset.features", features), parts) is None
        assert caplog.text.count("frozen backbone is computed in each epoch, and its maps are not kept: recipe.mixup") == said
    caplog.clear()
    assert map_keeper(change(change(mixed, "dataset.features", "auto"), "backbone.freeze", None), parts) is None
    assert not caplog.text, "who trains a backbone does not wonder"


def refusal(config: Config, parts: Parts) -> str:
    with pytest.raises(UserError) as error:
        map_keeper(config, parts)
    return str(error.value)


def test_what_the_parts_tell(kept_parts: tuple[Config, Parts], monkeypatch: pytest.MonkeyPatch) -> None:
    config, parts = kept_parts
    assert map_keeper(config, parts) is not None
    backbone = parts.module.model.backbone
    handle = next(backbone.model.children()).register_forward_hook(lambda *_: None)
    assert "something looks into the backbone as it computes (forward hooks)" in refusal(config, parts)
    handle.remove()
    parameter = next(backbone.parameters())
    parameter.requires_grad_(True)
    assert "parts of the backbone are not frozen" in refusal(config, parts)
    parameter.requires_grad_(False)
    assert "it trains on several devices" in refusal(config, parts._replace(trainer=parts.trainer._replace(devices=2)))
    model = parts.module.model
    head, model.head = model.head, Looking(backbone.feature_shape, 3)
    assert "the head looks at the images themselves" in refusal(config, parts)
    model.head = head
    with monkeypatch.context() as patch:
        patch.setattr(parts.data, "steps", parts.data.steps._replace(batch_size=64))
        assert "there are fewer training images than a batch has" in refusal(config, parts)
    assert map_keeper(config, parts) is not None


def test_files_that_nobody_has_looked_into(config: Config, toy_weights: Path) -> None:
    cell = change(frozen(config, toy_weights, "on"), "dataset.fingerprint", "listing")
    assert "dataset.fingerprint=listing does not look into files" in refusal(cell, build(cell, build_manifest(cell)))


def test_what_tells_an_image_from_all_others(tmp_path: Path, config: Config) -> None:
    """Arrays are hashed without their shapes, and drawn images by their settings."""
    labels = [0, 1, 2] * 2
    wide, high = (np.zeros((6, *shape), np.uint8) for shape in ((4, 9), (9, 4)))

    def of(name: str, **content: Any) -> Any:
        np.savez(tmp_path / f"{name}.npz", **content)
        return origin_of(arrays(root=str(tmp_path), file=f"{name}.npz"))

    found = [of("wide", images=wide, labels=labels), of("high", images=high, labels=labels)]
    found += [of("deep", images=wide.astype(np.uint16), labels=labels)]
    drawn = layouts(images=54, classes=18, pixels=32, seed=0)
    found += [origin_of(digits()), origin_of(drawn), origin_of(build_manifest(config))]
    assert None not in found
    assert len({repr(origin) for origin in found}) == len(found)
    assert origin_of(class_subset(digits(), 3, seed=0)) == origin_of(digits())
    parts = [
        Part(PixelArray(pixels), [f"{at}{index}" for index in range(6)], list("abcabc"), ["train"] * 6)
        for at, pixels in (("w", wide), ("h", high))
    ]
    assert origin_of(join("both", parts)) is None, "bytes of two shapes"


def test_models_whose_tensors_do_not_tell_them_apart(kept_parts: tuple[Config, Parts]) -> None:
    """An epsilon that a cell's checkpoint has brought is in no tensor."""
    config, parts = kept_parts
    keeper = map_keeper(config, parts)
    assert keeper is not None
    data = parts.data
    before = keeper._kind(parts.module, data).depends_on
    norm = next(part for part in parts.module.model.backbone.modules() if isinstance(part, nn.BatchNorm2d))
    eps, norm.eps = norm.eps, 0.1
    try:
        assert keeper._kind(parts.module, data).depends_on != before
    finally:
        norm.eps = eps
    assert keeper._kind(parts.module, data).depends_on == before
    with torch.no_grad():
        norm.running_mean += 1  # type: ignore[operator]
        assert keeper._kind(parts.module, data).depends_on != before
        norm.running_mean -= 1  # type: ignore[operator]


def test_a_function_among_the_modules_has_no_address(kept_parts: tuple[Config, Parts]) -> None:
    """Each process would compute its maps anew."""

    class Showing(nn.Identity):
        shown = "<function act at 0x7f0000000001>"

        def extra_repr(self) -> str:
            return self.shown

    config, parts = kept_parts
    keeper, model = map_keeper(config, parts), parts.module.model.backbone.model
    assert keeper is not None
    model.extra = Showing()
    keys = []
    for address in ("0x7f0000000001", "0x7E12"):
        Showing.shown = f"<function act at {address}>"
        assert address in repr(model)
        keys.append(keeper._kind(parts.module, parts.data).depends_on)
    del model.extra
    assert keys[0] == keys[1]
