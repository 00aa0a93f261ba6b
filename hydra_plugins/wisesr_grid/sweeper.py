"""The sweeper of `-m`: every combination of what is swept, composed and launched together. No torch.

Hydra's own would compose each cell once more beforehand, and write a `multirun.yaml` before anything is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from hydra_plugins.wisesr_grid.axes import SIZES, combinations, describe_zipped, swept_keys, zipped
from hydra_plugins.wisesr_grid.composer import Composer
from hydra_plugins.wisesr_grid.exclude import Excluded
from hydra_plugins.wisesr_grid.launcher import GridLauncher
from wisesr.config.command_line import as_hydra_reads
from wisesr.config.grid_words import OF_COMBINATIONS, refuse_other_types
from wisesr.config.swept_interpolations import unmarked
from wisesr.errors import UserError
from wisesr.wording import count_of

ConfigStore.instance().store(
    group="hydra/sweeper",
    name="wisesr_grid",
    node={"_target_": "hydra_plugins.wisesr_grid.sweeper.GridSweeper", "params": {}},
    provider="wisesr",
)


class GridSweeper(Sweeper):
    """Every combination of the swept choices, in one go.

    Args:
        params: what is swept where the command line does not say otherwise, `hydra.sweeper.params`.
        max_batch_size: of Hydra's own sweeper, under whose name this one stands; null.

    Raises:
        UserError: a batch size.
    """

    def __init__(self, params: dict[str, str] | None = None, max_batch_size: int | None = None) -> None:
        if max_batch_size is not None:
            raise UserError("hydra.sweeper.max_batch_size: how many cells run at a time is grid.slots")
        self._params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Make the launcher that the configuration names."""
        self.hydra_context, self.config = hydra_context, config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Sequence[JobReturn]]:
        """Expand the overrides and launch all cells together; ends the process with exit code 1 if one failed."""
        assert self.hydra_context is not None
        assert self.launcher is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        asked = parser.parse_overrides(arguments)
        refuse_several_experiments(asked)
        params = as_hydra_reads([f"{key}={unmarked(str(value))}" for key, value in replaced(self._params, asked).items()])
        returns = self.launcher.launch(self._cells([*parser.parse_overrides(params), *asked]), initial_job_idx=0)
        if failed := sum(job.status != JobStatus.COMPLETED for job in returns):
            if isinstance(self.launcher, GridLauncher):  # whose table has told
                sys.exit(1)
            sys.exit(f"{failed} of {len(returns)} cells are not done; `wisesr status` tells which, and why")
        return [returns]

    def _cells(self, overrides: Sequence[Override]) -> list[list[str]]:
        """The overrides of each cell; what `grid.zip` and `grid.exclude` make of the combinations is told."""
        assert self.hydra_context is not None
        assert self.config is not None
        grid: dict[str, Any] = _plain_grid(self.config)
        together = zipped(grid.get("zip"))
        cells = combinations(overrides, together)
        if not together and not grid.get("exclude"):
            return cells
        excluded = Excluded(grid.get("exclude"), swept_keys(overrides))
        kept = excluded.kept(cells, Composer(self.hydra_context.config_loader, self.config))
        _tell_cells(len(cells), len(kept), describe_zipped(together, overrides), excluded.without_effect())
        return kept


def _plain_grid(config: DictConfig) -> dict[str, Any]:
    """The settings `grid` of a command, those held against their form by which cells are counted.

    Raises:
        UserError: `grid.zip` or `grid.exclude` is no list.
    """
    grid = OmegaConf.select(config, "grid")
    written = OmegaConf.to_container(grid, resolve=False) if isinstance(grid, DictConfig) else {}
    assert isinstance(written, dict)
    for key in OF_COMBINATIONS:
        refuse_other_types(key, written.get(key.removeprefix("grid.")))
    plain = OmegaConf.to_container(grid, resolve=True) if isinstance(grid, DictConfig) else {}
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _tell_cells(made: int, kept: int, pairs: str, without_effect: Sequence[str]) -> None:
    """`12 combinations (resolution with recipe.batch_size: 2 pairs), 3 excluded`."""
    from wisesr.grid.console import make_console  # here, because Hydra imports this module for every command
    from wisesr.terminal import tell

    console = make_console()
    left_out = f", {made - kept:,} excluded: {count_of(kept, 'cell')}" if made > kept else ""
    tell(console, f"{count_of(made, 'combination')}{f' ({pairs})' if pairs else ''}{left_out}")
    for sentence in without_effect:
        tell(console, f"note: {sentence}")


def replaced(params: Mapping[str, str], asked: Sequence[Override]) -> dict[str, str]:
    """What an experiment sweeps, without the sizes where the command gives some, by whichever of their two names.

    The group and its one key are two keys to Hydra: the experiment's would come after the command's, and be taken.
    """
    given = any(override.key_or_group in SIZES for override in asked)
    return {key: values for key, values in params.items() if not (given and key in SIZES)}


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
