"""What Slurm says of jobs: one question to `squeue` for all of them, every few seconds at most. No torch.

submitit asks `sacct` instead, which a cluster without accounting has not: it would warn every few seconds, and never learn that
a job was cancelled. `squeue` knows a job until some minutes after its end (MinJobAge: https://slurm.schedmd.com/slurm.conf.html);
of one that it knows no longer `sacct` is asked, where there is one.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

GONE = "GONE"
"""State of a job that Slurm no longer knows."""
_ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED"),
    *("TIMEOUT", GONE),
}
"""https://slurm.schedmd.com/job_state_codes.html; any other waits or runs."""
_NO_NODE = "its partition has not what hydra.launcher asks for (cpus_per_task, mem_gb, gpus_per_node, timeout_min)"
_STUCK = {
    "TimeLimit": "hydra.launcher.timeout_min is more than its partition allows",
    "WallDuration": "hydra.launcher.timeout_min is more than its account or QOS allows",
    "PartitionConfig": _NO_NODE,
    "BadConstraints": _NO_NODE,
    "PartitionDown": "its partition is closed",
    "PartitionInactive": "its partition is closed",
    "Held": "it is held: scontrol release JOB",
    "held": "it is held: scontrol release JOB",
    "NotAllowed": "its account or QOS may not use this partition",
    "Invalid": "its account or QOS is none",
    "ReqNodeNotAvail": "nodes that it could run on are down or reserved",
}
"""Parts of the reasons why a job waits that do not go by waiting, and what they mean:
https://slurm.schedmd.com/resource_limits.html#reasons"""
_SECONDS = 60.0
"""That a question to Slurm may take."""
_LEAST, _MOST = 5.0, 60.0
"""Seconds between two questions; they become rarer with time."""


class JobState(NamedTuple):
    """What Slurm says of a job."""

    name: str
    """PENDING, RUNNING, CANCELLED, ..."""
    reason: str = ""
    """Why it waits, or ended so: Resources, NonZeroExitCode; empty where there is none."""

    @property
    def ended(self) -> bool:
        """Whether it neither waits nor runs."""
        return self.name in _ENDED

    @property
    def waits(self) -> str:
        """Why it waits: `Resources`; empty where it does not."""
        return self.reason or self.name.lower() if self.name in ("PENDING", "REQUEUE_HOLD", "SPECIAL_EXIT") else ""

    @property
    def stuck(self) -> str:
        """What it waits for that its user has to see to; empty where waiting is enough."""
        return next((meaning for part, meaning in _STUCK.items() if part in self.waits), "")


class SlurmQueue:
    """Jobs of this command and where they stand; what Slurm said last is believed until it is asked again."""

    def __init__(self) -> None:
        self._states: dict[str, JobState] = {}
        self._began, self._asked = time.monotonic(), float("-inf")

    def look(self, job: str, *, since: float = float("-inf")) -> JobState:
        """Where a job stands.

        Args:
            job: its number.
            since: monotonic time; Slurm is asked anew if that was last done before it.

        Raises:
            OSError: nothing is known of it, and Slurm does not answer.
        """
        due = self._asked + min(_MOST, max(_LEAST, (time.monotonic() - self._began) / 10))
        known = job in self._states
        if not known or self._asked < since or time.monotonic() >= due:
            try:
                self.ask([job])
            except OSError:
                if not known:
                    raise
        return self._states[job]

    def ask(self, jobs: Sequence[str]) -> None:
        """Ask for these, and for all that were asked for before and are not forgotten, at once.

        Raises:
            OSError: Slurm does not answer.
        """
        self._asked = time.monotonic()
        if every := list(dict.fromkeys([*jobs, *self._states])):
            self._states = job_states(every)

    def forget(self, job: str) -> None:
        """Of a job that has ended nothing more is asked."""
        self._states.pop(job, None)


def job_states(jobs: Sequence[str]) -> dict[str, JobState]:
    """Of each job, where it stands now.

    Raises:
        OSError: Slurm does not answer.
    """
    rows = _rows(["squeue", "--noheader", "--all", "--states=all", "--format=%i|%T|%r", f"--jobs={','.join(jobs)}"])
    found = {number: JobState(state, "" if reason == "None" else reason) for number, state, reason in rows}
    if unknown := [job for job in jobs if job not in found]:
        found |= dict.fromkeys(unknown, JobState(GONE)) | _accounted(unknown)
    return {job: found[job] for job in jobs}


def _accounted(jobs: Iterable[str]) -> dict[str, JobState]:
    """What the accounting knows of jobs; nothing where there is none."""
    command = ["sacct", "--noheader", "--allocations", "--parsable2", "--format=JobID,State,Reason", f"--jobs={','.join(jobs)}"]
    try:
        rows = _rows(command)
    except OSError:
        return {}
    return {number: JobState(state.partition(" ")[0], "" if why == "None" else why) for number, state, why in rows}


def _rows(command: Sequence[str]) -> list[tuple[str, str, str]]:
    try:
        said = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise OSError(f"{command[0]} does not answer") from None
    if said.returncode and "Invalid job id" not in said.stderr:
        raise OSError(" ".join(said.stderr.split()) or f"{command[0]} ended with exit code {said.returncode}")
    lines = [line.strip().split("|", 2) for line in said.stdout.splitlines()]
    return [(parts[0], parts[1], parts[2]) for parts in lines if len(parts) == 3]
