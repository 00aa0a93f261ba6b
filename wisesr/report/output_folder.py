"""The folder of a report: the old report stays whole until the new one is, and files of others are neither lost nor listed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from wisesr.errors import UserError
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.lock import acquire_lock
from wisesr.results.store import find_cells
from wisesr.results.writable import require_writable_folder
from wisesr.wording import count_of, some_of

MANIFEST = "report.json"
SCHEMA = 1
PUBLICATION = "publication"
"""Key of the manifest of a publication: its version. Unlike that of a report it lists cells."""
_BUILDING = ".building"
_OWN = {_BUILDING, ".lock"}


def check_folder(option: str, output: Path) -> None:
    """Refuse a folder that holds something else than a report, before anything is computed; nothing is made.

    Args:
        option: of the command that names the folder, for the message.
        output: the folder, which need not exist.

    Raises:
        UserError: it lies in a cell, holds cells or other things than a report, is a file, or cannot be written; a report
            would replace a publication.
    """
    require_writable_folder(option, output)
    names = {path.name for path in output.iterdir()} - _OWN if output.exists() else set()
    if names and MANIFEST not in names:
        cells = len(find_cells(output))
        content = count_of(cells, "cell") if cells else some_of(sorted(names), 3)
        raise UserError(f"{option}: {output} holds {content}, and is no report: name another folder with {option}")
    if option != "--publish" and names and PUBLICATION in (_manifest(output) or {}):
        raise UserError(f"{option}: {output} is a publication, whose cells would be deleted: name another folder with {option}")


def replace_report(output: Path, write: Callable[[Path], dict[str, Any]]) -> None:
    """Build a report, then put it in the place of the one that is there.

    Files of the old report that the new one does not have are deleted; files of others stay.

    Args:
        output: the folder.
        write: fills an empty folder, and returns what the manifest says besides the files.

    Raises:
        UserError: another process is writing this report.
    """
    output.mkdir(parents=True, exist_ok=True)
    lock = acquire_lock(output)
    if lock is None:
        raise UserError(f"another process is writing the report in {output}")
    with lock:
        building = output / _BUILDING
        shutil.rmtree(building, ignore_errors=True)  # of one that was killed
        building.mkdir(parents=True)
        try:
            description = write(building)
            _swap(building, output, description)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _swap(building: Path, output: Path, description: dict[str, Any]) -> None:
    """Move the new files in, one by one; the manifest lists all of them at any moment, so that a kill is cleaned up."""
    new = sorted(path.relative_to(building).as_posix() for path in building.rglob("*") if path.is_file())
    old = _listed_files(output)
    if foreign := [name for name in new if name not in old and (output / name).exists()]:
        raise UserError(f"{output / foreign[0]} is no file of the report in {output}, and would be replaced: move it away")
    manifest = {"schema": SCHEMA, **description}
    write_json(output / MANIFEST, manifest | {"files": sorted({*old, *new})})
    for name in new:
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(building / name, output / name)
    for name in set(old) - set(new):
        _remove(output, name)
    write_json(output / MANIFEST, manifest | {"files": new})


def _manifest(output: Path) -> dict[str, Any] | None:
    manifest = read_json(output / MANIFEST)
    return manifest if isinstance(manifest, dict) else None


def _listed_files(output: Path) -> Sequence[str]:
    """The files that the old manifest lists; paths out of the folder are not believed."""
    listed = (_manifest(output) or {}).get("files", [])
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return [name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]


def _remove(output: Path, name: str) -> None:
    """A file, and the folder that it leaves empty."""
    path = output / name
    if path.is_file() or path.is_symlink():
        path.unlink()
    parent = path.parent
    if parent != output and parent.is_dir() and not any(parent.iterdir()):
        parent.rmdir()
