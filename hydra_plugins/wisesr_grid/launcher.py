"""The launcher and sweeper of `-m`: compose every cell of the sweep and hand them to the grid together. No torch.

Hydra's own launcher would run the cells one by one in this process, and end with the first that fails. Its own sweeper
would compose each cell once more beforehand, and write a `multirun.yaml` before anything is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, ValueType
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from hydra_plugins.wisesr_grid.composer import Composer
from wisesr.config.command_line import as_hydra_reads
from wisesr.config.options import is_option
from wisesr.errors import UserError

ConfigStore.instance().store(
    group="hydra/launcher",
    name="wisesr_grid",
    node={"_target_": "hydra_plugins.wisesr_grid.launcher.GridLauncher"},
    provider="wisesr",
)


ConfigStore.instance().store(
    group="hydra/sweeper",
    name="wisesr_grid",
    node={"_target_": "hydra_plugins.wisesr_grid.launcher.GridSweeper", "params": {}},
    provider="wisesr",
)


_MANY = 50
"""Cells whose composing takes long enough to be worth a bar."""


class GridSweeper(Sweeper):
    """Every combination of the swept choices, in one go.

    Args:
        params: what is swept where the command line does not say otherwise, `hydra.sweeper.params`.
    """

    def __init__(self, params: dict[str, str] | None = None) -> None:
        self._params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher that the configuration names."""
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Expand the overrides and launch all cells together."""
        assert self.hydra_context is not None
        assert self.launcher is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        asked = parser.parse_overrides(arguments)
        refuse_several_experiments(asked)
        params = as_hydra_reads([f"{key}={value}" for key, value in replaced(self._params, asked).items()])
        returns = self.launcher.launch(combinations([*parser.parse_overrides(params), *asked]), initial_job_idx=0)
        if failed := sum(job.status != JobStatus.COMPLETED for job in returns):  # with a launcher of somebody else's
            sys.exit(f"{failed} of {len(returns)} cells are not done; `wisesr status` tells which, and why")
        return [returns]


def combinations(overrides: Sequence[Override]) -> list[list[str]]:
    """The overrides of each cell: every combination of what is swept, the last key varying fastest; of a key twice the later.

    Raises:
        UserError: a sweep that has no end, `interval(0,1)`.
    """
    choices: dict[str, list[str]] = {}
    for override in overrides:
        key = override.get_key_element()
        if not override.is_sweep_override():
            values = [override.get_value_element_as_str()]
        elif override.is_discrete_sweep():
            values = list(override.sweep_string_iterator())
        else:
            raise UserError(f"{override.input_line}: an interval has no values to list; give choices or range(FROM,TO,STEP)")
        if override.value_type == ValueType.GLOB_CHOICE_SWEEP:
            values = [value for value in values if is_option(value)]
        if not values:
            raise UserError(f"{override.input_line}: no value comes of it, and so no cell")
        choices[key] = [f"{key}={value}" for value in values]
    return [list(cell) for cell in product(*choices.values())]


def replaced(params: Mapping[str, str], asked: Sequence[Override]) -> dict[str, str]:
    """What an experiment sweeps, without the sizes where the command gives some, by whichever of their two names.

    The group and its one key are two keys to Hydra: the experiment's would come after the command's, and be taken.
    """
    sizes = {"resolution", "resolution.size"}
    given = any(override.key_or_group in sizes for override in asked)
    return {key: values for key, values in params.items() if not (given and key in sizes)}


def refuse_several_experiments(overrides: Sequence[Override]) -> None:
    """What an experiment sweeps is read before the sweep is made, so that of several none would be swept.

    Raises:
        UserError: several are chosen.
    """
    for override in overrides:
        if override.key_or_group == "experiment" and override.is_sweep_override():
            raise UserError(
                f"{override.input_line}: an experiment is a sweep of its own, so each needs a command of its own "
                "(make paper runs the paper's four in turn)"
            )


class GridLauncher(Launcher):
    """Runs a sweep's cells through `wisesr.grid`, on this machine."""

    cluster: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what composing needs; the task function is for launchers that run it."""
        self._context, self._config = hydra_context, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all cells; ends the process with exit code 1 if one failed."""
        from rich.progress import track  # here, because Hydra imports this module for every command

        from wisesr.config.files import to_dict
        from wisesr.grid.run_grid import run_grid

        setup_globals()
        composer = Composer(self._context.config_loader, self._config)
        shown = track(job_overrides, "composing", transient=True, disable=len(job_overrides) < _MANY)
        configs = [to_dict(composer.compose(list(overrides))) for overrides in shown]
        code = run_grid(configs, self.cluster)
        if code:
            sys.exit(code)
        return [JobReturn(overrides=list(overrides), status=JobStatus.COMPLETED) for overrides in job_overrides]


class ClusterLauncher(GridLauncher):
    """Runs a sweep's cells as jobs of a cluster, slurm or local, with settings of submitit's executor."""

    def __init__(self, kind: str, **settings: Any) -> None:
        from wisesr.grid.cluster import make_cluster

        self.cluster = make_cluster(kind, settings)
