"""The configuration of one cell from the overrides of a command line, as train.py composes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from wisesr.config.check import check, split_grid
from wisesr.config.command_line import for_one_cell
from wisesr.config.files import register_resolvers, to_dict
from wisesr.config.grammar import for_shell, quoted
from wisesr.config.hydra_errors import explain, swept_override
from wisesr.config.options import conf_dir, refuse_shared_files
from wisesr.config.schema import Config
from wisesr.config.typed_paths import is_folder
from wisesr.config.typed_values import is_folder_of_images
from wisesr.config.unread import said
from wisesr.errors import UserError
from wisesr.program import program


def compose_cell(overrides: Sequence[str], *, config_dir: Path | None = None) -> Config:
    """The configuration of the cell that `train.py` would make of overrides (`dataset=intel`, ...), not checked yet.

    `config_dir` is a user's own folder of YAML groups beside `conf`, as `train.py --config-dir` has it.

    Raises:
        UserError: a group, an option or a key that does not exist, a value that must be given and is not, a wrong `grid.*`.
    """
    _refuse_folders(overrides)
    overrides = for_one_cell(overrides)
    refuse_shared_files(overrides)
    register_resolvers()
    if config_dir is not None:
        overrides.append(f"hydra.searchpath=[{quoted(f'file://{config_dir.resolve()}')}]")
    with initialize_config_dir(str(conf_dir().resolve()), version_base="1.3"):
        try:
            whole = compose("config", list(overrides), return_hydra_config=True)
            HydraConfig.instance().set_config(whole)
            ((cell,), _) = split_grid([to_dict(whole)])
        except UserError as error:
            raise UserError(said(error, overrides)) from error
        except (HydraException, OmegaConfBaseException) as error:
            if swept := swept_override(error):
                raise UserError(f"{swept}: there must be one value; several are for {program()} -m") from error
            raise UserError(explain(error, overrides)) from error
    return cell


def _refuse_folders(overrides: Sequence[str]) -> None:
    """Raises UserError for a folder of images where a dataset's name belongs, in the form that `wisesr data` takes."""
    has_root = any(override.startswith("dataset.root=") for override in overrides)  # then a word may be the rest of its path
    for override in overrides:
        path = override.removeprefix("dataset=")
        if is_folder_of_images(path) if path != override else not has_root and is_folder(path):
            line = for_shell(f"dataset.root={path}")
            raise UserError(f"{path} is no dataset's name: images in a folder of yours are `folder {line}`")


def option_of(group: str) -> str:
    """What the cell that was composed last has of a group: `standard` of `augment`."""
    return str(HydraConfig.get().runtime.choices[group])


def compose_checked(overrides: Sequence[str]) -> Config:
    """A configuration of `compose_cell`, checked, but for a folder of images that is not there: its dataset can say more.

    Raises:
        UserError: whatever is wrong with it.
    """
    config = compose_cell(overrides)
    if problems := check(config, root=False):
        raise UserError("\n".join(problems))
    return config
