"""Heads on models that somebody has already: their very weights up to the map that their own pooling gets."""

from __future__ import annotations

import copy
import sys
from typing import Any, cast

import numpy as np
import pytest
import timm
import torch
import torchvision
from timm.models.resnet import BasicBlock, ResNet
from timm.optim import create_optimizer_v2
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from wisesr import constrain, create_model, replace_head
from wisesr.errors import UserError
from wisesr.models.replace_backbone import ModelWithHead, prepares_images

slow = pytest.mark.slow


def timms(name: str, **settings: Any) -> nn.Module:
    torch.manual_seed(0)
    model: nn.Module = timm.create_model(name, **settings)
    return model


def torchvisions(name: str) -> nn.Module:
    torch.manual_seed(0)
    settings = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model: nn.Module = torchvision.models.get_model(name, weights=None, **settings)
    return model


TIMM = [
    ("resnet18", 64, {}, (512, 2, 2)),
    ("test_vit", 160, {}, (64, 10, 10)),
    ("convnext_atto", 64, {}, (320, 2, 2)),
    ("mobilenetv3_small_050", 64, {}, (288, 2, 2)),
    pytest.param("densenet121", 64, {}, (1024, 2, 2), marks=slow),
    pytest.param("vit_small_patch16_224", 64, {"img_size": 64}, (384, 4, 4), marks=slow),
    pytest.param("vit_small_patch14_reg4_dinov2", 56, {"img_size": 56}, (384, 4, 4), marks=slow),
    pytest.param("vit_small_patch16_224", (64, 96), {"img_size": (64, 96)}, (384, 4, 6), marks=slow),
    pytest.param("swin_tiny_patch4_window7_224", 64, {"img_size": 64}, (768, 2, 2), marks=slow),
    pytest.param("efficientnet_lite0", 64, {}, (1280, 2, 2), marks=slow),
    pytest.param("inception_v3", 96, {}, (2048, 1, 1), marks=slow),
]
TORCHVISION = [
    ("resnet18", "avgpool", 64, (512, 2, 2)),
    ("mobilenet_v3_small", "avgpool", 64, (576, 2, 2)),
    ("squeezenet1_1", "classifier.0", 64, (512, 3, 3)),
    pytest.param("densenet121", "", 64, (1024, 2, 2), marks=slow),
    pytest.param("googlenet", "avgpool", (64, 96), (1024, 2, 3), marks=slow),
    pytest.param("inception_v3", "avgpool", 96, (2048, 1, 1), marks=slow),
    pytest.param("swin_t", "avgpool", 64, (768, 2, 2), marks=slow),
    pytest.param("convnext_tiny", "avgpool", 64, (768, 2, 2), marks=slow),
    pytest.param("maxvit_t", "classifier.0", 224, (512, 7, 7), marks=slow),
]


def images_of(size: int | tuple[int, int], batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, *((size, size) if isinstance(size, int) else size))


def check_parts(model: nn.Module, new: ModelWithHead, images: Tensor, shape: tuple[int, ...]) -> None:
    """The same tensors, the right shapes, evidence, and a gradient for all that is left, in training mode too."""
    assert tuple(new.backbone.feature_shape) == shape
    own = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}
    assert {id(parameter) for parameter in new.backbone.parameters()} <= own
    new.eval()
    maps = new.backbone(images)
    assert tuple(maps.shape[1:]) == shape
    assert torch.allclose(new.head.evidence(maps).sum((2, 3)) + new.head.offset(), new(images), atol=1e-4)
    new.train()(images.repeat(2, 1, 1, 1)).logsumexp(1).sum().backward()
    assert [name for name, parameter in new.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize(("name", "size", "settings", "shape"), TIMM)
def test_a_model_of_timms(name: str, size: int | tuple[int, int], settings: dict[str, Any], shape: tuple[int, ...]) -> None:
    model = timms(name, **settings).eval()
    images = images_of(size)
    before = copy.deepcopy(model.state_dict())
    logits = model(images)
    new = replace_head(model, "wise", num_classes=5, image_size=size)
    with torch.no_grad():
        features = model.forward_features(images)  # type: ignore[operator]
        if features.ndim == 3:  # tokens: the patches are the last ones, row by row
            patches = features[:, features.shape[1] - shape[1] * shape[2] :]
            features = torch.stack([patches[:, row * shape[2] : (row + 1) * shape[2]] for row in range(shape[1])], 1)
        if features.shape[1] != shape[0] or features.shape[-1] == shape[0]:
            features = features.permute(0, 3, 1, 2)
        assert torch.equal(new.backbone(images), features)
    assert torch.equal(model(images), logits)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    check_parts(model, new, images, shape)


@pytest.mark.parametrize(("name", "part", "size", "shape"), TORCHVISION)
def test_a_model_of_torchvisions(name: str, part: str, size: int | tuple[int, int], shape: tuple[int, ...]) -> None:
    model = torchvisions(name).eval()
    images = images_of(size)
    seen: list[Tensor] = []
    if part:
        model.get_submodule(part).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].clone()))
    logits = model(images)
    new = replace_head(model, "wise", num_classes=5, image_size=size)
    expected = seen[0] if part else model.features(images).relu()  # type: ignore[operator]  # DenseNet's, in-place in its forward
    assert torch.equal(new.backbone(images), expected)
    assert torch.equal(model(images), logits), "the model given still works"
    check_parts(model, new, images, shape)


@pytest.mark.parametrize(
    ("make", "name", "classifier"),
    [
        (timms, "resnet18", "fc"),
        (torchvisions, "resnet18", "fc"),
        pytest.param(timms, "densenet121", "classifier", marks=slow),
        pytest.param(torchvisions, "densenet121", "classifier", marks=slow),
        pytest.param(timms, "efficientnet_lite0", "classifier", marks=slow),
        pytest.param(torchvisions, "googlenet", "fc", marks=slow),
    ],
)
def test_gap_with_its_own_classifier_is_the_model(make: Any, name: str, classifier: str) -> None:
    """Their head is global average pooling and a linear layer: ours with the same numbers gives the same logits."""
    model = make(name).double().eval()
    new = replace_head(model, "gap", num_classes=1000, image_size=96)
    new.head.classifier.load_state_dict(model.get_submodule(classifier).state_dict())
    images = torch.randn(2, 3, 96, 96, dtype=torch.float64)
    torch.testing.assert_close(new(images), model(images), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("make", [timms, torchvisions])
@pytest.mark.parametrize("training", [True, False])
def test_modes_are_kept(make: Any, training: bool) -> None:
    model = make("resnet18").train(training)
    model.layer1.train(not training)
    new = replace_head(model, "wise", num_classes=5, image_size=64)
    assert new.training is new.head.training is new.backbone.training is training
    modes = {name: part.training for name, part in model.named_modules()}
    mine = {name: part.training for name, part in new.backbone.model.named_modules() if name}
    assert mine.items() <= modes.items()
    twin = copy.deepcopy(new)
    assert [part.training for part in twin.modules()] == [part.training for part in new.modules()]
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(twin.eval()(images), new.eval()(images))
    assert twin.head.classifier.weight is not new.head.classifier.weight
    assert not {id(parameter) for parameter in twin.parameters()} & {id(parameter) for parameter in new.parameters()}


@pytest.mark.parametrize("make", [timms, torchvisions])
@pytest.mark.parametrize(("device", "dtype"), [("cpu", torch.bfloat16), ("cpu", torch.float64), ("meta", torch.float16)])
def test_device_and_dtype_are_kept(make: Any, device: str, dtype: torch.dtype) -> None:
    model = make("resnet18").to(device, dtype).requires_grad_(False)
    new = replace_head(model, "wise", num_classes=5, image_size=(64, 96))
    assert {parameter.dtype for parameter in new.parameters()} == {dtype}
    assert {parameter.device.type for parameter in new.parameters()} == {device}
    assert new(torch.zeros(2, 3, 64, 96, dtype=dtype, device=device)).shape == (2, 5)
    assert not any(parameter.requires_grad for parameter in new.backbone.parameters()), "frozen stays frozen"
    assert all(parameter.requires_grad for parameter in new.head.parameters())


@pytest.mark.parametrize("make", [timms, torchvisions])
def test_an_optimizer_goes_on(make: Any) -> None:
    model = make("resnet18").train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    images = torch.randn(4, 3, 64, 64)
    model(images).logsumexp(1).sum().backward()
    optimizer.step()
    new = replace_head(model, "wise", num_classes=5, image_size=64)
    with pytest.raises(UserError, match=r"no parameter of the module's DepthwiseAggregation.*add_param_group"):
        constrain(optimizer, new)
    optimizer.add_param_group({"params": new.head.parameters()})
    constrain(optimizer, new)
    weight = model.get_parameter("conv1.weight")
    velocity, before = optimizer.state[weight]["momentum_buffer"].clone(), weight.detach().clone()
    optimizer.zero_grad()
    new(images).logsumexp(1).sum().backward()
    gradient = weight.grad
    assert gradient is not None
    expected = before - 0.01 * (0.9 * velocity + gradient)
    optimizer.step()
    torch.testing.assert_close(new.backbone.model.get_parameter("conv1.weight"), expected)
    assert (new.head.get_parameter("aggregation.kernel") >= 0).all()


@pytest.mark.parametrize("name", ["resnet18", "test_vit", "test_convnext"])
def test_its_weights_are_those_of_create_model(name: str) -> None:
    """One layout of state dicts: a checkpoint of the one is one of the other."""
    model = timms(name, num_classes=7).eval()
    new = replace_head(model, "wise", num_classes=5, image_size=160)
    made = create_model(name, "wise", 5, 160).eval()
    made.load_state_dict(new.state_dict())
    images = torch.randn(2, 3, 160, 160)
    assert torch.equal(made(images), new(images))


@pytest.mark.parametrize("make", [timms, torchvisions])
def test_saved_and_loaded(make: Any, tmp_path: Any) -> None:
    new = replace_head(make("resnet18"), "wise", num_classes=5, image_size=64).eval()
    torch.save(new.state_dict(), tmp_path / "w.pth")
    again = replace_head(make("resnet18").train(), "wise", num_classes=5, image_size=64).eval()
    torch.nn.init.normal_(again.backbone.model.get_parameter("conv1.weight"))
    images = torch.randn(2, 3, 64, 64)
    assert not torch.equal(again(images), new(images))
    again.load_state_dict(torch.load(tmp_path / "w.pth", weights_only=True))
    assert torch.equal(again(images), new(images))


@slow
@pytest.mark.parametrize("make", [timms, torchvisions])
def test_compiled(make: Any) -> None:
    new = replace_head(make("resnet18"), "wise", num_classes=5, image_size=64).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(torch.compile(new, backend="aot_eager")(images), new(images))
        new.train()
    compiled = torch.compile(new, backend="aot_eager")
    compiled(images).logsumexp(1).sum().backward()
    assert all(parameter.grad is not None for parameter in new.parameters())


def test_settings_and_the_seed_reach_the_head() -> None:
    model = timms("test_resnet")
    torch.manual_seed(3)
    new = replace_head(model, "wise_dropout", num_classes=5, image_size=160, pre_pool=1, dropout=0.25)
    torch.manual_seed(3)
    again = replace_head(model, "wise_dropout", num_classes=5, image_size=160, pre_pool=1, dropout=0.25)
    assert new.head.dropout.p == 0.25
    assert new.head.get_parameter("aggregation.kernel").shape == tuple(new.backbone.feature_shape)
    assert torch.equal(new.head.classifier.weight, again.head.classifier.weight)


@pytest.mark.parametrize(("backbone", "settings"), [("resnet18", {}), ("torchvision", {"model": "resnet18"})])
def test_a_model_that_has_a_head_of_ours_already(backbone: str, settings: dict[str, Any]) -> None:
    """With another size and head; frozen parts stay in eval mode when the new model is trained."""
    model = create_model(backbone, "wise", 5, 64, freeze="all", **settings).train()
    new = replace_head(model, "gap", num_classes=7, image_size=(96, 128))
    assert new.backbone.feature_shape == (512, 3, 4)
    assert model.backbone.feature_shape == (512, 2, 2)
    assert new.backbone.state_dict().keys() == model.backbone.state_dict().keys()
    images = torch.randn(2, 3, 96, 128)
    torch.testing.assert_close(new.train()(images), new.head(model.backbone(images)))
    assert not any(part.training for part in copy.deepcopy(new).backbone.model.modules())
    again = replace_head(
        replace_head(timms("test_resnet"), "wise", num_classes=5, image_size=64), "gap", num_classes=5, image_size=96
    )
    assert again(torch.zeros(2, 3, 96, 96)).shape == (2, 5)


@pytest.mark.parametrize("make", [timms, torchvisions])
def test_a_head_that_permutes_each_image(make: Any) -> None:
    """It gets the images that the model gets: a picture's logits do not depend on its batch, and do on its pixels."""
    new = replace_head(
        make("resnet18"), "wise_shuffled_images", num_classes=5, image_size=128, pre_pool=1, init="average"
    ).eval()
    images = torch.randn(3, 3, 128, 128)
    logits = new(images)
    maps = new.backbone(images)
    torch.testing.assert_close(new.head.of_images(maps, images), logits)
    torch.testing.assert_close(new(images[1:2]), logits[1:2], rtol=1e-3, atol=1e-5)
    assert not torch.allclose(new.head.of_images(maps, images.flip(0)), logits, atol=1e-5)
    new.train()(images).logsumexp(1).sum().backward()
    assert new.head.get_parameter("aggregation.kernel").grad is not None
    assert new.bfloat16()(images.bfloat16()).shape == (3, 5)


def test_what_the_model_keeps_from_weight_decay_stays_so() -> None:
    new = replace_head(timms("test_vit"), "wise", num_classes=5, image_size=160)
    decays = {
        id(parameter): group["weight_decay"]
        for group in create_optimizer_v2(new, "adamw", lr=0.1, weight_decay=0.05).param_groups
        for parameter in group["params"]
    }
    assert decays[id(new.backbone.model.get_parameter("pos_embed"))] == 0
    assert decays[id(new.head.get_parameter("aggregation.kernel"))] == 0.05


@pytest.mark.parametrize("channels", [1, 6])
def test_images_of_other_channels(channels: int) -> None:
    new = replace_head(timms("test_resnet", in_chans=channels), "gap", num_classes=5, image_size=64)
    assert new(torch.zeros(2, channels, 64, 64)).shape == (2, 5)


class Branching(nn.Module):
    """What torch.fx cannot trace."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[0] > 100:
            images = images * 2
        answer: Tensor = self.fc(self.convolution(images).mean((2, 3)))
        return answer


class Speechless(nn.Module):
    """Asserts without a word, as timm's halo attention does."""

    def forward(self, images: Tensor) -> Tensor:
        raise AssertionError


def with_pre_hook() -> nn.Module:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    model.register_forward_pre_hook(lambda module, inputs: (inputs[0] / 255,))
    return model


class Normalising(ResNet):
    """A model of timm's whose own forward prepares images."""

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = super().forward(x / 255 - 0.5)
        return logits


def test_forward_of_a_subclass_is_kept() -> None:
    torch.manual_seed(0)
    model = Normalising(BasicBlock, (1, 1, 1, 1), num_classes=5).eval()
    new = replace_head(model, "gap", num_classes=5, image_size=64)
    new.head.classifier.load_state_dict(model.fc.state_dict())
    images = torch.rand(2, 3, 64, 64) * 255
    torch.testing.assert_close(new(images), model(images))


def test_no_model_of_timm_is_taken_for_a_subclass_with_a_forward_of_its_own() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("timm.models.")]
    classes = {
        one for module in modules for one in vars(module).values() if isinstance(one, type) and issubclass(one, nn.Module)
    }
    made = [one for one in classes if hasattr(one, "forward_features")]
    assert len(made) > 50
    assert [one.__name__ for one in made if prepares_images(one)] == []


@pytest.mark.parametrize("model", ["resnet18", None, nn.Sequential])
def test_what_is_no_module_is_refused(model: Any) -> None:
    with pytest.raises(UserError, match="model must be a torch.nn.Module, not "):
        replace_head(model, "wise", num_classes=5, image_size=64)


@pytest.mark.parametrize(
    ("head", "settings", "words"),
    [(None, {}, "head must be a name of conf/head"), ("wise", {"_target_": "x"}, "no setting of head is called '_target_'")],
)
def test_heads_that_are_none(head: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        replace_head(nn.Conv2d(3, 4, 3), head, num_classes=5, image_size=64, **settings)


def test_numbers_of_numpy() -> None:
    labels, size = np.array([0, 4, 2]), cast(int, np.int64(64))
    new = replace_head(timms("test_resnet"), "wise", num_classes=labels.max() + 1, image_size=size)
    assert new(torch.zeros(2, 3, 64, 64)).shape == (2, 5)


@pytest.mark.parametrize(
    ("make", "head", "settings", "words"),
    [
        (lambda: timms("test_resnet"), "wize", {}, "no head is called 'wize'. Did you mean wise"),
        (lambda: timms("test_resnet"), "wise", {"prepool": 2}, "no setting of head is called 'prepool'. Did you mean pre_pool"),
        (lambda: timms("test_resnet"), "wise", {"pre_pool": 99}, "head.pre_pool must be from 1 to"),
        (lambda: timms("test_resnet"), "wise", {"num_classes": 1}, "num_classes must be a whole number of at least 2, not 1"),
        (lambda: timms("test_resnet"), "wise", {"image_size": 0}, "image_size must be a whole number of pixels above 0"),
        (lambda: timms("test_resnet"), "wise", {"image_size": (8, 8, 8)}, r"or height and width, not \(8, 8, 8\)"),
        (
            lambda: timms("test_vit", dynamic_img_size=False),
            "wise",
            {},
            r"Vision.* refuses images of 64x64 px.*\(160\).*img_size",
        ),
        (
            lambda: timms("pit_ti_224"),
            "gap",
            {"image_size": 224},
            "PoolingVision.* gives no map: it answers with a class token",
        ),
        (lambda: timms("resnet18", features_only=True), "wise", {}, "no feature map was found in FeatureListNet.*a list"),
        (lambda: torchvisions("alexnet"), "wise", {"image_size": 16}, "AlexNet refuses images of 16x16 px"),
        (
            lambda: torchvisions("vit_b_16"),
            "wise",
            {"image_size": 224},
            "no feature map was found in Vision.*becomes tokens",
        ),
        (Branching, "wise", {}, "no feature map was found in Branching: it has no forward_features.*torch.fx cannot trace"),
        (lambda: nn.Sequential(nn.Flatten(), nn.LazyLinear(3)), "wise", {}, "lazy layers that have not seen an image"),
        (
            lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 3)),
            "wise",
            {},
            "nothing between its images and its logits",
        ),
        (lambda: nn.DataParallel(nn.Conv2d(3, 4, 3)), "wise", {}, "takes the model inside of DataParallel"),
        (lambda: AveragedModel(nn.Conv2d(3, 4, 3)), "wise", {}, "takes the model inside of AveragedModel: average what"),
        (with_pre_hook, "wise", {}, "Sequential has a forward pre-hook of its own.*register it on what comes back"),
        (lambda: timms("inception_v3"), "gap", {}, "Kernel size can't be greater than actual input size[.] timm builds"),
        (lambda: nn.Sequential(Speechless()), "gap", {}, "it raises AssertionError [(]tried on the meta device.*create_head"),
    ],
)
def test_refusals(make: Any, head: str, settings: dict[str, Any], words: str) -> None:
    model = make()
    before = {name: part.training for name, part in model.named_modules()}
    with pytest.raises(UserError, match=words):
        replace_head(model, head, **{"num_classes": 5, "image_size": 64} | settings)
    assert before == {name: part.training for name, part in model.named_modules()}
