"""What a warm parent holds: the modules that cells and plans need, and the state of the disk that they were read from."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import time
import warnings
from contextlib import suppress
from pathlib import Path

import wisesr
from wisesr.cell.warm_up import warm_up
from wisesr.training.loggers.ahead import import_wandb, remove_folders
from wisesr.wording import count_of

_PACKAGES = ("build", "cell", "config", "data", "models", "results", "training", "grid.planning")
"""Parts of the package that a cell's process, or the planner's, may import."""
_OF_WANDB = ("wisesr.training.loggers.wandb", "wisesr.training.loggers.content")
_IN_THE_CELL = "wisesr.training.loggers.tensorboard"
"""Left to the cells that ask for it."""
_ROOT = Path(wisesr.__file__).resolve().parent

State = dict[str, tuple[int, int]]
"""Bytes and time of the last change, in ns since 1970, by path."""


class Loaded:
    """What this process has imported, and whether the disk still holds the same; made before the imports."""

    def __init__(self) -> None:
        self._began = self._noted = time.time_ns()
        self._state: State = {}

    def note(self) -> None:
        """Note the state of the disk, after the imports."""
        self._state, self._noted = _disk_state(), time.time_ns()

    @property
    def is_stale(self) -> bool:
        """Whether a process that imported now might get something else, or this one may have got half of an edit."""
        edited = (self._began <= changed <= self._noted for _, changed in self._state.values())  # not: dated in the future
        return any(edited) or _disk_state() != self._state


def _disk_state() -> State:
    """Of the files of all modules, of the package's whole source, and of the folders that packages are installed in."""
    files = {str(path) for path in _ROOT.rglob("*.py")}
    files |= {place for place in sys.path if Path(place).name.endswith("-packages")}
    files |= {file for module in list(sys.modules.values()) if isinstance(file := getattr(module, "__file__", None), str)}
    state = {}
    for file in files:
        with suppress(OSError):
            stat = os.stat(file)  # noqa: PTH116  # of thousands
            state[file] = stat.st_size, stat.st_mtime_ns
    return state


def import_all(*, wandb: bool) -> None:
    """Import what cells and plans do, whole, so that no child reads a source that was edited since; find out what they share.

    A module that lacks a package is left out: the cell that needs it says so.

    Args:
        wandb: whether a cell wants it.
    """
    if wandb:
        import_wandb()
    warm_up()
    for part in _PACKAGES:
        package = importlib.import_module(f"wisesr.{part}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name != _IN_THE_CELL and (wandb or module.name not in _OF_WANDB):
                with suppress(ImportError):
                    importlib.import_module(module.name)
    remove_folders()


def unfit_to_fork() -> str:
    """Why children of this process would not be as processes of their own are: a reason; empty if they would."""
    import torch

    _end_idle_threads()
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    if threads > 1:
        return f"something that it imports has started {count_of(threads - 1, 'thread')}"
    if torch.cuda.is_initialized() or any(_is_gpu(name) for name in os.listdir("/proc/self/fd")):  # noqa: PTH208
        return "something that it imports has opened the GPU"
    return ""


def _end_idle_threads() -> None:
    """Fork once: numpy's OpenBLAS, which has threads from its import on, ends them before a fork and has no need of them here.

    https://github.com/OpenMathLib/OpenBLAS/wiki/Faq#multi-threaded
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12, of forks where there are threads
        child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _is_gpu(descriptor: str) -> bool:
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{descriptor}").startswith("/dev/nvidia")  # noqa: PTH115
    return False
