"""Whether W&B is talked to, decided from the environment alone. No wandb, no torch."""

from __future__ import annotations

import netrc
from collections.abc import Mapping
from urllib.parse import urlparse

_DEFAULT = "https://api.wandb.ai"


def server(environment: Mapping[str, str]) -> str:
    """The address of W&B's server."""
    return environment.get("WANDB_BASE_URL", _DEFAULT)


def decide_mode(environment: Mapping[str, str]) -> str:
    """online, offline or disabled: WANDB_MODE, else online where a key is known, else offline."""
    return environment.get("WANDB_MODE") or ("online" if knows_key(environment) else "offline")


def knows_key(environment: Mapping[str, str]) -> bool:
    """Whether there is a key for the server: WANDB_API_KEY, a token file, or `wandb login` (netrc)."""
    if environment.get("WANDB_API_KEY") or environment.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    try:
        known = netrc.netrc(environment.get("NETRC") or None).authenticators(urlparse(server(environment)).hostname or "")
    except (OSError, netrc.NetrcParseError):
        return False
    return known is not None
