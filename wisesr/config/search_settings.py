"""The settings of sweepers of somebody else's that search: Optuna's, Ax's, Nevergrad's. No torch."""

from __future__ import annotations

from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf

from wisesr.config.schema import Config
from wisesr.errors import UserError

_OF_COMBINATIONS = ("zip", "exclude")
"""Settings of the grid that are about every combination of what is swept."""
_OURS = "hydra_plugins.wisesr_grid."


class _Keys(NamedTuple):
    """Where a sweeper keeps what a search depends on, below `hydra.sweeper`."""

    goal: str
    """Whether the highest value is looked for."""
    highest: str
    """What it must hold, as a user writes it."""
    total: str
    """Trials in all."""
    at_a_time: str
    """Trials of a batch."""
    seed: str
    """What makes it choose the same trials again."""


_SWEEPERS = (
    _Keys("direction", "maximize", "n_trials", "n_jobs", "sampler.seed"),
    _Keys("ax_config.experiment.minimize", "false", "ax_config.max_trials", "max_batch_size", "ax_config.client.random_seed"),
    _Keys("optim.maximize", "true", "optim.budget", "optim.num_workers", "optim.seed"),
)
"""Optuna, Ax, Nevergrad: each has another goal, and looks for the lowest value where nobody says otherwise."""


class SearchSettings(NamedTuple):
    """What the grid must know of a search."""

    total: int | None
    """Trials in all; None where that is not known."""
    at_a_time: str
    """The setting that says how many trials are chosen together; empty where that is not known."""
    no_seed: str = ""
    """The setting that lacks a seed, without which the same command chooses other trials; empty where none is lacking."""


def is_search(config: DictConfig) -> bool:
    """Whether a sweeper of somebody else's chooses the cells of a command."""
    return not str(OmegaConf.select(config, "hydra.sweeper._target_")).startswith(_OURS)


def search_settings(config: DictConfig) -> SearchSettings:
    """The settings of a command's search.

    Raises:
        UserError: it looks for the worst cell, or for two figures at once; `grid.zip` or `grid.exclude` are given.
    """
    for key in _OF_COMBINATIONS:
        if OmegaConf.select(config, f"grid.{key}"):
            raise UserError(f"grid.{key} is for grids of all combinations, and this sweeper chooses by itself: grid.{key}=null")
    sweeper = config.hydra.sweeper
    for keys in _SWEEPERS:
        goal = OmegaConf.select(sweeper, keys.goal)
        if goal is None:
            continue
        if _word(goal) != keys.highest:
            raise UserError(
                f"hydra.sweeper.{keys.goal} must be {keys.highest}, not {_word(goal)}: a cell returns one figure, val top-1, "
                f"and the higher it is the better: hydra.sweeper.{keys.goal}={keys.highest}"
            )
        grid_sampler = "GridSampler" in str(OmegaConf.select(sweeper, "sampler._target_"))  # ends with the last combination
        total = None if grid_sampler else OmegaConf.select(sweeper, keys.total)
        lacks = not grid_sampler and OmegaConf.select(sweeper, keys.seed) is None
        return SearchSettings(
            total if isinstance(total, int) else None,
            f"hydra.sweeper.{keys.at_a_time}",
            f"hydra.sweeper.{keys.seed}" if lacks else "",
        )
    return SearchSettings(None, "")


def refuse_grid_settings(config: Config) -> None:
    """Hold a command of one cell against settings that say which combinations of a sweep are meant.

    Raises:
        UserError: `grid.zip` or `grid.exclude` are given.
    """
    for key in _OF_COMBINATIONS:
        if (config.get("grid") or {}).get(key):
            raise UserError(
                f"grid.{key} says which combinations of a sweep are cells, and this is no sweep: add -m, or grid.{key}=null"
            )


def _word(value: object) -> str:
    """A setting as a user writes it: `Direction.minimize` is `minimize`, True `true`."""
    if OmegaConf.is_list(value):
        return f"[{','.join(map(_word, value))}]"  # type: ignore[call-overload]
    return str(getattr(value, "name", value)).lower() if not isinstance(value, str) else value
