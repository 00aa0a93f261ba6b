"""A copy of code in a study, `<study>/.code/<hash>/`: wisesr, its conf/, and the files of others that its cells import.

Cells run from it (`grid.frozen=true`) whatever is edited meanwhile. wisesr is copied whole, 4 MB: who forks cells imports whole
packages. Of a package of somebody else's the files that are no Python, and those beside it, are links: data is not copied.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from wisesr.config.options import conf_dir
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.code_files import OWN, CodeFile
from wisesr.results.code_search import ROOT
from wisesr.results.provenance import SNAPSHOT, commit, diff, file_hash
from wisesr.results.uncommitted import DIFF

PROGRAMS = {"wisesr.cell": "run_cell.py", "wisesr.grid.warm": "run_warm.py", "wisesr.grid.planning.planner": "run_planner.py"}
"""Scripts of a snapshot, by the module that each runs.

`python -m` would look into the working folder first, which may be the checkout; the folder of a script comes before that.
"""
_SCRIPT = '''\
"""Runs {module} as it was when this folder was made (grid.frozen=true)."""

import os
import sys

sys.path.insert(1, os.getcwd())  # for what was not copied

from {main} import main

if __name__ == "__main__":
    import wisesr

    if not os.path.realpath(wisesr.__file__).startswith(os.path.dirname(os.path.realpath(__file__)) + os.sep):
        sys.exit("this is not the wisesr of the frozen code: " + wisesr.__file__)
    sys.exit(main())
'''


class Snapshot(NamedTuple):
    """Frozen code."""

    folder: Path
    """Absolute."""
    made: str
    """Time, UTC."""

    def path(self, live: tuple[str, ...]) -> tuple[str, ...]:
        """Where a process that runs from it looks for modules; `live` is where one that does not looks."""
        return (str(self.folder), *live)


def make_snapshot(place: Path, files: Mapping[str, CodeFile], made: str, base: Snapshot | None = None) -> Snapshot:
    """Copy wisesr and these files of others into a folder below `place` that is named after their content.

    Args:
        place: `.code` of a study.
        files: of others, by label.
        made: time, UTC.
        base: what is copied in the place of wisesr as it is now.

    Raises:
        OSError: it cannot be written.
    """
    place.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=place))
    work = making / "code"
    try:
        said = _begin(work, made, base)
        for label, file in files.items():
            _copy(file.path, work / label)
        for label, file in files.items():
            if "/" in label and not label.startswith(f"{OWN}/"):
                _link_beside(file.path.parent, (work / label).parent)
        write_json(work / SNAPSHOT, {**said, "files": _hashes(work)})
        folder = place / _name_of(_hashes(work))
        if not (folder / SNAPSHOT).is_file() or edited_in(Snapshot(folder, made)):
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(work, folder)
        return Snapshot(folder.absolute(), made)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def read_snapshot(folder: Path) -> Snapshot | None:
    """The snapshot in this folder; None where there is none, or half of one."""
    said = read_json(folder / SNAPSHOT)
    return Snapshot(folder.absolute(), str(said.get("made", ""))) if isinstance(said, dict) else None


def edited_in(snapshot: Snapshot) -> list[str]:
    """Labels of files in a snapshot that are not as they were when it was made; empty where it is whole.

    Python that was not there is one; files that are no Python may be left beside the code by whoever looks at it or runs it.
    """
    said, now = read_json(snapshot.folder / SNAPSHOT), _hashes(snapshot.folder)
    made = said.get("files") if isinstance(said, dict) else None
    if not isinstance(made, dict):  # by an earlier version, which noted only what is in the folder's name
        return [] if _name_of(now) == snapshot.folder.name else ["a file of it"]
    changed = {label for label in {*made, *now} if made.get(label) != now.get(label)} - {SNAPSHOT}
    if edited := sorted(label for label in changed if label in made or label.endswith(".py")):
        return edited
    return [] if _name_of(made | {SNAPSHOT: now[SNAPSHOT]}) == snapshot.folder.name else [SNAPSHOT]


def _begin(work: Path, made: str, base: Snapshot | None) -> dict[str, Any]:
    """What a snapshot has whatever its cells import.

    Returns:
        What its `snapshot.json` says beside its files.
    """
    if base is not None:
        shutil.copytree(base.folder, work, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        return dict(read_json(work / SNAPSHOT) or {})
    _copy_own(work)
    for module, script in PROGRAMS.items():
        main = f"{module}.__main__" if (ROOT / module.replace(".", "/")).is_dir() else module
        (work / script).write_text(_SCRIPT.format(module=module, main=main), encoding="utf-8")
    (work / DIFF).write_bytes(diff())
    return {"schema": 1, "made": made, "commit": commit()}


def _copy_own(work: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    shutil.copytree(ROOT / OWN, work / OWN, ignore=ignored)
    if conf_dir().parent == ROOT:
        shutil.copytree(conf_dir(), work / "conf", ignore=ignored)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _link_beside(source: Path, target: Path) -> None:
    """What lies beside a copied file of a package: Python is copied too, as it may be imported by name, all else is linked."""
    for path in source.iterdir():
        beside = target / path.name
        if beside.exists() or beside.is_symlink() or path.name == "__pycache__" or path.name.startswith("."):
            continue
        if path.suffix == ".py" and path.is_file():
            _copy(path, beside)
        else:
            beside.symlink_to(path.absolute())


def _hashes(folder: Path) -> dict[str, str]:
    """Of all files, by label, but links, what Python keeps of them, and what is hidden, which is never copied."""
    paths = sorted(_files(folder), key=lambda path: path.relative_to(folder).as_posix())
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in paths}


def _name_of(hashes: Mapping[str, str]) -> str:
    """The name of a snapshot with these files."""
    lines = (f"{label}\0{hashes[label]}\n" for label in sorted(hashes, key=PurePosixPath))
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        yield from (path for name in names if not name.startswith(".") and not (path := Path(place, name)).is_symlink())
