"""What wandb imports when a run opens, imported ahead: before torch, and by a process that is to fork cells. No torch.

`wandb.init` imports wandb's launch agent, whatever is logged (`Run._detect_and_apply_job_inputs`, wandb 0.31): 60 pydantic
models, each of which reads its own source, for which `inspect` looks at every module that there is. Alone that takes .3 s,
after torch, timm and lightning 1.5 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

_OURS = "wisesr.training.loggers.wandb."


def wants_wandb(loggers: Mapping[str, Any]) -> bool:
    """Whether a cell logs to W&B, by `logger` of its configuration."""
    return any(str(node.get("_target_", "")).startswith(_OURS) for node in loggers.values())


def import_wandb() -> None:
    """Import wandb with what it would import later; it starts no thread and no process, so that this one may fork.

    Raises:
        ImportError: there is no wandb.
    """
    import_module("wandb")
    with suppress(ImportError):  # another version has it elsewhere, or no more: it will find it itself
        import_module("wandb.sdk.launch.inputs.internal")
