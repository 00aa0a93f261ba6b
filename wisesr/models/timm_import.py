"""timm's import without that of wandb, which takes half a second and is no part of what it is used for here.

`timm.utils.summary` imports wandb wherever it is installed, for one function of timm's training script:
https://github.com/huggingface/pytorch-image-models/blob/main/timm/utils/summary.py
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_NAME = "wandb"


class _OnUse(ModuleType):
    """Stands where timm keeps wandb, and imports it when something of it is asked for, as `update_summary` may."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(_NAME), name)


def import_timm() -> None:
    """Import timm; whoever wants wandb, a logger or a user's own code, imports it as ever.

    To be called before the first module that imports timm. It does nothing where timm is there already, and imports timm as
    it is where wandb is there already.
    """
    if "timm" in sys.modules:
        return
    if _NAME in sys.modules:
        import_module("timm")
        return
    sys.modules[_NAME] = None  # type: ignore[assignment]  # https://docs.python.org/3/reference/import.html#the-module-cache
    try:
        import_module("timm")
    finally:
        del sys.modules[_NAME]
    if find_spec(_NAME) is not None:
        import_module("timm.utils.summary").__dict__.setdefault(_NAME, _OnUse(_NAME))
