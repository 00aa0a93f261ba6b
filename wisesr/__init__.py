"""Wise-SrNet heads against global average pooling: build, train, compare (arXiv 2104.12294).

The public functions are imported when first used, so that `import wisesr` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wisesr.build.create import create_head, create_model
    from wisesr.inference.load import load
    from wisesr.inference.run import Run
    from wisesr.training.constraint import constrain

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "constrain", "create_head", "create_model", "load"]

_HOMES = {
    "create_head": "wisesr.build.create",
    "create_model": "wisesr.build.create",
    "constrain": "wisesr.training.constraint",
    "Run": "wisesr.inference.run",
    "load": "wisesr.inference.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'wisesr' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_HOMES[name]), name)
