"""The job of a cluster that a cell was handed to: `submitted.json` in its directory. No torch."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from wisesr.results.atomic_files import read_json

SUBMITTED = "submitted.json"


class SubmittedJob(TypedDict):
    """A job of Slurm."""

    folder: str
    """Of submitit's files."""
    job: str
    """Its number."""


def submitted_job(directory: Path) -> SubmittedJob | None:
    """The job that a cell was last handed to, whether or not that still waits or runs; None where it was none of Slurm's."""
    note = read_json(directory / SUBMITTED)
    if not isinstance(note, dict) or note.get("kind") != "slurm" or not note.get("job"):
        return None
    return SubmittedJob(folder=str(note.get("folder")), job=str(note["job"]))
