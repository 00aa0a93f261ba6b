"""What to install for a sweeper or launcher of somebody else's."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.command import train_here
from wisesr.config.missing_plugins import missing_class, missing_plugin

OPTUNA = find_spec("hydra_plugins.hydra_optuna_sweeper")


@pytest.mark.parametrize(
    ("argument", "package"),
    [
        pytest.param(
            "hydra/sweeper=search", "hydra-optuna-sweeper", marks=pytest.mark.skipif(OPTUNA is not None, reason="is here")
        ),
        pytest.param(
            "hydra/sweeper=optuna", "hydra-optuna-sweeper", marks=pytest.mark.skipif(OPTUNA is not None, reason="is here")
        ),
        ("hydra/sweeper=ax", "hydra-ax-sweeper"),
        ("hydra/sweeper=nevergrad", "hydra-nevergrad-sweeper"),
        ("hydra/launcher=ray", "hydra-ray-launcher"),
    ],
)
def test_the_package_is_named(argument: str, package: str, tmp_path: Path) -> None:
    told = train_here("-m", argument, "seed=0,1", cwd=tmp_path)
    assert told.returncode == 1
    assert f"needs a package that is not here: pip install {package}" in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_what_nobody_brings_is_a_name_like_any_other(tmp_path: Path) -> None:
    assert missing_plugin("hydra/sweeper", "optna") is None
    assert "no hydra/sweeper is called 'optna'" in train_here("-m", "hydra/sweeper=optna", cwd=tmp_path).stderr


def test_a_class_that_is_not_there(tmp_path: Path) -> None:
    """As of an experiment that writes the `_target_` itself."""
    unknown = "hydra_plugins.hydra_ax_sweeper.ax_sweeper.AxSweeper"
    told = train_here("-m", f"hydra.sweeper._target_={unknown}", cwd=tmp_path)
    assert told.stderr == "hydra/sweeper=ax needs a package that is not here: pip install hydra-ax-sweeper\n"
    told = train_here("-m", "hydra.launcher._target_=hydra_plugins.mine.Launcher", cwd=tmp_path)
    assert told.stderr.startswith("no plugin of Hydra's that is installed has the class mine.Launcher")
    assert missing_class(RuntimeError("anything else")) is None
