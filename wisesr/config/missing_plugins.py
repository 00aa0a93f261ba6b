"""Plugins of Hydra that others make: which package brings the one that is asked for. No torch."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PACKAGES = {
    "hydra/sweeper": {
        "optuna": "hydra-optuna-sweeper 'sqlalchemy<2'",
        "ax": "hydra-ax-sweeper",
        "nevergrad": "hydra-nevergrad-sweeper",
    },
    "hydra/launcher": {
        "joblib": "hydra-joblib-launcher",
        "ray": "hydra-ray-launcher",
        "ray_aws": "hydra-ray-launcher",
        "rq": "hydra-rq-launcher",
    },
}


def missing_plugin(group: str, name: str, options: Sequence[str] = ()) -> str | None:
    """What to install for an option of Hydra's that is not there; None for one that nobody is known to bring.

    Args:
        group: whose option it is.
        name: of the option.
        options: that the group has.
    """
    if group == "hydra/sweeper/sampler" and not options:
        group, name = "hydra/sweeper", "optuna"
    package = _PACKAGES.get(group, {}).get(name)
    what = "search (and optuna)" if name == "optuna" else name
    return None if package is None else f"{group}={what} needs a package that is not here: pip install {package}"


def missing_class(error: Exception) -> str | None:
    """The same for the error that Hydra raises where the class of an option is not there; None for any other error."""
    found = re.search(r"Unknown plugin class : '(?:hydra_plugins\.)?(\S+)'", str(error))
    if found is None:
        return None
    for group, names in _PACKAGES.items():
        for name in names:
            if found[1].startswith(f"hydra_{name}_{group.rpartition('/')[2]}."):
                return missing_plugin(group, name)
    return (
        f"no plugin of Hydra's that is installed has the class {found[1]}: see the _target_ of hydra/sweeper and hydra/launcher"
    )
