"""The states of a cell, wherever one is shown: on disk, in a grid, in `wisesr status`, in a report."""

from __future__ import annotations

from enum import Enum


class State(str, Enum):
    """Where a cell stands. Its value is the word that users read and `status.json` holds."""

    WAITING = "waiting"
    """Not begun."""
    QUEUED = "queued"
    """In a grid: its job waits in the queue of a cluster."""
    STARTING = "starting"
    """Its process runs, and does not train yet."""
    TRAINING = "training"
    TESTING = "testing"
    RUNNING = "running"
    """In a grid, and where states are counted: starting, training or testing."""
    INTERRUPTED = "interrupted"
    """Begun, and no process runs it."""
    FAILED = "failed"
    DONE = "done"
    SKIPPED = "skipped"
    """In a grid: done before."""
    BUSY = "busy"
    """In a grid: another process runs it."""
    BY_HAND = "by hand"
    """In a grid: its command is for the user to start, on each of its machines."""
    MISSING = "missing"
    """In a report: others of its kind are there."""
    DAMAGED = "damaged"
    """A file of it cannot be read, or contradicts another (`wisesr.damage`)."""
    NEWER = "newer version"
    """A newer version of wisesr made it, which alone can read it."""

    def __str__(self) -> str:
        """As status files, tables and messages have it: `by hand`."""
        return self.value

    @property
    def is_running(self) -> bool:
        """Whether a process is at it."""
        return self in (State.STARTING, State.TRAINING, State.TESTING, State.RUNNING)

    @property
    def is_done(self) -> bool:
        """Whether it has its record."""
        return self in (State.DONE, State.SKIPPED)

    @property
    def is_left_alone(self) -> bool:
        """Whether nothing may be trained or written there until somebody has looked at it."""
        return self in (State.DAMAGED, State.NEWER)
