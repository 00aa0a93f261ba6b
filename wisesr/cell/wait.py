"""How OpenMP's threads wait for one another in a cell: by environment variables, set before torch is imported. No torch.

Between two operations of a step the threads of torch's pool spin, libgomp's 300,000 times, some milliseconds, so that the next
operation finds them awake. Where other work wants the cores they spin on what the thread that they wait for needs, and two jobs
of two threads on two cores take 4 to 10 times as long each. libgomp reads its variables once, when it is loaded:
https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html
Measured by benchmarks/busy.py. What is computed is the same: only the way of waiting differs.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""By which users decide for themselves; the last is of LLVM's and Intel's OpenMP."""

AUTO_SPINS = 2_000
_DEFAULT_SPINS = 300_000


def wait_variables(policy: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that a process which is about to import torch needs.

    Args:
        policy: `grid.wait`: auto spins shortly, spin as long as libgomp does by itself, passive not at all.
        environment: of that process, before. What a user has set there stands: nothing is added.
    """
    if _set(environment):
        return {}
    if policy == "auto":
        return {"GOMP_SPINCOUNT": str(AUTO_SPINS)}
    if policy == "spin":
        return {"GOMP_SPINCOUNT": str(_DEFAULT_SPINS)}  # said, so that the cell does not choose again
    if policy == "passive":
        return {"OMP_WAIT_POLICY": "PASSIVE"}
    raise ValueError(f"grid.wait must be one of auto, spin, passive, not {policy!r}")


def describe_wait(environment: Mapping[str, str]) -> str:
    """For the log of a cell: by which variables its threads wait."""
    return f"how its threads wait for one another: {_told(environment) or 'as their library does by itself'}"


def wait_note(policy: str, environment: Mapping[str, str]) -> str:
    """For whoever asked for a policy where the environment has one already, which stands; empty if nothing is to be said."""
    if policy == "auto" or not _set(environment):
        return ""
    return f"{_told(environment)} of the environment decides how threads wait, not grid.wait={policy}"


def _told(environment: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in _set(environment).items())


def _set(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in VARIABLES if name in environment}
