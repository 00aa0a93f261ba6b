"""What stands in a place where something else belongs is refused in one sentence, before any cell starts; by the planner."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor, nn

from tests.support.configs import change
from wisesr.build.data import build_manifest
from wisesr.errors import UserError
from wisesr.grid.planning.planner import plan_cells
from wisesr.types import FeatureShape, Steps

Config = dict[str, Any]


def problem_of(config: Config, place: str, target: str, **settings: Any) -> str:
    config = change(config, place, {"name": "mine", "_target_": target} | settings if "." not in place else settings)
    if "." in place:
        config = change(config, place, {"_target_": target} | settings)
    ((_, (problem,)),) = plan_cells([config], 0, lambda *_: None)
    return problem


class NoMap(nn.Module):
    """Somebody's model that does not say what it leaves."""

    mean, std = (0.5,) * 3, (0.5,) * 3

    def __init__(self, image_size: int) -> None:
        super().__init__()


class FlatMap(NoMap):
    feature_shape = (8, 4)


class Linear(nn.Module):
    """Right in what it takes, and no `Head`."""

    def __init__(self, feature_shape: FeatureShape, num_classes: int) -> None:
        super().__init__()

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3))


def three(steps: Steps) -> float:
    return 3.0


def falling(steps: Steps, end: float) -> Any:
    return lambda step: end


@pytest.mark.parametrize(
    ("place", "target", "words"),
    [
        ("backbone", f"{__name__}.NoMap", ("has no feature_shape", "tests/build/test_contracts.py:")),
        ("backbone", f"{__name__}.FlatMap", ("feature_shape (8, 4)", "(channels, height, width)")),
        ("backbone", "torch.nn.Linear", ("cannot be called so", "out_features", "made from (image_size)")),
        ("backbone", "torch.optim.SGD", ("torch.optim.sgd.SGD is no Module",)),
        ("head", f"{__name__}.Linear", ("is no Head", "wisesr.models.heads.base.Head", "tests/build/test_contracts.py:")),
        ("head", "torch.nn.Linear", ("is no Head", "torch/nn/modules/linear.py:")),
        ("head", "builtins.dict", ("is no Head",)),
        ("augment", "torchvision.transforms.v2.Resize", ("is no Augmentation", "wisesr.data.augmentation.Augmentation")),
        ("recipe.optimizer", "torch.optim.lr_scheduler.StepLR", ("StepLR is no Optimizer", "torch.optim.Optimizer")),
        ("recipe.schedule", "torch.optim.SGD", ("is no Callable", "torch.optim.lr_scheduler")),
        ("recipe.schedule", f"{__name__}.three", ("gives a float", "tests/build/test_contracts.py:")),
        ("recipe.schedule", f"{__name__}.falling", ("cannot be called so", "end")),
        ("logger.mine", "torch.optim.SGD", ("is no RunLogger", "lightning.pytorch.loggers")),
        ("logger.mine", "lightning.pytorch.callbacks.Timer", ("is no RunLogger",)),
    ],
)
def test_another_thing_in_its_place(config: Config, place: str, target: str, words: tuple[str, ...]) -> None:
    problem = problem_of(config, place, target)
    assert problem.startswith(f"{place}._target_: ")
    assert "\n" not in problem
    for word in (*words, "docs/extending.md"):
        assert word in problem


def test_a_dataset_that_is_none() -> None:
    with pytest.raises(UserError, match=r"dataset._target_: builtins.list is no Manifest; .*wisesr.data.manifest.Manifest"):
        build_manifest({"dataset": {"_target_": "builtins.list"}, "protocol": "holdout"})


def test_optimizers_of_torch_by_name(config: Config) -> None:
    for name, settings in (("SGD", {"lr": 0.1, "momentum": 0.9}), ("RAdam", {}), ("Adam", {"lr": 0.1, "amsgrad": True})):
        changed = change(config, "recipe.optimizer", {"_target_": f"torch.optim.{name}"} | settings)
        ((cost, problems),) = plan_cells([changed], 0, lambda *_: None)
        assert (problems, cost is not None) == ([], True)
