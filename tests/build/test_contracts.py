"""What stands in a place where something else belongs is refused in one sentence, before any cell starts; by the planner."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from torch import Tensor, nn

from tests.support.configs import change
from wisesr.build.data import build_manifest
from wisesr.errors import UserError
from wisesr.grid.planning.planner import plan_cells
from wisesr.models.heads.base import Head
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


class OwnHead(Head):
    """A head of somebody's own, with settings as they should not be among those as they should."""

    def __init__(  # type: ignore[no-untyped-def]
        self,
        feature_shape: FeatureShape,
        num_classes: int,
        by_position: int = 1,
        *,
        k: int = 1,
        kind: Literal["mean", "max"] | None = None,
        bare=1,
        table: dict[str, int] | None = None,
    ) -> None:
        super().__init__(feature_shape, num_classes, aggregation=nn.Flatten(), dropout=0.0, features=feature_shape[0] * 4)


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


def test_an_optimizer_of_another_library_keeps_torchs_signature(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`lr` by position, as torch.optim and what follows it have it."""
    source = "from torch.optim import SGD\n\n\nclass Mine(SGD):\n    def __init__(self, params, lr=0.1, nesterov=False):\n"
    (tmp_path / "others_optimizer.py").write_text(source + "        super().__init__(params, lr=lr)\n")
    monkeypatch.syspath_prepend(tmp_path)
    changed = change(config, "recipe.optimizer", {"_target_": "others_optimizer.Mine", "lr": 0.3})
    ((cost, problems),) = plan_cells([changed], 0, lambda *_: None)
    assert (problems, cost is not None) == ([], True)


def test_optimizers_of_torch_by_name(config: Config) -> None:
    for name, settings in (("SGD", {"lr": 0.1, "momentum": 0.9}), ("RAdam", {}), ("Adam", {"lr": 0.1, "amsgrad": True})):
        changed = change(config, "recipe.optimizer", {"_target_": f"torch.optim.{name}"} | settings)
        ((cost, problems),) = plan_cells([changed], 0, lambda *_: None)
        assert (problems, cost is not None) == ([], True)


@pytest.mark.parametrize(
    ("place", "target", "settings", "problem"),
    [
        (
            "recipe.schedule",
            "torch.optim.lr_scheduler.StepLR",
            {"step_siz": 1},
            "no key of recipe.schedule is called 'step_siz'. Did you mean step_size? "
            "There are: gamma, interval, last_epoch, step_size",
        ),
        (
            "recipe.schedule",
            "torch.optim.lr_scheduler.StepLR",
            {"step_size": 1, "optimizer": None},
            "recipe.schedule.optimizer is given by the framework and cannot be set: leave it out",
        ),
        (
            "recipe.optimizer",
            "torch.optim.SGD",
            {"params": []},
            "recipe.optimizer.params is given by the framework and cannot be set: leave it out",
        ),
        (
            "backbone",
            "torchvision.models.resnet18",
            {"frozen": "all"},
            "no key of backbone is called 'frozen'. Did you mean freeze? There are: freeze, weights",
        ),
        (
            "backbone",
            "torchvision.models.resnet18",
            {"model": "resnet34"},
            "backbone.model is given by the framework and cannot be set: leave it out",
        ),
        (
            "logger.mine",
            "lightning.pytorch.loggers.CSVLogger",
            {"nam": "a"},
            "no key of logger.mine is called 'nam'. Did you mean name? "
            "There are: flush_logs_every_n_steps, name, prefix, save_dir, version",
        ),
        (
            "head",
            f"{__name__}.OwnHead",
            {"num_classes": 3},
            "head.num_classes is given by the framework and cannot be set: leave it out",
        ),
    ],
)
def test_what_can_be_set(config: Config, place: str, target: str, settings: Config, problem: str) -> None:
    """Neither more nor less than the user may give: not what the framework gives."""
    assert problem_of(config, place, target, **settings) == problem


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k": "banana"}, ("head.k must be a whole number, not 'banana'",)),
        ({"kind": "median"}, ("head.kind must be one of mean, max or null, not 'median'",)),
        ({"by_position": 2}, ("setting by_position is taken by position", "test_contracts.py:", "docs/extending.md")),
        ({"bare": 2}, ("setting bare has no annotation", "test_contracts.py:", "docs/extending.md")),
        ({"table": None}, ("setting table is annotated with dict[str, int] | None", "test_contracts.py:", "docs/extending.md")),
    ],
)
def test_settings_of_ones_own(config: Config, settings: Config, words: tuple[str, ...]) -> None:
    """Held, once imported, to the rules that wisesr's sources are held to; annotations are texts in this module."""
    problem = problem_of(config, "head", f"{__name__}.OwnHead", **settings)
    assert "\n" not in problem
    assert all(word in problem for word in words), problem


def test_settings_as_they_should_be(config: Config) -> None:
    node = {"name": "mine", "_target_": f"{__name__}.OwnHead", "k": 3, "kind": "max"}
    ((cost, problems),) = plan_cells([change(config, "head", node)], 0, lambda *_: None)
    assert (problems, cost is not None) == ([], True)
