"""A sweeper of somebody else's drives the launcher as Hydra's Optuna plugin does: ask, launch, look at what came back.

Its cells are done before, so that nothing is trained here: records tell the sweeper what it is to climb.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.config_loader import ConfigLoader
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

import wisesr.grid.search
from hydra_plugins.wisesr_grid.launcher import GridLauncher
from tests.support.cells import make
from tests.support.configs import composed, hydra_loader
from tests.support.records import record_of
from wisesr.config.identity import cell_dir
from wisesr.errors import UserError
from wisesr.grid.run_grid import GridEnd
from wisesr.results.cell_files import RESULT
from wisesr.results.state import State
from wisesr.results.status_file import write_status

TOY = ("backbone=timm", "backbone.model=test_resnet", "resolution.size=32", "head=gap", "logger=none", "trainer=cpu")
LR = "recipe.optimizer.lr"

Launch = Callable[..., Sequence[JobReturn]]


class Climber:
    """Looks for the highest value on a line of points, two at a time; the only thing that it knows is what jobs return."""

    def __init__(self, launch: Launch, points: Sequence[float]) -> None:
        self._launch, self._points = launch, points
        self.values: dict[float, float] = {}
        self.errors: dict[float, str] = {}

    def climb(self, at: int) -> float:
        while True:
            beside = [self._points[index] for index in (at, at + 1, at - 1) if 0 <= index < len(self._points)]
            asked = [point for point in beside if point not in self.values and point not in self.errors][:2]
            if not asked:
                return max(self.values, key=self.values.__getitem__)
            for point, job in zip(asked, self._launch([[f"{LR}={point}"] for point in asked]), strict=True):
                try:
                    self.values[point] = job.return_value
                except UserError as error:
                    self.errors[point] = str(error)
            at = self._points.index(max(self.values, key=self.values.__getitem__))


@pytest.fixture
def loader() -> Iterator[ConfigLoader]:
    composed(*TOY)  # there is one composer at a time, and that of `composed` is kept
    with hydra_loader() as found:
        yield found


def config_of(loader: ConfigLoader, tmp_path: Path, *overrides: str, **sweeper: Any) -> DictConfig:
    own = [*TOY, f"output_dir={tmp_path}", *overrides]
    config = loader.load_configuration("config", own, run_mode=RunMode.MULTIRUN)
    config.hydra.sweeper = {"_target_": "hydra_plugins.elsewhere.Sweeper", "direction": "maximize", **sweeper}
    return config


def launching(loader: ConfigLoader, config: DictConfig) -> tuple[Launch, list[Any]]:
    """`launch` of a launcher, and who is told of the end."""
    launcher, heard = GridLauncher(), SimpleNamespace(callbacks=[])
    context: Any = SimpleNamespace(config_loader=loader, callbacks=heard)
    launcher.setup(hydra_context=context, task_function=lambda _: None, config=config)
    fixed = list(config.hydra.overrides.task)

    def launch(jobs: Sequence[Sequence[str]]) -> Sequence[JobReturn]:
        return launcher.launch([[*fixed, *job] for job in jobs], initial_job_idx=0)

    return launch, heard.callbacks


def finish(tmp_path: Path, top1: float, *overrides: str) -> Path:
    """A cell that is done, with this validation figure and another one on the test images."""
    config = composed(*TOY, f"output_dir={tmp_path}", *overrides)
    directory = make(config, cell_dir(config))
    record = record_of(config, top1=0.123)
    record["metrics"]["best"]["val/top1"] = top1
    (directory / RESULT).write_text(json.dumps(record))
    return directory


def fail(tmp_path: Path, reason: str, *overrides: str) -> None:
    config = composed(*TOY, f"output_dir={tmp_path}", *overrides)
    write_status(make(config, cell_dir(config)), state=State.FAILED, reason=reason)


def test_a_sweeper_climbs_to_the_best_cell(loader: ConfigLoader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    for point in points[:5]:
        finish(tmp_path, 0.9 - (point - 0.4) ** 2, f"{LR}={point}")
    fail(tmp_path, "the loss is not finite", f"{LR}=0.6")
    launch, ends = launching(loader, config_of(loader, tmp_path, n_trials=6))
    climber = Climber(launch, points)
    assert climber.climb(at=5 - 1) == 0.4
    assert climber.values == {point: 0.9 - (point - 0.4) ** 2 for point in (0.3, 0.4, 0.5)}
    assert "the loss is not finite" in climber.errors[0.6] and "grid.retry=failed" in climber.errors[0.6]
    for end in ends:
        end.on_multirun_end(config=None)
    told = capsys.readouterr()
    assert told.err == ""
    lines = [line for line in told.out.splitlines() if line.startswith("trial")]
    assert lines[0] == f"trial 1 of 6: {LR}=0.5: val top-1 89.00 %, done before"
    assert lines[1].startswith(f"trial 2 of 6: {LR}=0.6: failed: the loss is not finite")
    assert lines[2] == f"trial 3 of 6: {LR}=0.4: val top-1 90.00 %, done before, the best so far"
    assert lines[3] == f"trial 4 of 6: {LR}=0.3: val top-1 89.00 %, done before; the best so far is trial 3, 90.00 %"
    assert told.out.count("data: digits") <= 1 and "Next: " not in told.out and "combinations" not in told.out
    assert f"4 trials, 3 cells done, 1 failed. The best is trial 3, val top-1 90.00 %: {LR}=0.4" in told.out


def test_values_belong_to_their_jobs_whatever_else_is_in_a_batch(loader: ConfigLoader, tmp_path: Path) -> None:
    """One asked for twice, ones that cannot be: the others have their own values, in their order."""
    for point in (0.1, 0.2):
        finish(tmp_path, point, f"{LR}={point}")
    launch, _ = launching(loader, config_of(loader, tmp_path))
    asked = [f"{LR}=0.2", "recipe.epochs=0", f"{LR}=0.20", "head.dropuot=1", f"{LR}=0.1", "head.dropout=x"]
    jobs = launch([[text] for text in asked])
    done = [job.status == JobStatus.COMPLETED for job in jobs]
    assert done == [True, False, True, False, True, False]
    assert [job.return_value for job in jobs if job.status == JobStatus.COMPLETED] == [0.2, 0.2, 0.1]
    with pytest.raises(UserError, match="no key of head is called 'dropuot'. Did you mean dropout"):
        _ = jobs[3].return_value
    (again,) = launch([[f"{LR}=2e-1"]])
    assert again.return_value == 0.2


def test_a_batch_that_cannot_start_for_one_of_its_cells_runs_the_others(
    loader: ConfigLoader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only built models know, the plan of a grid says of all its cells at once, and starts none."""
    asked: list[list[float]] = []

    def plan(configs: Sequence[Any], *_: Any, **__: Any) -> GridEnd:
        asked.append([config["recipe"]["optimizer"]["lr"] for config in configs])
        if 0.3 in asked[-1]:
            raise UserError("Nothing was started: too large")
        return real(configs, *_, **__)

    real = wisesr.grid.search.run_cells
    monkeypatch.setattr(wisesr.grid.search, "run_cells", plan)
    finish(tmp_path, 0.7, f"{LR}=0.1")
    launch, _ = launching(loader, config_of(loader, tmp_path))
    good, bad = launch([[f"{LR}=0.1"], [f"{LR}=0.3"]])
    assert good.return_value == 0.7
    with pytest.raises(UserError, match="too large"):
        _ = bad.return_value
    assert asked == [[0.1, 0.3], [0.1], [0.3]]


def test_a_command_that_is_wrong_ends_after_three_trials(
    loader: ConfigLoader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    launch, _ = launching(loader, config_of(loader, tmp_path, n_trials=20))
    for _ in range(2):
        launch([["head.dropuot=0.1"]])
    with pytest.raises(UserError, match="None of 3 trials could be started: the reason stands above"):
        launch([["head.dropuot=0.2"]])
    told = capsys.readouterr().out
    assert told.count("no key of head is called 'dropuot'") == 1
    assert "trial 3 of 20: head.dropuot=0.2: failed, for the same reason as trial 1\n" in told


def test_all_trials_failed(loader: ConfigLoader, tmp_path: Path) -> None:
    fail(tmp_path, "out of memory", f"{LR}=0.1")
    launch, _ = launching(loader, config_of(loader, tmp_path, n_trials=1))
    with pytest.raises(UserError, match="None of the 1 trials has a result"):
        launch([[f"{LR}=0.1"]])


def test_a_plan_is_of_the_first_batch(loader: ConfigLoader, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish(tmp_path, 0.7, f"{LR}=0.1")
    launch, _ = launching(loader, config_of(loader, tmp_path, "grid.plan=true"))
    with pytest.raises(SystemExit) as end:
        launch([[f"{LR}=0.1"]])
    assert end.value.code == 0
    assert "which ones follow depends on their results" in capsys.readouterr().out


def test_ctrl_c_ends_the_search(loader: ConfigLoader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wisesr.grid.search, "run_cells", lambda *_, **__: GridEnd(130, []))
    launch, _ = launching(loader, config_of(loader, tmp_path))
    with pytest.raises(KeyboardInterrupt):
        launch([[f"{LR}=0.1"]])


@pytest.mark.parametrize(
    ("sweeper", "overrides", "words"),
    [
        ({"direction": "minimize"}, [], "hydra.sweeper.direction=maximize"),
        ({"direction": ["maximize", "minimize"]}, [], r"must be maximize, not \[maximize,minimize\]"),
        ({"direction": None, "optim": {"maximize": False}}, [], "hydra.sweeper.optim.maximize=true"),
        ({"direction": None, "ax_config": {"experiment": {"minimize": True}}}, [], "ax_config.experiment.minimize=false"),
        ({}, ["grid.zip=[head,seed]"], "grid.zip is for grids of all combinations"),
        ({}, ["grid.exclude=[{head:gap}]"], "grid.exclude is for grids of all combinations"),
    ],
)
def test_sweepers_that_would_look_for_the_worst(
    loader: ConfigLoader, tmp_path: Path, sweeper: dict[str, Any], overrides: list[str], words: str
) -> None:
    with pytest.raises(UserError, match=words):
        launching(loader, config_of(loader, tmp_path, *overrides, **sweeper))


def test_patterns_are_for_grids(loader: ConfigLoader, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="head=glob.*this sweeper takes names, not patterns: head=ONE,OTHER"):
        launching(loader, config_of(loader, tmp_path, "head=glob(*)"))


def test_what_a_user_must_know_of_the_choice_is_said_once(
    loader: ConfigLoader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2, 3):
        finish(tmp_path, 0.5, f"seed={seed}", "protocol=paper")
    config = config_of(loader, tmp_path, "protocol=paper", "grid.slots=2", n_jobs=1)
    launch, _ = launching(loader, config)
    for seed in (1, 2, 3):
        launch([[f"seed={seed}"]])
    told = capsys.readouterr().out
    assert told.count("chooses by accuracy on the test images (protocol=paper)") == 1
    assert told.count("the luckiest seed") == 1
    assert told.count("hydra.sweeper.n_jobs=2") == 1
    assert told.count("would choose other trials, and not continue this one; with hydra.sweeper.sampler.seed=0 it does") == 1
    assert "trial 3: seed=3: test top-1 50.00 %, done before; the best so far is trial 1" in told
    assert OmegaConf.select(config, "hydra.sweep.dir") == str(tmp_path / "default"), "where the sweeper leaves its own results"
