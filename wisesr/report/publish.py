"""A study for others: its records and its report in a folder that says nothing of the machine and the people it comes from.

The report is made of the copies, so that it can hold no more than they do, and `wisesr report` of the folder makes it again.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wisesr.config.files import load_cell, to_yaml
from wisesr.config.identity import cell_dir
from wisesr.errors import UserError
from wisesr.report.anonymous import LEFT_OUT, Anonymiser
from wisesr.report.output_folder import MANIFEST, check_folder, replace_report
from wisesr.report.study import ReportCell
from wisesr.report.tables.sentences import study_states
from wisesr.report.whole_study import Study
from wisesr.results.atomic_files import read_arrays, read_json, write_json, write_text
from wisesr.results.cell_files import CODE, CONFIG, PREDICTIONS, RESULT, STATUS
from wisesr.results.kernels import KERNELS
from wisesr.results.metrics import METRICS
from wisesr.results.state import State
from wisesr.wording import count_of, some_of

CELLS, PAGE_FOLDER, README = "cells", "page", "README.md"
_COPIED = (METRICS, PREDICTIONS, KERNELS, CODE)
"""Files of a cell that hold numbers and names of images and classes, and nothing else."""
PUBLICATION = 1
"""Version of its layout, in its manifest."""
_SHOWN = 3

Report = Callable[[Path, Path], Any]
"""Writes the report of the cells below a folder into another."""


def check_publication(output: Path, roots: Sequence[Path]) -> None:
    """Refuse a folder that holds something else than a former publication, before anything is computed.

    Args:
        output: the folder.
        roots: what is published: a copy below one would be read as part of the study the next time.

    Raises:
        UserError: it does, or cannot be written; it lies in a study; another file than its own lies in it, which would be
            published too.
    """
    check_folder("--publish", output)
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file() and path.name != ".lock"}
    written = read_json(output / MANIFEST)
    manifest: dict[str, Any] = written if isinstance(written, dict) else {}
    if names and manifest.get("publication") != PUBLICATION:
        raise UserError(f"--publish: {output} holds a report and no publication: name another folder, or remove it")
    for root in roots:
        if output.resolve().is_relative_to(root.resolve()):
            raise UserError(f"--publish: {output} lies in {root}, whose cells are published: name a folder elsewhere")
    if not names or not isinstance(manifest, dict):
        return
    listed = {name for name in manifest.get("files", ()) if isinstance(name, str)} | {MANIFEST}
    if foreign := sorted(names - listed):
        raise UserError(f"--publish: {output} holds what would be published too: {some_of(foreign, _SHOWN)}. Move it away")


def publish(
    study: Study, output: Path, report: Report, *, version: str, again: str, files: Mapping[str, Path], private: Iterable[str]
) -> None:
    """Write the publication of a study's cells, in the place of a former one.

    Args:
        study: with at least one finished cell.
        output: the folder, which `check_publication` has accepted.
        report: writes the page of the copies.
        version: of wisesr.
        again: the command that makes the report again, run in the folder.
        files: names of further files of the publication, and what they are copied from.
        private: absolute paths that must stand nowhere.

    Raises:
        UserError: one of them does, in a name of an image or class, say; nothing is published then.
    """
    cells = study.cells
    searched = _outermost({*private, *_paths(cells)})

    def write(folder: Path) -> dict[str, Any]:
        _copy_cells(cells, folder)
        for name, path in files.items():
            shutil.copyfile(path, folder / name)
        _refuse_private(folder, searched)
        write_text(folder / README, _readme(study, cells, version, again), durable=False)
        report(folder, folder / PAGE_FOLDER)
        (folder / PAGE_FOLDER / ".lock").unlink(missing_ok=True)
        return {"publication": PUBLICATION, "wisesr": version, "command": again, "cells": len(cells)}

    replace_report(output, write)
    (output / ".lock").unlink(missing_ok=True)


def _copy_cells(cells: Sequence[ReportCell], folder: Path) -> None:
    anonymous = Anonymiser()
    joint = _joint_study(cells)
    for cell in cells:
        config = load_cell(cell.directory)
        name = joint or str(config["study"])
        known = cell.record.fingerprint if cell.record else None
        place = _free(folder / CELLS / cell_dir({**config, "output_dir": "", "study": name}, known))
        place.mkdir(parents=True)
        write_text(place / CONFIG, to_yaml(anonymous.config(config, name)), durable=False)
        if cell.record is None:
            _copy_state(cell, place)
            continue
        content = json.loads((cell.directory / RESULT).read_text(encoding="utf-8"))
        write_json(place / RESULT, anonymous.record(content, name), durable=False)
        for file in _COPIED:
            if (cell.directory / file).is_file():
                shutil.copyfile(cell.directory / file, place / file)


def _copy_state(cell: ReportCell, place: Path) -> None:
    """That a training failed belongs to what is said of the others; why, in words that may name files, does not."""
    if cell.state is State.FAILED:
        write_json(place / STATUS, {"state": cell.state, "reason": "its reason is not published"}, durable=False)
    elif cell.state is not State.WAITING:
        write_json(place / STATUS, {"state": State.INTERRUPTED}, durable=False)


def _joint_study(cells: Sequence[ReportCell]) -> str:
    """One name for studies that were reported together, as they would have tables of their own else; empty where they have."""
    if any(cell.place.study for cell in cells):
        return ""
    return "+".join(sorted({str(cell.config["study"]) for cell in cells}))


def _free(place: Path) -> Path:
    """Two finished cells are of one computation where their images differ."""
    number, free = 1, place
    while free.exists():
        number += 1
        free = place.with_name(f"{place.name}-{number}")
    return free


def _paths(cells: Sequence[ReportCell]) -> set[str]:
    """Absolute paths that the cells know: of their datasets, of what they keep, of their outputs, of their own directories."""
    datasets = [cell.config["dataset"] for cell in cells]
    roots = {str(dataset.get(key) or "") for dataset in datasets for key in ("root", "cache_dir")}
    roots |= {str(cell.config["output_dir"]) for cell in cells}
    return {path for path in roots if path.startswith("/")} | {str(cell.directory.resolve()) for cell in cells}


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those below no other: a text without the outer one has none of what lies in it. Of 600 cells it is their outputs."""
    kept: list[str] = []
    for path in sorted({path.rstrip("/") for path in paths} - {""}):
        if not any(path.startswith(f"{outer}/") for outer in kept):
            kept.append(path)
    return kept


def _refuse_private(folder: Path, paths: Sequence[str]) -> None:
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        text = _text(file)
        for path in (path for path in paths if path in text):  # an expression of many paths takes minutes for hundreds of cells
            if re.search(rf"(?<![\w.-]){re.escape(path)}(?![\w.-])", text):
                raise UserError(f"--publish: {file.relative_to(folder)} would hold the path {path}: nothing was published")


def _text(file: Path) -> str:
    """All that can be read in a file; of arrays, the texts."""
    if file.suffix != ".npz":
        return file.read_text(encoding="utf-8", errors="replace")
    arrays: Mapping[str, Any] = read_arrays(file) or {}
    return "\n".join(str(text) for array in arrays.values() if array.dtype.kind in "US" for text in array.ravel())


def _readme(study: Study, cells: Sequence[ReportCell], version: str, again: str) -> str:
    names = sorted({str(cell.config["study"]) for cell in cells})
    commits = sorted({cell.record.provenance.commit or "unknown" for cell in cells if cell.record})
    return "\n".join(
        [
            f"# {', '.join(names)}",
            "",
            f"{count_of(len(cells), 'training')} and their report, published by `wisesr report --publish`, "
            f"wisesr {version} ({study_states(study)}).",
            "",
            f"- `{PAGE_FOLDER}/index.html`: the report, one file that needs no network; beside it tables and figures",
            f"- `{CELLS}/`: a folder a training: `{RESULT}` (figures and where they come from), `{CONFIG}`, `{METRICS}` (a row",
            f"  an epoch), `{PREDICTIONS}` (probabilities of the test images), `{KERNELS}` for heads that learn one",
            f"- code: {', '.join(f'`{commit}`' for commit in commits)}",
            "",
            f"With wisesr {version} tables and figures can be made again in this folder, with no data and no GPU:",
            "",
            f"    {again}",
            "",
            "What was left out, or rewritten:",
            "",
            *(f"- {what}" for what in LEFT_OUT),
            "",
            "A `config.yaml` here is the computation as it was, but for `dataset.root`, `dataset.cache_dir`, `output_dir` and",
            "`logger`: those are to be set before it is trained again.",
            "",
        ]
    )
