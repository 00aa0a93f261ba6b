"""Jobs of a sweeper of somebody else's, Optuna's, as it wants them: a value for each that is done, an exception for the others.

Such a sweeper launches a few jobs, looks at what they return and chooses the next ones. No torch.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hydra_plugins.wisesr_grid.composer import Composer
from hydra_plugins.wisesr_grid.search_space import absent_keys, refuse_search_space
from wisesr.config.search_settings import search_settings
from wisesr.config.swept_interpolations import unmarked
from wisesr.errors import UserError


class TrialJobs:
    """Launches the jobs of one search, batch after batch.

    Args:
        context: of Hydra, which tells when the search is over.
        config: of the sweep as a whole.
        cluster: whose jobs the cells are to be.

    Raises:
        UserError: settings of the sweeper that look for the worst, or settings of the grid that it would pass over.
    """

    def __init__(self, context: HydraContext, config: DictConfig, cluster: Any) -> None:
        settings = search_settings(config)
        parsed = OverridesParser.create(config_loader=context.config_loader).parse_overrides(list(config.hydra.overrides.task))
        params = OmegaConf.select(config, "hydra.sweeper.params")
        lines = [f"{key}={unmarked(str(value))}" for key, value in (params or {}).items()]
        searched = [*OverridesParser.create(config_loader=context.config_loader).parse_overrides(lines), *parsed]
        refuse_search_space(searched, config, context.config_loader)
        self._absent = absent_keys(searched, config)
        self._fixed = {override.get_key_element() for override in parsed if not override.is_sweep_override()}
        self._cluster, self._settings = cluster, settings
        self._search: Any = None
        self._prepare(context, config)

    def launch(self, job_overrides: Sequence[Sequence[str]], composer: Composer) -> list[JobReturn]:
        """Run a batch.

        Raises:
            KeyboardInterrupt: a signal ended it.
            SystemExit: with grid.plan=true.
            UserError: nothing can be run, whatever is chosen.
        """
        from wisesr.grid.search import Search

        if self._search is None:
            self._search = Search(self._cluster, *self._settings)
        job_overrides = [[unmarked(text) for text in overrides] for overrides in job_overrides]
        choices = [(self._chosen(overrides), _composed(composer, overrides)) for overrides in job_overrides]
        if self._absent and choices and isinstance(choices[0][1], UserError):
            raise choices[0][1]  # a key that no trial has, whatever is chosen
        trials = self._search.run(choices)
        return [_job(overrides, trial.value, trial.reason) for overrides, trial in zip(job_overrides, trials, strict=True)]

    def end(self) -> None:
        """Tell the best."""
        if self._search is not None:
            self._search.end()

    def _prepare(self, context: HydraContext, config: DictConfig) -> None:
        """Hear of the end; what the sweeper writes goes to the study; what it logs stands in the lines of the trials."""
        context.callbacks.callbacks.append(_AtEnd(self))
        config.hydra.sweep.dir = str(Path(str(config.output_dir)).expanduser() / str(config.study))
        logging.getLogger("hydra_plugins").addHandler(logging.NullHandler())  # without one, warnings go to standard error
        logging.getLogger("optuna").setLevel(logging.WARNING)

    def _chosen(self, overrides: Sequence[str]) -> str:
        """What the sweeper chose of a job's overrides, without those that the command gives to all."""
        return " ".join(text for text in overrides if text.partition("=")[0] not in self._fixed)


class _AtEnd(Callback):
    """Hydra's word that the sweeper is done."""

    def __init__(self, jobs: TrialJobs) -> None:
        self._jobs = jobs

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """The last of it."""
        self._jobs.end()


class _FailedJob(JobReturn):
    """A job that raises its error without a line on standard error, as the trial's own line has told it."""

    @property
    def return_value(self) -> Any:
        """Raises the error of the job."""
        raise self._return_value

    @return_value.setter
    def return_value(self, value: Any) -> None:
        self._return_value = value


def _job(overrides: Sequence[str], value: float | None, reason: str) -> JobReturn:
    if value is not None:
        job = JobReturn(overrides=list(overrides), status=JobStatus.COMPLETED)
        job.return_value = value
        return job
    job = _FailedJob(overrides=list(overrides), status=JobStatus.FAILED)
    job.return_value = UserError(reason)
    return job


def _composed(composer: Composer, overrides: Sequence[str]) -> Any:
    """The configuration of a job as plain data, or the UserError that says why there is none."""
    from wisesr.config.files import to_dict
    from wisesr.config.hydra_errors import explain

    try:
        return to_dict(composer.compose(list(overrides)))
    except UserError as error:
        return error
    except (HydraException, OmegaConfBaseException) as error:
        composing = GlobalHydra.instance().hydra  # an explanation composes by itself, and leaves none behind
        text = explain(error, list(overrides))
        GlobalHydra.instance().hydra = composing
        return UserError(text)
