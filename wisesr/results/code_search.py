"""Where modules lie: the file that an import of this name would read, found without importing anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import EXTENSION_SUFFIXES, BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
"""The folder that the running package was imported from."""
_ENDINGS = (*EXTENSION_SUFFIXES, ".py")  # the order in which Python looks


class Module(NamedTuple):
    """A module and its file."""

    name: str
    """Dotted."""
    file: Path | None
    """None of a folder without an `__init__.py`."""
    folders: tuple[str, ...] = ()
    """Where the modules below it lie; none where it is no package."""

    @property
    def label(self) -> str:
        """Its file as people call it, wherever it lies: `myheads/pool.py`, `myheads/__init__.py`."""
        assert self.file is not None
        parts = self.name.split(".")
        return "/".join([*(parts if self.folders else parts[:-1]), self.file.name])


def cell_path() -> tuple[str, ...]:
    """`sys.path` as a cell's process has it that this one starts: the working folder and the running package come first."""
    return tuple(dict.fromkeys([str(Path.cwd()), str(ROOT), *map(os.path.abspath, sys.path)]))


def process_path() -> tuple[str, ...]:
    """`sys.path` of this process."""
    return tuple(dict.fromkeys(map(os.path.abspath, sys.path)))


class Search:
    """Finds modules on a path; what it has found it does not look for again.

    Args:
        path: folders, as `sys.path`.
    """

    def __init__(self, path: Sequence[str]) -> None:
        self._path = list(path)
        self._found: dict[str, Module | None] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._installed: dict[str, bool] = {}

    def find(self, name: str) -> Module | None:
        """The module of a dotted name; None where there is none, or one without a file, as those of Python itself."""
        if name not in self._found:
            self._found[name] = self._below(name) if "." in name else self._top(name)
        return self._found[name]

    def is_installed(self, module: Module) -> bool:
        """Whether it lies among installed distributions, by whose versions its code is known."""
        place = str(module.file or module.folders[0])
        return any(self._holds_distributions(entry) for entry in self._path if place.startswith(entry + os.sep))

    def _top(self, name: str) -> Module | None:
        if name in sys.stdlib_module_names:
            return None
        with suppress(Exception):  # of somebody's own finder
            return self._from_spec(name, PathFinder.find_spec(name, self._path) or _spec_of_others(name))
        return None

    def _from_spec(self, name: str, spec: ModuleSpec | None) -> Module | None:
        if spec is None:
            return None
        folders = tuple(spec.submodule_search_locations or ())
        file = Path(spec.origin) if spec.has_location and spec.origin else None
        if file is not None and not file.is_file():  # in an archive
            return None
        return Module(name, file, folders) if file or folders else None

    def _below(self, name: str) -> Module | None:
        parent, _, last = name.rpartition(".")
        package = self.find(parent)
        spaces = []
        for folder in () if package is None else package.folders:
            names = self._list(folder)
            if last in names:
                inner = f"{folder}{os.sep}{last}"
                if "__init__.py" in self._list(inner):
                    return Module(name, Path(inner, "__init__.py"), (inner,))
                spaces.append(inner)
            for ending in _ENDINGS:
                if last + ending in names:
                    return Module(name, Path(folder, last + ending))
        return Module(name, None, tuple(spaces)) if any(map(self._list, spaces)) else None

    def _list(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            with suppress(OSError):
                self._names[folder] = frozenset(os.listdir(folder))  # noqa: PTH208
        return self._names.setdefault(folder, frozenset())

    def _holds_distributions(self, folder: str) -> bool:
        if folder not in self._installed:
            self._installed[folder] = folder.endswith("-packages") or any(
                name.endswith(".dist-info") for name in self._list(folder)
            )
        return self._installed[folder]


def _spec_of_others(name: str) -> ModuleSpec | None:
    """Of finders that a package has added: an editable installation may be one."""
    for finder in sys.meta_path:
        if finder not in (BuiltinImporter, FrozenImporter, PathFinder) and hasattr(finder, "find_spec"):
            if (spec := finder.find_spec(name, None)) is not None:
                return spec
    return None
