"""What each place of the configuration takes, and what is told where a `_target_` or a setting of it is wrong. No torch."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wisesr.config.signatures import EXTENDING
from wisesr.errors import UserError

RULES = {
    "backbone": "an nn.Module with feature_shape (channels, height, width), mean and std, made from (image_size)",
    "head": "a subclass of wisesr.models.heads.base.Head, made from (feature_shape, num_classes)",
    "dataset": "a function that takes nothing and returns a wisesr.data.manifest.Manifest",
    "augment": "a subclass of wisesr.data.augmentation.Augmentation, made from (image_size, mean, std)",
    "recipe.optimizer": "a torch.optim.Optimizer, made from (parameter groups)",
    "recipe.schedule": "a function that takes (steps) and returns a function from the optimizer step to a factor of the rate, "
    "or a scheduler of torch.optim.lr_scheduler that needs nothing at each step",
    "logger": "a subclass of wisesr.training.loggers.base.RunLogger, made from (run), or a logger of lightning.pytorch.loggers",
}
"""What may stand there; settings are given by keyword everywhere."""


PROVIDED = {"backbone": 1, "head": 2, "dataset": 0, "augment": 3, "recipe.optimizer": 1, "recipe.schedule": 1, "logger": 1}
"""How many arguments the framework gives, all of them by position."""


def provided_arguments(where: str) -> int:
    """How many arguments the framework gives to what stands at `where`."""
    return PROVIDED[_place(where)]


def contract_error(where: str, target: Callable[..., Any], what: str) -> UserError:
    """The error for a target that does not keep to the rule of its place: one sentence with the line and the page.

    `where` is the place, `head`, `recipe.schedule` or `logger.NAME`; `what` is wrong with the target, "is none".
    """
    must_be = RULES[_place(where)]
    return UserError(f"{where}._target_: {_name(target)} {what}; it must be {must_be} ({_line(target)}see {EXTENDING})")


def setting_error(where: str, target: Callable[..., Any], key: str, what: str) -> UserError:
    """The error for a setting that breaks the rules of signatures: one sentence with the line and the page."""
    return UserError(f"{where}: {_name(target)}: the setting {key} {what} ({_line(target)}see {EXTENDING})")


def _place(where: str) -> str:
    return where if where in RULES else where.split(".")[0]


def _name(target: Callable[..., Any]) -> str:
    return f"{target.__module__}.{getattr(target, '__qualname__', target)}"


def _line(target: Callable[..., Any]) -> str:
    """`package/module.py:12; `, as it is imported; empty for what has no source."""
    try:
        path = Path(inspect.getsourcefile(target) or "")
        number = inspect.getsourcelines(target)[1]
    except (TypeError, OSError):
        return ""
    roots = [Path(root) for root in sys.path if root and path.is_relative_to(root)]
    short = path.relative_to(max(roots, key=lambda root: len(root.parts))) if roots else path
    return f"{short}:{number}; "
