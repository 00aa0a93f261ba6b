"""The folder of an evaluation: written whole beside what is there, then put in its place; nothing else is overwritten."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wisesr.errors import UserError
from wisesr.inference.evaluation.class_figures import calibration, class_figures, confusion_of
from wisesr.inference.evaluation.evaluation import Evaluation
from wisesr.inference.run import Run
from wisesr.results.atomic_files import read_json, write_json, write_text
from wisesr.results.cell_files import PREDICTIONS
from wisesr.results.lock import locked
from wisesr.results.predictions import write_predictions
from wisesr.results.provenance import hardware, versions
from wisesr.results.writable import require_writable_folder
from wisesr.wording import some_of

SCHEMA = 1
EVALUATION, PER_CLASS, CONFUSION = "evaluation.json", "per_class.csv", "confusion.csv"
RELIABILITY_SVG, RELIABILITY_PNG = "reliability.svg", "reliability.png"
FILES = (PREDICTIONS, PER_CLASS, CONFUSION, RELIABILITY_SVG, RELIABILITY_PNG, EVALUATION)
"""In the order in which they are put in place: where the last one is, all of them are of one evaluation."""
_BUILDING = ".evaluation-"
_PATIENCE = 10.0
"""Seconds to wait for another process that writes into the same folder."""


def identity_of(run: Run, kind: str, root: str | None, split: str) -> dict[str, Any]:
    """What tells an evaluation from others: the same again may take its place.

    Args:
        run: that is evaluated, at its resolution.
        kind: of the source of pictures.
        root: of the source, where it is another folder.
        split: that is evaluated.
    """
    place = root if kind == "folder" else None
    return {"fingerprint": run.record.fingerprint, "data": kind, "root": place, "split": split, "resolution": run.image_size}


def check_folder(output: Path, identity: Mapping[str, Any]) -> None:
    """Refuse a folder that holds something else than this evaluation, before anything is computed; nothing is made.

    Args:
        output: the folder.
        identity: of the evaluation, as of `identity_of`.

    Raises:
        UserError: it holds other things or another evaluation, lies in a cell, is a file, or cannot be written.
    """
    require_writable_folder("--output", output)
    there = output.iterdir() if output.exists() else ()
    names = {path.name for path in there if not path.name.startswith(".")}
    if others := sorted(names - set(FILES)):
        raise UserError(f"--output: {output} holds {some_of(others, 3)}, and is no evaluation: name another folder")
    known = read_json(output / EVALUATION)
    before = known.get("identity") if isinstance(known, dict) else None
    if before is not None and before != dict(identity):
        told = ", ".join(f"{key} {before.get(key)}" for key in identity if before.get(key) != identity[key])
        raise UserError(f"--output: {output} holds another evaluation ({told}): name another folder")


def write_evaluation(
    output: Path, run: Run, evaluation: Evaluation, *, identity: Mapping[str, Any], command: str, pictures: Mapping[str, bytes]
) -> dict[str, Any]:
    """All files of an evaluation, in the place of those of the same one before.

    Args:
        output: the folder, which `check_folder` has accepted.
        run: that was evaluated.
        evaluation: of it.
        identity: as of `identity_of`.
        command: that makes it again.
        pictures: drawn figures by the name of their file.

    Returns:
        The content of `evaluation.json`.
    """
    confusion, names = confusion_of(evaluation.predictions), evaluation.predictions.classes
    content = {"schema": SCHEMA, "identity": dict(identity), **as_dict(run, evaluation), "command": command}
    output.mkdir(parents=True, exist_ok=True)
    with locked(output, patience=_PATIENCE) as mine:
        if not mine:
            raise UserError(f"{output}: another process is writing an evaluation there; nothing was written")
        _remove_left(output)
        with tempfile.TemporaryDirectory(dir=output, prefix=_BUILDING) as made:
            building = Path(made)
            write_predictions(building, evaluation.predictions)
            write_text(building / PER_CLASS, _table(class_figures(confusion, names)))
            rows = ([name, *counts] for name, counts in zip(names, confusion.tolist(), strict=True))
            write_text(building / CONFUSION, csv_text([["true \\ predicted", *names], *rows]))
            for name, drawn in pictures.items():
                (building / name).write_bytes(drawn)
            write_json(building / EVALUATION, content)
            (output / EVALUATION).unlink(missing_ok=True)
            for name in FILES:
                if (building / name).exists():
                    os.replace(building / name, output / name)
        return content


def _remove_left(output: Path) -> None:
    """Delete what killed processes were writing."""
    for path in output.glob(f"{_BUILDING}*"):
        shutil.rmtree(path, ignore_errors=True)


def as_dict(run: Run, evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as plain data: which run, which pictures, what came of it, and how."""
    labels, source, agreement = run.labels, evaluation.source, evaluation.agreement
    compared = None
    if agreement is not None:
        compared = {
            "split": agreement.split,
            "equal": agreement.equal,
            "differences": {name: {"now": now, "record": then} for name, (now, then) in agreement.differences.items()},
            "reasons": list(agreement.reasons),
        }
    return {
        "run": {
            "directory": str(run.directory.resolve()),
            "fingerprint": run.record.fingerprint,
            **{name: getattr(labels, name) for name in ("study", "dataset", "backbone", "head", "seed", "protocol")},
            "epoch": run.record.best.epoch,
            "finished": run.record.provenance.finished,
        },
        "data": {
            **source._replace(notes=list(source.notes))._asdict(),  # type: ignore[arg-type]
            "images": len(evaluation.predictions.ids),
            "classes": list(evaluation.present),
            "unread": dict(evaluation.unread),
            "tiny": list(evaluation.tiny),
        },
        "resolution": {
            "size": run.image_size,
            "trained": run.config["resolution"]["size"],
            "resized": list(evaluation.resized),
        },
        "figures": dict(evaluation.figures),
        "calibration": [own._asdict() for own in calibration(evaluation.predictions)],
        "result.json": compared,
        "versions": versions(),
        "hardware": hardware(evaluation.device),
        "threads": evaluation.threads,
        "evaluated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _table(rows: Iterable[Any]) -> str:
    """Tuples with names as CSV."""
    listed = list(rows)
    return csv_text([listed[0]._fields, *listed])


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV: figures to the last bit, nothing for None."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([repr(cell) if isinstance(cell, float) else cell for cell in row] for row in rows)
    return text.getvalue()
