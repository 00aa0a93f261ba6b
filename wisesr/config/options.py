"""The YAML groups: where they lie, the options of each, the settings of one. No torch."""

from __future__ import annotations

from pathlib import Path

from omegaconf import OmegaConf

from wisesr.config.schema import Config
from wisesr.errors import UserError, unknown

GROUPS = ("backbone", "head", "dataset", "resolution", "recipe", "augment", "trainer", "logger")


def conf_dir() -> Path:
    """The folder of the YAML groups: the checkout's, else the copy inside the wheel."""
    package = Path(__file__).parent.parent
    return next((path for path in (package.parent / "conf", package / "conf") if path.is_dir()), package / "conf")


def options(group: str) -> list[str]:
    """The choices of a group: its YAML files."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def load_option(group: str, name: str) -> Config:
    """The settings of one YAML file, `_target_` included, without its `name`.

    Raises:
        UserError: the group has no such option.
    """
    path = conf_dir() / group / f"{name}.yaml"
    if not path.is_file():
        raise UserError(unknown(group, name, options(group)))
    node = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    assert isinstance(node, dict)
    return {str(key): value for key, value in node.items() if key != "name"}
