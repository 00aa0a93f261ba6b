"""Wise-SrNet heads against global average pooling: build, train, compare (arXiv 2104.12294).

The public functions are imported when first used, so that `import wisesr` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wisesr.build.create import create_head, create_model
    from wisesr.build.replace_head import replace_head
    from wisesr.inference.load import load
    from wisesr.inference.run import Run
    from wisesr.training.constraint import constrain
    from wisesr.training.constraint_callback import ConstraintCallback

__version__ = "0.1.0"
__all__ = [
    "ConstraintCallback",
    "Run",
    "__version__",
    "constrain",
    "create_head",
    "create_model",
    "load",
    "replace_head",
]

_HOMES = {
    "ConstraintCallback": "wisesr.training.constraint_callback",
    "Run": "wisesr.inference.run",
    "constrain": "wisesr.training.constraint",
    "create_head": "wisesr.build.create",
    "create_model": "wisesr.build.create",
    "load": "wisesr.inference.load",
    "replace_head": "wisesr.build.replace_head",
}

if not TYPE_CHECKING:  # to a type checker any name would be there

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'wisesr' has no attribute {name!r}; it has {', '.join(__all__)}")
        return getattr(import_module(_HOMES[name]), name)
