"""Cells that nobody runs because their jobs wait in the queue of a cluster, and what Slurm says of these."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from wisesr.grid.cluster_queue import JobState, job_states
from wisesr.results.submitted import submitted_job


def queued_jobs(directories: Iterable[Path]) -> dict[Path, tuple[str, JobState]]:
    """Of cells that no process runs, the jobs that Slurm still has: number and state. Nothing where there is no Slurm."""
    jobs = {place: job["job"] for place in directories if (job := submitted_job(place)) is not None}
    if not jobs or shutil.which("squeue") is None:
        return {}
    try:
        states = job_states(list(jobs.values()))
    except OSError:
        return {}
    return {place: (job, states[job]) for place, job in jobs.items() if not states[job].ended}


def describe_job(number: str, state: JobState) -> str:
    """`slurm job 12 is pending (Resources)`."""
    why = f" ({state.reason})" if state.reason else ""
    stuck = state.stuck.replace("JOB", number)
    return f"slurm job {number} is {state.name.lower()}{why}{f': {stuck}' if stuck else ''}"
