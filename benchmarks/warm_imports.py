"""Everything that a cell may import, in this process: what a warm parent has before it forks."""

from __future__ import annotations

import pkgutil
from importlib import import_module

PACKAGES = ("build", "cell", "config", "data", "models", "results", "training")
LIBRARIES = ("torch", "lightning.pytorch", "timm", "torchmetrics", "torchvision.transforms.v2")


def import_all(*loggers: str) -> None:
    """Import it.

    Args:
        loggers: modules of wisesr.training.loggers that are wanted though they need a package of their own.
    """
    if "wandb" in loggers:
        from wisesr.training.loggers.ahead import import_wandb

        import_wandb()
    for name in LIBRARIES:
        import_module(name)
    own = {f"wisesr.training.loggers.{name}" for name in ("content", "lightning", "tensorboard", "wandb")}
    wanted = {f"wisesr.training.loggers.{name}" for name in loggers}
    for package in PACKAGES:
        folder = import_module(f"wisesr.{package}")
        for module in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}."):
            if module.name not in own - wanted and not module.name.endswith("__main__"):
                import_module(module.name)
