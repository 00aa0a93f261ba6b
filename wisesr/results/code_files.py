"""The code of a cell: the files that its program and its targets import, and those that these import, by their contents.

What belongs to Python or to an installed distribution is not among them: the versions of those are recorded. A target's own
package is, wherever it lies. Parts of wisesr that make no number are not: loggers and the wording of messages, which tell of
them, and what reads commands and YAML, whose whole result stands in the record.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from wisesr.results.code_imports import Import, Imports, imports_of
from wisesr.results.code_search import Module, Search

OWN = "wisesr"
RECORDED = frozenset({"torch", "torchvision", "lightning", "timm", "torchmetrics", "numpy", "PIL", "hydra", "wandb"})
"""Packages whose versions stand in every record."""
_BY_OPTION = frozenset({"create_head", "create_model", "replace_head"})
"""Functions of wisesr's that build what an option of conf/ names."""
_NO_NUMBER = tuple(
    f"{OWN}.{part}." for part in ("training.loggers", "config", "encoding", "errors", "program", "terminal", "wording")
)

Content = tuple[str, Imports | None]
"""Of a file: its hash, and what it imports; None of one that is no Python."""


class CodeFile(NamedTuple):
    """One file of a cell's code."""

    module: str
    path: Path
    sha256: str


class FoundCode(NamedTuple):
    """The code of a cell, as it lies on the disk."""

    files: dict[str, CodeFile]
    """By label: `myheads/pool.py`."""
    unfollowed: tuple[str, ...]
    """Where code is taken in that no file names: `myheads/pool.py:12 (import_module)`."""


def find_code(
    modules: Sequence[str],
    targets: Iterable[str],
    path: Sequence[str],
    *,
    imported: Mapping[Path, Content] = MappingProxyType({}),
) -> FoundCode:
    """All files that these import.

    Args:
        modules: dotted names of the modules to begin with, of wisesr's.
        targets: what `_target_`s name, `myheads.pool.PoolHead`.
        path: where to look for modules, as `sys.path`.
        imported: content of files that this process has imported already, whatever the disk holds by now.
    """
    search, targets = Search(path), list(targets)
    owned = {OWN, *(target.partition(".")[0] for target in targets)} - RECORDED
    return _Walk(search, owned, imported).follow([*modules, *targets])


class _Walk:
    """Follows imports from module to module."""

    def __init__(self, search: Search, owned: set[str], imported: Mapping[Path, Content]) -> None:
        self._search, self._owned, self._imported = search, owned, imported
        self._files: dict[str, CodeFile] = {}
        self._unfollowed: list[str] = []

    def follow(self, names: Iterable[str]) -> FoundCode:
        """Everything from these modules on."""
        waiting, seen = [*names], set()
        while waiting:
            for name in _with_parents(waiting.pop()):
                if name in seen:
                    continue
                seen.add(name)
                module = self._search.find(name)
                if module is None or not self._is_followed(module):
                    break
                if module.file is not None:
                    waiting += self._take(module)
        return FoundCode(dict(sorted(self._files.items())), tuple(sorted(self._unfollowed)))

    def _is_followed(self, module: Module) -> bool:
        top = module.name.partition(".")[0]
        if f"{module.name}.".startswith(_NO_NUMBER):
            return False
        return top in self._owned or (top not in RECORDED and not self._search.is_installed(module))

    def _take(self, module: Module) -> Iterator[str]:
        """Note a module's file; the names of the modules that it imports."""
        assert module.file is not None
        try:
            digest, found = self._imported.get(module.file) or read_code(module.file, calls=not _is_own(module))
        except OSError:  # deleted meanwhile, or not to be read: whoever imports it is told
            return
        self._files[module.label] = CodeFile(module.name, module.file, digest)
        if found is None:
            self._unfollowed.append(f"{module.label} (compiled)")
            return
        self._unfollowed += [f"{module.label}:{line} ({call})" for line, call in found.unfollowed]
        made = {name for each in found.imports for name in each.names} & _BY_OPTION
        self._unfollowed += [f"{module.label} ({name})" for name in sorted(made) if not _is_own(module)]
        package = module.name if module.folders else module.name.rpartition(".")[0]
        for each in found.imports:
            yield from self._modules(each, package)

    def _modules(self, found: Import, package: str) -> Iterator[str]:
        """What an import in a package names: a module, and those of its names that are modules, too."""
        level = len(found.module) - len(found.module.lstrip("."))
        name = found.module[level:]
        if level:
            base = package.split(".")[: len(package.split(".")) - level + 1]
            name = ".".join([*base, *filter(None, [name])])
        if not name:
            return
        yield name
        module = self._search.find(name) if self._may_be_followed(name) else None
        if module is not None and module.folders:
            yield from (f"{name}.{each}" for each in found.names if each != "*")
        if name == OWN:
            yield from _lazy(found.names)

    def _may_be_followed(self, name: str) -> bool:
        top = self._search.find(name.partition(".")[0])
        return top is not None and self._is_followed(top)


def _with_parents(name: str) -> list[str]:
    """`a`, `a.b`, `a.b.c` of `a.b.c`: importing a module imports the packages around it."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _lazy(names: Iterable[str]) -> Iterator[str]:
    """The modules from which `wisesr` takes its public names when they are first used."""
    homes = getattr(sys.modules[OWN], "_HOMES", {})
    yield from (homes[name] for name in names if name in homes)


def _is_own(module: Module) -> bool:
    """Whether it is one of wisesr's, whose own ways to import by name are those of targets and installed packages."""
    return module.name.partition(".")[0] == OWN


def read_code(path: Path, *, calls: bool) -> Content:
    """A file's content; remembered while its size and time of change stay.

    Raises:
        OSError: it cannot be read.
    """
    state = path.stat()
    return _read_code(path, state.st_size, state.st_mtime_ns, calls)


@lru_cache(maxsize=4096)
def _read_code(path: Path, _size: int, _changed: int, calls: bool) -> Content:
    content = path.read_bytes()
    found = imports_of(content, calls=calls) if path.suffix == ".py" else None
    return hashlib.sha256(content).hexdigest(), found
