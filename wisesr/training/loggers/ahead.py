"""What wandb imports when a run opens, imported ahead: before torch, and by a process that is to fork cells. No torch.

`wandb.init` imports wandb's launch agent, whatever is logged (`Run._detect_and_apply_job_inputs`, wandb 0.31): 60 pydantic
models, each of which reads its own source, for which `inspect` looks at every module that there is. Alone that takes .3 s,
after torch, timm and lightning 1.5 s.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

_OURS = "wisesr.training.loggers.wandb."
_FOLDERS = (("wandb.sdk.data_types._private", "MEDIA_TMP"), ("wandb.sdk.artifacts.artifact", "Artifact._TMP_DIR"))
"""Where wandb keeps the temporary folders that it makes as it is imported and removes as a process ends, a child too."""


def wants_wandb(loggers: Mapping[str, Any]) -> bool:
    """Whether a cell logs to W&B, by `logger` of its configuration."""
    return any(str(node.get("_target_", "")).startswith(_OURS) for node in loggers.values())


def import_ahead(loggers: Mapping[str, Any]) -> None:
    """What a cell's loggers, `logger` of its configuration, import later; before torch, which makes it five times as slow."""
    if wants_wandb(loggers):
        import_wandb()


def import_wandb() -> None:
    """Import wandb with what it would import later; it starts no thread and no process, so that this one may fork.

    What is not there is left out: the logger says so, and another version of wandb finds its own parts itself.
    """
    with suppress(ImportError):
        import_module("wandb")
        import_module("wandb.sdk.launch.inputs.internal")


def remove_folders() -> None:
    """Remove wandb's temporary folders from under a process that is to fork, which may be killed; nothing without wandb."""
    for folder in _folders():
        shutil.rmtree(folder, ignore_errors=True)


def make_folders() -> None:
    """Make them in a child, which removes them as it ends: an earlier child may have removed them, or its parent."""
    for folder in _folders():
        folder.mkdir(mode=0o700, exist_ok=True)


def _folders() -> list[Path]:
    found = []
    for module, path in _FOLDERS:
        folder: Any = sys.modules.get(module)
        for name in path.split("."):
            folder = getattr(folder, name, None)
        if folder is not None:
            found.append(Path(folder.name))
    return found
