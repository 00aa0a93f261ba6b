"""What a warm parent holds: the modules that cells and plans need, and the state of the disk that they were read from."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import wisesr

_PACKAGES = ("build", "cell", "config", "data", "models", "results", "training", "grid.planning")
"""Parts of the package that a cell's process, or the planner's, may import."""
_BY_NAME = "wisesr.training.loggers."
"""Modules that are imported only where a cell asks for one: each brings its library."""
_ROOT = Path(wisesr.__file__).resolve().parent

State = tuple[tuple[str, int, int], ...]
"""(path, bytes, time of the last change) of files and folders."""


def disk_state() -> State:
    """Of the package's source, and of the folders that packages are installed in: what a module imported now would be."""
    files = [*_ROOT.rglob("*.py"), *(Path(place) for place in sys.path if Path(place).name.endswith("-packages"))]
    found = []
    for path in sorted(files):
        with suppress(FileNotFoundError):
            stat = path.stat()
            found.append((str(path), stat.st_size, stat.st_mtime_ns))
    return tuple(found)


def import_all(modules: Iterable[str]) -> None:
    """Import what cells and plans do, whole, so that no child reads a source that was edited since; and these modules.

    One that lacks a package is left out: the cell that needs it says so.
    """
    for part in _PACKAGES:
        package = importlib.import_module(f"wisesr.{part}")
        names = [each.name for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
        for name in names:
            if not name.startswith(_BY_NAME):
                _import(name)
    for name in modules:
        _import(name)


def _import(name: str) -> None:
    with suppress(ImportError):
        importlib.import_module(name)


def unfit_to_fork() -> str:
    """Why children of this process would not be as processes of their own are: a reason; empty if they would."""
    import torch

    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if threads > 1:
        return f"something that it imports has started {threads - 1} threads"
    if torch.cuda.is_initialized() or any(_is_gpu(name) for name in os.listdir("/proc/self/fd")):  # noqa: PTH208
        return "something that it imports has opened the GPU"
    return ""


def _is_gpu(descriptor: str) -> bool:
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("/dev/nvidia")  # noqa: PTH115
    return False
