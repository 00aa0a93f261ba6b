"""Whether there is a server to talk to, and whose account it is."""

from __future__ import annotations

from collections.abc import Mapping

from wisesr.errors import UserError
from wisesr.training.loggers.wandb_mode import knows_key, server

_PATIENCE = 20
"""Seconds for the server's answer."""


def obstacle(environment: Mapping[str, str]) -> str:
    """Why no server can be asked, as far as the environment tells; empty where one can."""
    mode = environment.get("WANDB_MODE")
    if mode in ("offline", "disabled", "dryrun"):
        return f"WANDB_MODE={mode} forbids talking to W&B, which sync has to: unset WANDB_MODE"
    if not knows_key(environment):
        return f"no key for {server(environment)} is known: run `wandb login`, or set WANDB_API_KEY"
    return ""


def account(environment: Mapping[str, str]) -> str:
    """The entity that runs go to where none is named.

    Raises:
        UserError: WANDB_MODE forbids it, there is no key, the server is away or refuses the key.
    """
    if why := obstacle(environment):
        raise UserError(why)
    address = server(environment)
    import wandb

    try:
        entity = wandb.Api(timeout=_PATIENCE).default_entity
    except Exception as error:  # wandb raises many kinds
        raise UserError(f"{address} (WANDB_BASE_URL) is away or refuses the key: {error}") from error
    if not entity:
        raise UserError(f"{address} knows no account for this key")
    return str(entity)
