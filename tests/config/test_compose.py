"""A command line as a configuration, and a configuration as a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from tests.support.configs import composed
from wisesr.config.check import check
from wisesr.config.command_line import quote_choices
from wisesr.config.compose import compose_checked
from wisesr.config.files import to_yaml
from wisesr.errors import UserError
from wisesr.types import seconds_of


def test_numbers_are_choices_too() -> None:
    assert quote_choices(["resolution=112", "-m", "seed=1,2"]) == ["resolution='112'", "-m", "seed=1,2"]
    assert quote_choices(["resolution=64,224", "resolution=auto,512"]) == ["resolution='64','224'", "resolution=auto,'512'"]
    assert quote_choices(["head=wise,gap", "resolution='64'", "seed=1"]) == ["head=wise,gap", "resolution='64'", "seed=1"]
    assert composed("resolution=112")["resolution"]["size"] == 112


def test_times_are_text_on_the_command_line_too() -> None:
    assert composed("trainer.max_time=00:01:30:00")["trainer"]["max_time"] == "00:01:30:00"
    assert seconds_of("01:01:01:01") == 86400 + 3600 + 60 + 1
    assert [seconds_of(text) for text in ("90", "01:30:00", "a:b:c:d", "00:00:00:00")] == [None] * 4


def test_weights_that_are_a_file_have_their_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert composed("backbone.weights=some/w.pth")["backbone"]["weights"] == str(tmp_path / "some/w.pth")
    assert composed("backbone.weights=package")["backbone"]["weights"] == "package"


def test_loggers_add_up() -> None:
    config = composed("logger=[wandb,csv,tensorboard]")
    assert list(config["logger"]) == ["wandb", "csv", "tensorboard"]
    assert composed("logger=none")["logger"] == {}


def test_the_configuration_survives_its_file() -> None:
    whole = composed("recipe.optimizer.lr=1e-5", "study=x")
    assert yaml.safe_load(to_yaml(whole)) == whole
    assert OmegaConf.create(to_yaml(whole)) == OmegaConf.create(whole)


def test_a_folder_that_is_not_there_is_for_its_dataset_to_tell() -> None:
    overrides = ["dataset=intel", "dataset.root=/nowhere/intel"]
    assert compose_checked(overrides) == composed(*overrides)
    (problem,) = check(composed(*overrides))
    assert "/nowhere/intel" in problem
    with pytest.raises(UserError, match="head.dropout"):
        compose_checked([*overrides, "head.dropout=half"])


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["seed=0,1"], "seed=0,1: there must be one value"),
        (["head=wize"], "Did you mean wise"),
        (["recipe.head_init=torch"], "recipe.head_init is a setting of the head now: head.init=torch"),
        (["grid.slots=0"], "grid.slots must be"),
        (["backbone=timm"], "backbone.model must be given"),
        (["dataset=some/images"], "dataset.root=some/images"),
    ],
)
def test_what_cannot_be_composed_is_said(overrides: list[str], said: str) -> None:
    with pytest.raises(UserError) as error:
        composed(*overrides)
    assert said in str(error.value)
