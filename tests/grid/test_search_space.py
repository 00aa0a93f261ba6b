"""What is searched over, looked at before the first trial: each refusal names the key, as its user wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.config_loader import ConfigLoader
from hydra.types import RunMode
from omegaconf import DictConfig

from hydra_plugins.wisesr_grid.composer import Composer
from hydra_plugins.wisesr_grid.trial_jobs import TrialJobs
from tests.support.configs import composed, hydra_loader
from wisesr.errors import UserError

TOY = ("backbone=timm", "backbone.model=test_resnet", "resolution.size=32", "logger=none", "trainer=cpu")
OPTUNA = "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper.OptunaSweeper"


@pytest.fixture
def loader() -> Iterator[ConfigLoader]:
    composed(*TOY)
    with hydra_loader() as found:
        yield found


def jobs_of(loader: ConfigLoader, tmp_path: Path, *typed: str, **sweeper: Any) -> tuple[TrialJobs, DictConfig]:
    """What drives the trials of a command that gives these overrides to Optuna's sweeper."""
    fixed = [*TOY, f"output_dir={tmp_path}"]
    config = loader.load_configuration("config", fixed, run_mode=RunMode.MULTIRUN)
    config.hydra.overrides.task = [*fixed, *typed]
    config.hydra.sweeper = {"_target_": OPTUNA, "direction": "maximize", "n_trials": 9, **sweeper}
    context: Any = SimpleNamespace(config_loader=loader, callbacks=SimpleNamespace(callbacks=[]))
    return TrialJobs(context, config, None), config


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["head.dropout=interval(1,0)"], r"head.dropout=interval\(1,0\): .* 'head.dropout=interval\(0,1\)'"),
        (["recipe.batch_size=range(64,16)"], r"recipe.batch_size=range\(64,16\): .* 'recipe.batch_size=range\(16,64\)'"),
        (["recipe.optimizer.lr=tag(log,interval(0,1))"], "recipe.optimizer.lr=.* begins above 0, and not at 0"),
        (["head=gap,wisse"], "no head is called 'wisse'. Did you mean wise"),
        ([], "nothing is searched over: .*head.dropout="),
        (["head=gap", "seed=1"], "nothing is searched over"),
    ],
)
def test_what_no_trial_could_be_made_of(loader: ConfigLoader, tmp_path: Path, typed: list[str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        jobs_of(loader, tmp_path, *typed)


def test_a_search_that_is_right_is_taken(loader: ConfigLoader, tmp_path: Path) -> None:
    jobs_of(loader, tmp_path, "head=gap,wise", "head.non_negative=none,softplus", "head.dropout=interval(0,1)")
    jobs_of(loader, tmp_path, "recipe.batch_size=range(16,64,16)", "resolution=112,224", "seed=1,2")
    jobs_of(loader, tmp_path, params={"head.dropout": "interval(0,1)"})
    jobs_of(loader, tmp_path, search_space={"head.dropout": {"type": "float", "low": 0, "high": 1}})
    jobs_of(loader, tmp_path, custom_search_space="mine.space")


def test_what_an_experiment_searches_is_looked_at_too(loader: ConfigLoader, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"head.dropout=interval\(1,0\)"):
        jobs_of(loader, tmp_path, params={"head.dropout": "interval(1,0)"})
    jobs_of(loader, tmp_path, "head.dropout=interval(0,1)", params={"head.dropout": "interval(1,0)"})


def test_a_key_that_no_trial_has_ends_the_search_before_the_first(
    loader: ConfigLoader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs, config = jobs_of(loader, tmp_path, "head.dropou=interval(0,1)")
    with pytest.raises(UserError, match="no key of head is called 'dropou'. Did you mean dropout"):
        jobs.launch([[*TOY, f"output_dir={tmp_path}", "head.dropou=0.5"]], Composer(loader, config))
    assert capsys.readouterr().out == ""
