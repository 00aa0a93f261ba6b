"""The run that carries a report's pictures.

A report shows pictures of runs, or those at an address that everybody who reads it can open, which a file of a private project
is not. So one run of the study's group, of job type `report`, has them, and a media panel shows its last step. The same run is
continued by each sync.
"""

from __future__ import annotations

import io
import secrets
import tempfile
from collections.abc import Sequence
from typing import Any

from PIL import Image

from wisesr.sync.story import ShownPicture

_PATIENCE, _FINISH = 30.0, 120.0
"""Seconds for the server's first answer, and for all of it to be sent."""


def picture_key(picture: ShownPicture) -> str:
    """Under which the run has it."""
    return f"report/{picture.key}"


def send_pictures(
    pictures: Sequence[ShownPicture], *, entity: str, project: str, study: str, before: str | None, about: str
) -> str:
    """Log pictures to the run `before`, or to a new one where there is none, or it was deleted on the server.

    Args:
        pictures: at least one.
        entity: user or team.
        project: on the server.
        study: the run's group.
        before: id of the run of an earlier sync.
        about: notes of the run.

    Returns:
        The id of the run that has them.

    Raises:
        Exception: of wandb's; the server did not take them.
    """
    with tempfile.TemporaryDirectory(prefix="wisesr-report-", ignore_cleanup_errors=True) as folder:
        given = {
            "entity": entity,
            "project": project,
            "group": study,
            "name": f"report of {study}",
            "notes": about,
            "dir": folder,
        }
        run = _open(before, given)
        import wandb

        run.log({picture_key(one): wandb.Image(Image.open(io.BytesIO(one.png)), caption=one.title) for one in pictures})
        run.finish()
        return str(run.id)


def _open(before: str | None, given: dict[str, Any]) -> Any:
    """The run of an earlier sync, continued; a new one where that is gone."""
    if before is not None:
        try:
            return _init(before, given)
        except Exception:  # wandb raises many kinds; an id that was deleted is refused for ever
            pass
    return _init(secrets.token_hex(4), given)


def _init(identifier: str, given: dict[str, Any]) -> Any:
    import wandb

    quiet = {"silent": True, "console": "off", "x_disable_stats": True, "x_disable_meta": True, "x_save_requirements": False}
    waits = {"init_timeout": _PATIENCE, "finish_timeout": _FINISH, "finish_timeout_raises": True}
    settings = wandb.Settings(**quiet, **waits)
    return wandb.init(id=identifier, resume="allow", mode="online", job_type="report", settings=settings, **given)
