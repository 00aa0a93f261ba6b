"""The launcher of `-m`: composes the cells that a sweeper asks for and hands them to the grid together. No torch.

Hydra's own launcher would run the cells one by one in this process, and end with the first that fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.wisesr_grid.composer import Composer
from hydra_plugins.wisesr_grid.trial_jobs import TrialJobs
from wisesr.config.search_settings import is_search

ConfigStore.instance().store(
    group="hydra/launcher",
    name="wisesr_grid",
    node={"_target_": "hydra_plugins.wisesr_grid.launcher.GridLauncher"},
    provider="wisesr",
)

_MANY = 50
"""Cells whose composing takes long enough to be worth a bar."""


class GridLauncher(Launcher):
    """Runs a sweep's cells through `wisesr.grid`, on this machine."""

    cluster: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what composing needs; the task function is for launchers that run it.

        Raises:
            UserError: a sweeper of somebody else's that looks for the worst.
        """
        self._context, self._config = hydra_context, config
        self._jobs = TrialJobs(hydra_context, config, self.cluster) if is_search(config) else None

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all cells.

        Returns:
            A status for each. To a sweeper of somebody else's also its value, or why there is none.

        Raises:
            KeyboardInterrupt: a signal ended it.
        """
        from rich.progress import track  # here, because Hydra imports this module for every command

        from wisesr.config.files import to_dict
        from wisesr.grid.run_grid import INTERRUPTED, run_grid

        setup_globals()
        composer = Composer(self._context.config_loader, self._config)
        if self._jobs is not None:
            return self._jobs.launch(job_overrides, composer)
        shown = track(job_overrides, "composing", transient=True, disable=len(job_overrides) < _MANY)
        code = run_grid([to_dict(composer.compose(list(overrides))) for overrides in shown], self.cluster)
        if code == INTERRUPTED:
            raise SystemExit(code)
        status = JobStatus.FAILED if code else JobStatus.COMPLETED
        return [JobReturn(overrides=list(overrides), status=status) for overrides in job_overrides]


class ClusterLauncher(GridLauncher):
    """Runs a sweep's cells as jobs of a cluster, slurm or local, with settings of submitit's executor."""

    def __init__(self, kind: str, **settings: Any) -> None:
        self._kind, self._settings = kind, settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """As of any, and the cluster: what is wrong with its settings is told here, as Hydra wraps what an `__init__` raises.

        Raises:
            UserError: a wrong setting; submitit is not installed.
        """
        from wisesr.grid.cluster import make_cluster

        plain = {key: OmegaConf.to_container(it) if OmegaConf.is_config(it) else it for key, it in self._settings.items()}
        self.cluster = make_cluster(self._kind, plain)
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
