"""Every head on every backbone at the paper's sizes, on the meta device: shapes and counts, no numbers."""

from __future__ import annotations

import pytest
import torch

from wisesr import constrain, create_head, create_model
from wisesr.config import load_option, options
from wisesr.errors import UserError
from wisesr.models.backbones import TimmBackbone

# Feature maps that Keras gives: paper.md. (channels, extent at 112, 224, 512, numbers without the head.)
RESNET50 = 23_561_152
EXPECTED = {
    "resnet50": (2048, 4, 7, 16, RESNET50),
    "resnet101": (2048, 4, 7, 16, None),
    "resnet152": (2048, 4, 7, 16, None),
    "resnet18": (512, 4, 7, 16, None),
    "resnet34": (512, 4, 7, 16, None),
    "densenet121": (1024, 3, 7, 16, 7_037_504),
    "densenet169": (1664, 3, 7, 16, 12_642_880),
    "densenet201": (1920, 3, 7, 16, 18_321_984),
}


def test_every_backbone_of_conf_is_expected_here() -> None:
    assert set(EXPECTED) | {"timm"} == set(options("backbone"))


@pytest.mark.parametrize("name", EXPECTED)
def test_maps_and_counts_and_every_head(name: str) -> None:
    channels, *extents, numbers = EXPECTED[name]
    model = load_option("backbone", name)["model"]
    for size, extent in zip((112, 224, 512), extents, strict=True):
        with torch.device("meta"):
            backbone = TimmBackbone(size, model=model)
            assert backbone.feature_shape == (channels, extent, extent)
            features = torch.empty(2, *backbone.feature_shape)
            for head in options("head"):
                assert create_head(head, backbone.feature_shape, 67)(features).shape == (2, 67)
    running = sum(buffer.numel() for key, buffer in backbone.named_buffers() if "running" in key)
    if numbers is not None:
        assert sum(p.numel() for p in backbone.parameters()) + running == numbers


@pytest.mark.parametrize("name", ["test_vit", "test_vit3", "test_mambaout", "test_convnext", "test_maxvit"])
def test_tokens_and_channels_last_become_maps(name: str) -> None:
    model = create_model(name, "wise", 5, 160)
    shape = model.backbone.feature_shape
    assert shape.height == shape.width > 1
    features = model.backbone(torch.zeros(2, 3, 160, 160))
    assert features.shape[1:] == shape
    assert model(torch.zeros(2, 3, 160, 160)).shape == (2, 5)


def test_tokens_keep_their_places() -> None:
    """Tokens come row by row, and so the map must be filled."""
    from wisesr.models.backbones import _fold_tokens

    tokens = torch.arange(9.0)[None, :, None]
    assert torch.equal(_fold_tokens(tokens)[0, 0], torch.arange(9.0).reshape(3, 3))


def test_every_parameter_of_a_model_gets_a_gradient() -> None:
    for head in options("head"):
        model = create_model("test_efficientnet", head, 5, 64, **({"hidden": 32} if head == "fc" else {}))
        model(torch.randn(4, 3, 64, 64)).logsumexp(1).sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.head.parameters()), head


def test_a_size_that_the_backbone_refuses() -> None:
    with pytest.raises(UserError, match="inception_v3 refuses images of 64 px"):
        create_model("inception_v3", "gap", 5, 64)


def test_an_unknown_model_names_its_neighbours() -> None:
    with pytest.raises(UserError, match=r"no model 'resnet51'.*resnet50"):
        create_model("resnet51", "gap", 5, 64)


def test_leftovers_of_timms_head_are_no_part_of_the_backbone() -> None:
    """ConvNeXt's last norm lives in its head: DDP would refuse it, and it would count as the backbone's."""
    model = create_model("test_convnext", "gap", 5, 64)
    model(torch.randn(2, 3, 64, 64)).logsumexp(1).sum().backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_models_are_built_without_gradients_too() -> None:
    with torch.inference_mode():
        assert create_model("test_efficientnet", "wise", 5, 64).backbone.feature_shape == (256, 2, 2)


def test_modules_called_project_are_not_ours() -> None:
    """Timm's DLA has some; the constraint must leave them alone."""
    model = create_model("dla46_c", "wise", 5, 64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    constrain(optimizer, model)
    model(torch.randn(2, 3, 64, 64)).logsumexp(1).sum().backward()
    optimizer.step()
    assert (model.head.get_parameter("aggregation.kernel") >= 0).all()
