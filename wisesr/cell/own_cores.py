"""CPUs that a process is bound to, before torch is imported, which counts them then. No torch."""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection

from wisesr.errors import UserError


def cpu_numbers(text: str) -> tuple[int, ...]:
    """For a command line: `0,1` -> (0, 1)."""
    try:
        return tuple(map(int, text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"numbers of CPUs with commas between them, as 0,1; not {text!r}") from None


def bind(cpus: Collection[int]) -> None:
    """This process, its threads and its processes run on these CPUs alone.

    Raises:
        UserError: it may use none of them, or the system binds no process (macOS).
    """
    if not hasattr(os, "sched_setaffinity"):
        raise UserError("--cpus: this system binds no process to CPUs; leave it out")
    try:
        os.sched_setaffinity(0, cpus)
    except (OSError, ValueError) as error:
        usable = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        raise UserError(f"--cpus={','.join(map(str, cpus))} cannot be had ({error}): this process may use {usable}") from error
