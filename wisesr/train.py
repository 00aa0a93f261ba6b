"""The Hydra entry, which `python train.py` and `wisesr train` call: Hydra composes, `wisesr.grid` runs. No torch."""

from __future__ import annotations

import os
import sys

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from wisesr.config.agent_words import agent_words
from wisesr.config.command_line import arrange
from wisesr.config.files import register_resolvers, to_dict
from wisesr.config.options import conf_dir, refuse_shared_files
from wisesr.config.search_settings import refuse_grid_settings
from wisesr.config.unread import said
from wisesr.encoding import begin_in_utf_8
from wisesr.errors import UserError, message
from wisesr.program import keep_typed

register_resolvers()


@hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")
def run(cfg: DictConfig) -> float | None:
    """One cell. A sweep comes here only with a launcher of somebody else's: ours take all its cells together.

    Returns:
        The figure by which its epoch was chosen, val top-1 from 0 to 1, for a sweeper that searches; None of a mere plan.
    """
    from wisesr.grid.run_grid import run_cells

    several = HydraConfig.get().mode == RunMode.MULTIRUN
    try:
        config = to_dict(cfg)
        if not several:
            refuse_grid_settings(config)
        end = run_cells([config], live=not several, alone=not several)
    except (UserError, OSError) as error:  # here already: Hydra would print the overrides above it
        if several:
            raise
        sys.exit(message(said(error, sys.argv[1:])))
    if end.code and several:
        raise UserError("the cell is not done")  # an error ends this job, sys.exit would end its worker
    if end.code:
        sys.exit(end.code)
    record = end.outcomes[0].cell.read_record()
    return None if record is None or end.planned else record.best.val_top1


def main() -> None:
    """Compose and run `sys.argv`; whatever is wrong with the command is said in a few lines, with exit code 1."""
    begin_in_utf_8()
    typed = agent_words(sys.argv[1:], os.environ)
    try:
        sys.argv[1:], notes = arrange(typed)
    except UserError as error:
        sys.exit(message(str(error)))
    keep_typed(typed)
    for note in notes:
        print(message(note), file=sys.stderr)
    if "HYDRA_FULL_ERROR" in os.environ:  # the user asked for tracebacks
        run()
    else:
        _run_told()


def _run_told() -> None:
    """Run; an error is told in a user's words."""
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra hands its errors on instead of printing them
    try:
        refuse_shared_files(sys.argv[1:])
        run()
    except (HydraException, OmegaConfBaseException) as error:
        from wisesr.config.hydra_errors import explain

        sys.exit(message(explain(error, sys.argv[1:])))
    except BrokenPipeError:  # `| head` has read enough: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError) as error:  # UserError is a ValueError, and Hydra raises bare ones
        sys.exit(message(said(error, sys.argv[1:])))
    except RuntimeError as error:
        from wisesr.config.missing_plugins import missing_class

        if (text := missing_class(error)) is None:
            raise
        sys.exit(message(text))
    except KeyboardInterrupt:
        print("Interrupted. The same command continues where this one stopped.", file=sys.stderr)
        sys.exit(130)
