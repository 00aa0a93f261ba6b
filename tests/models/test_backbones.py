"""Every head on every backbone at the paper's sizes, on the meta device: shapes and counts, no numbers."""

from __future__ import annotations

import copy
from functools import cache

import pytest
import torch

from wisesr import constrain, create_head, create_model
from wisesr.config.options import load_option, options
from wisesr.errors import UserError
from wisesr.models.backbones import TimmBackbone
from wisesr.models.classifier import Classifier
from wisesr.models.timm_maps import fold_tokens
from wisesr.types import FeatureShape

# Feature maps that Keras gives where it has the model: paper.md. (channels, extent at 112, 224, 512, numbers without the head.)
EXPECTED = {
    "resnet18": (512, 4, 7, 16, None),
    "resnet34": (512, 4, 7, 16, None),
    "resnet50": (2048, 4, 7, 16, 23_561_152),
    "resnet101": (2048, 4, 7, 16, None),
    "resnet152": (2048, 4, 7, 16, None),
    "resnetv2_50": (2048, 4, 7, 16, None),
    "resnetv2_101": (2048, 4, 7, 16, None),
    "resnetv2_152": (2048, 4, 7, 16, None),
    "densenet121": (1024, 3, 7, 16, 7_037_504),
    "densenet169": (1664, 3, 7, 16, 12_642_880),
    "densenet201": (1920, 3, 7, 16, 18_321_984),
    "inception_v3": (2048, 2, 5, 14, None),
    "inception_v4": (1536, 2, 5, 14, None),
    "inception_resnet_v2": (1536, 2, 5, 14, None),
    "xception": (2048, 4, 7, 16, 20_861_480),
    "nasnet_large": (4032, 4, 7, 16, 84_916_818),
    "efficientnet_b0": (1280, 4, 7, 16, None),
    "efficientnet_lite0": (1280, 4, 7, 16, None),
    "mobilenetv2": (1280, 4, 7, 16, None),
    "convnext_tiny": (768, 3, 7, 16, None),
    "vit_small": (384, 7, 14, 32, None),
    "swin_tiny": (768, 4, 7, 16, None),
}
LARGER = {"resnet34", "resnet101", "resnet152", "resnetv2_101", "resnetv2_152", "densenet169", "densenet201"}
"""Siblings of a family that is tested whole already."""


def test_every_backbone_of_conf_is_expected_here() -> None:
    assert set(EXPECTED) | {"timm", "torchvision"} == set(options("backbone"))


ALL_SIZES = {"resnet18", "resnet50", "densenet201", "inception_v3", "xception", "mobilenetv2", "vit_small", "swin_tiny"}
"""At 112 and 512 px too, while you wait: of each kind one."""


@pytest.mark.parametrize(
    ("name", "position"),
    [
        pytest.param(name, position, marks=[pytest.mark.slow] * (name in LARGER or (position != 1 and name not in ALL_SIZES)))
        for name in EXPECTED
        for position in range(3)
    ],
)
def test_maps_and_counts_and_every_head(name: str, position: int) -> None:
    channels, extent, numbers = EXPECTED[name][0], EXPECTED[name][1 + position], EXPECTED[name][4]
    with torch.device("meta"):
        backbone = TimmBackbone((112, 224, 512)[position], model=load_option("backbone", name)["model"], freeze=1)
    assert backbone.feature_shape == (channels, extent, extent)
    heads_fit(backbone.feature_shape)
    running = sum(buffer.numel() for key, buffer in backbone.named_buffers() if "running" in key)
    if numbers is not None:
        assert sum(p.numel() for p in backbone.parameters()) + running == numbers
    trained = sum(p.requires_grad for p in backbone.parameters())
    assert 0 < trained < len(list(backbone.parameters())), "a stem that can be frozen"


@cache
def heads_fit(shape: FeatureShape) -> None:
    """Every head of conf takes maps of this shape."""
    for head in options("head"):
        with torch.device("meta"):
            logits = create_head(head, shape, 67).of_images(torch.empty(2, *shape), torch.empty(2, 3, 224, 224))
        assert logits.shape == (2, 67), head


@pytest.mark.parametrize(
    ("head", "model", "size", "words"),
    [
        ("gap", "inception_v3", 64, "backbone inception_v3 refuses images of 64 px"),
        ("gap", "inception_resnet_v2", 64, "backbone inception_resnet_v2 refuses images of 64 px"),
        ("wise", "vit_small_patch16_224", 8, "backbone vit_small_patch16_224 refuses images of 8 px"),
        ("wise", "efficientvim_m1", 64, "EfficientViM answers with a list, not with one map|EfficientVim answers with a list"),
        ("attention", "regnety_002", 64, "head.head_dim must divide the map's 368 channels, which 64 does not"),
        ("simpool", "regnety_002", 64, None),
    ],
)
def test_refused_pairs_say_why(head: str, model: str, size: int, words: str | None) -> None:
    with torch.device("meta"):
        if words is None:  # one head refuses what another takes
            create_model(model, head, 5, size)
            return
        with pytest.raises(UserError, match=words):
            create_model(model, head, 5, size)


@pytest.mark.parametrize(("backbone", "channels"), [("timm", 512), ("torchvision", 512)])
def test_a_package_and_its_name_of_a_model(backbone: str, channels: int) -> None:
    """The options that take any model of a package have its name as a setting, and ask for it."""
    with torch.device("meta"):
        assert create_model(backbone, "gap", 5, 64, model="resnet18").backbone.feature_shape == (channels, 2, 2)
        with pytest.raises(
            UserError, match=rf"{backbone} needs the name of a model: create_model\('{backbone}', .*model='resnet18'"
        ):
            create_model(backbone, "gap", 5, 64)
        with pytest.raises(UserError, match="no setting of backbone or head is called 'modle'. Did you mean model"):
            create_model(backbone, "gap", 5, 64, modle="resnet18")


def test_stages_that_timm_does_not_name() -> None:
    with torch.device("meta"), pytest.raises(UserError, match="freeze must be null or all for MetaFormer"):
        create_model("poolformer_s12", "gap", 5, 64, freeze=1)


def test_a_tag_that_timm_does_not_know() -> None:
    with torch.device("meta"), pytest.raises(UserError, match="Invalid pretrained tag"):
        create_model("resnet18.typo", "gap", 5, 64, output_stride=16)


@pytest.mark.parametrize("head", options("head"))
def test_every_head_learns_four_images(head: str) -> None:
    """Real steps on a toy backbone, projection included: the loss falls."""
    torch.manual_seed(0)
    small = {"hidden": 32} if head == "fc" else {}
    model = create_model("test_efficientnet", head, 4, 96, **{"dropout": 0.0, **small})
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    constrain(optimizer, model)
    images, labels = torch.randn(4, 3, 96, 96), torch.arange(4)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model.train()(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if losses[-1] < 0.1 * losses[0]:
            break
    assert losses[-1] < 0.5 * losses[0]
    if getattr(model.head.aggregation, "non_negative", None) == "projection":
        assert (model.head.get_parameter("aggregation.kernel") >= 0).all()


@pytest.mark.parametrize(("model", "stride", "extent"), [("resnet18", 8, 8), ("resnet18", 16, 4), ("mobilenetv2_100", 16, 4)])
def test_output_stride(model: str, stride: int, extent: int) -> None:
    with torch.device("meta"):
        assert create_model(model, "gap", 5, 64, output_stride=stride).backbone.feature_shape[1:] == (extent, extent)


@pytest.mark.parametrize("model", ["densenet121", "nasnetalarge", "vit_small_patch16_224"])
def test_an_output_stride_that_timm_does_not_offer(model: str) -> None:
    with torch.device("meta"), pytest.raises(UserError, match=f"output_stride must be null for {model}"):
        create_model(model, "gap", 5, 64, output_stride=16)


def test_a_setting_of_neither_backbone_nor_head() -> None:
    with pytest.raises(UserError, match="no setting of backbone or head is called 'weight'. Did you mean weights"):
        create_model("resnet18", "gap", 5, 64, weight="imagenet")


def batch_norms(module: torch.nn.Module) -> list[torch.nn.BatchNorm2d]:
    return [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]


def changed_by_training(model: Classifier) -> set[str]:
    """Names of the backbone's tensors, parameters and statistics, that training changes.

    In two steps: ResNet's residual branches start with a factor of zero, so most see no gradient in the first.
    """
    before = copy.deepcopy(model.backbone.state_dict())
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=100.0)
    for _ in range(2):
        model.train()(torch.randn(4, 3, 64, 64)).logsumexp(1).sum().backward()
        optimizer.step()
    return {key for key, value in model.backbone.state_dict().items() if not torch.equal(value, before[key])}


def test_a_frozen_backbone_keeps_every_number() -> None:
    model = create_model("resnet18", "wise", 5, 64, freeze="all")
    assert not any(norm.training for norm in batch_norms(model)), "from the start"
    assert changed_by_training(model) == set()
    assert not any(norm.training for norm in batch_norms(model))
    assert model.head.training


@pytest.mark.parametrize("stages", [1, 3])
def test_frozen_up_to_a_stage(stages: int) -> None:
    """ResNet's stages: the stem, then layer1 to layer4."""
    model = create_model("resnet18", "wise", 5, 64, freeze=stages)
    frozen = ("model.conv1", "model.bn1", *(f"model.layer{n}." for n in range(1, stages)))
    assert changed_by_training(model) == {key for key in model.backbone.state_dict() if not key.startswith(frozen)}


@pytest.mark.parametrize("stages", [0, 5])
def test_more_stages_than_there_are(stages: int) -> None:
    with pytest.raises(UserError, match=rf"from 1 to 4 of 5 stages, not {stages}.*2 layer1.0.conv1"):
        create_model("resnet18", "wise", 5, 64, freeze=stages)


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
    tokens = torch.arange(9.0)[None, :, None]
    assert torch.equal(fold_tokens(tokens)[0, 0], torch.arange(9.0).reshape(3, 3))


def test_tokens_of_images_that_are_no_squares() -> None:
    tokens = torch.arange(12.0)[None, :, None]
    assert torch.equal(fold_tokens(tokens, 48 / 64)[0, 0], torch.arange(12.0).reshape(3, 4))
    assert torch.equal(fold_tokens(tokens, 64 / 48)[0, 0], torch.arange(12.0).reshape(4, 3))
    with pytest.raises(ValueError, match="12 tokens do not fold into a square map"):
        fold_tokens(tokens)


def test_every_parameter_of_a_model_gets_a_gradient() -> None:
    for head in options("head"):
        model = create_model("test_efficientnet", head, 5, 64, **({"hidden": 32} if head == "fc" else {}))
        model(torch.randn(4, 3, 64, 64)).logsumexp(1).sum().backward()
        trained = [parameter for parameter in model.head.parameters() if parameter.requires_grad]
        assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in trained), head
        assert len(trained) == len(list(model.head.parameters())) - (head == "wise_frozen")


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
