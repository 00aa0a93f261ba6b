"""How OpenMP's threads wait for one another in a cell: by environment variables, set before torch is imported. No torch.

Between two operations of a step the threads of torch's pool spin, 300,000 times by default, some milliseconds, so that the next
operation finds them awake. Where other work wants the cores, they spin on the one that the thread needs for which they wait: of
two jobs of two threads on two cores each took 3.5 to 18 times its idle step of ResNet18. With 2,000 spins it took 2.1 times
that, and as little as by default where nothing else ran, as most gaps between operations are shorter; without any 1.11 times
(`benchmarks/busy.py`). libgomp reads its variables once, when it is loaded:
https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html
Threads share out the same work and add up in the same order whatever they do meanwhile, so no number depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""By which users decide for themselves; the last is of LLVM's and Intel's OpenMP."""

_AUTO_SPINS = 2_000
_DEFAULT_SPINS = 300_000
"""Of libgomp where nothing is set."""


def wait_variables(policy: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that a process which is about to import torch needs.

    Args:
        policy: `grid.wait`: auto spins shortly, spin as long as libgomp does by itself, passive not at all.
        environment: of that process, before. What a user has set there stands: nothing is added.
    """
    if _set(environment):
        return {}
    if policy == "auto":
        return {"GOMP_SPINCOUNT": str(_AUTO_SPINS)}
    if policy == "spin":
        return {"GOMP_SPINCOUNT": str(_DEFAULT_SPINS)}  # said, so that the cell does not choose again
    if policy == "passive":
        return {"OMP_WAIT_POLICY": "PASSIVE"}
    raise ValueError(f"grid.wait must be one of auto, spin, passive, not {policy!r}")


def describe_wait(threads: int, environment: Mapping[str, str]) -> str:
    """For the log of a cell: by which variables its threads wait; empty where it has one."""
    return f"{threads} threads, which wait for one another by {_told(environment)}" if threads > 1 else ""


def wait_note(policy: str, environment: Mapping[str, str]) -> str:
    """For whoever asked for a policy where the environment has one already, which stands; empty if nothing is to be said."""
    if policy == "auto" or not _set(environment):
        return ""
    return f"{_told(environment)} of the environment decides how threads wait, not grid.wait={policy}"


def _told(environment: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in _set(environment).items())


def _set(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in VARIABLES if name in environment}
