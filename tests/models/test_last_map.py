"""Where the last map is in models of every make: what their own pooling gets."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from wisesr.models.last_map import NoMapError, cut_at, find_last_map
from wisesr.models.module_copies import meta_copy


class Excited(nn.Module):
    """A squeeze-and-excitation block: a pooling that is none of the model's."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Conv2d(8, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        gates: Tensor = self.gate(x.mean((2, 3), keepdim=True)).sigmoid()
        return x * gates


class Powers(nn.Module):
    """GeM as it is written everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(x.clamp(min=1e-6).pow(self.p), (x.size(-2), x.size(-1))).pow(1 / self.p)


class Reduced(nn.Module):
    """A pooling without a module."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "mean":
            return x.mean((2, 3))
        if self.how == "amax":
            return x.amax((-2, -1))
        if self.how == "view":
            return x.view(x.size(0), -1)
        return nn.functional.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)


def body() -> list[nn.Module]:
    """Leaves (16, 7, 7) of images of 32 px."""
    return [nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(inplace=True), Excited(), nn.Conv2d(8, 16, 3, 2), nn.ReLU()]


MODELS = {
    "pooled": [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(16, 3)],
    "by an average of the whole": [nn.AvgPool2d(7), nn.Flatten(), nn.Linear(16, 3)],
    "by a mean": [Reduced("mean"), nn.Linear(16, 3)],
    "by a maximum": [Reduced("amax"), nn.Linear(16, 3)],
    "by a function": [Reduced("function"), nn.Linear(16, 3)],
    "flattened": [nn.Dropout2d(), nn.Flatten(), nn.Linear(16 * 49, 9), nn.ReLU(), nn.Linear(9, 3)],
    "flattened by a view": [Reduced("view"), nn.Linear(16 * 49, 3)],
    "to a fixed extent, then flattened": [nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 3)],
    "a convolution after its pooling": [nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 9, 1), nn.ReLU(), nn.Flatten(), nn.Linear(9, 3)],
    "classes convolved, then pooled": [nn.Dropout(), nn.Conv2d(16, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()],
    "without a classifier": [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Identity()],
    "without a pooling": [],
}


@pytest.mark.parametrize("name", MODELS)
def test_the_map_is_what_the_body_leaves(name: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(*body(), *MODELS[name]).eval()
    node, shape = find_last_map(meta_copy(model), torch.empty(2, 3, 32, 32, device="meta"))
    assert shape == (16, 7, 7)
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(cut_at(model, node)(images)["map"], model[:6](images))


def test_gem_is_left_with_the_powers_that_it_averages() -> None:
    model = nn.Sequential(*body(), Powers(), nn.Flatten(), nn.Linear(16, 3)).eval()
    node, shape = find_last_map(meta_copy(model), torch.empty(2, 3, 32, 32, device="meta"))
    assert shape == (16, 7, 7)
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(cut_at(model, node)(images)["map"], model[:6](images).clamp(min=1e-6) ** 3)


@pytest.mark.parametrize("size", [32, 64])
def test_a_map_of_one_position_is_the_last_block_too(size: int) -> None:
    """At 32 px ResNet18's last block leaves 1x1, where shapes alone would not tell its pooling from its map."""
    model = torchvision.models.resnet18(weights=None).eval()
    found = find_last_map(meta_copy(model), torch.empty(2, 3, size, size, device="meta"))
    assert found == ("layer4.1.relu_1", (512, size // 32, size // 32))


class Tokens(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class Last(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean((1, 2))


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        ([Tokens(), nn.Linear(16, 3), Reduced("view")], "becomes tokens"),
        ([Last(), nn.Linear(7, 3)], r"becomes a tensor of \(7,\) an image"),
    ],
)
def test_what_is_no_map_for_a_head(tail: list[nn.Module], words: str) -> None:
    with pytest.raises(NoMapError, match=words):
        find_last_map(nn.Sequential(*body(), *tail).to("meta").eval(), torch.empty(2, 3, 32, 32, device="meta"))
