"""What a cell's process runs in: its packages, its environment, the command that started it. No torch, nothing secret.

Only variables of a list are kept, none of which holds a key, and what looks like one on a command line is made unreadable: a
record is published.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from wisesr.results.atomic_files import read_json, write_json

COMMAND = "command.json"
"""In a cell's directory: arguments of the command that wrote its `config.yaml`."""

_KEPT = (
    *("CUDA_DEVICE_ORDER", "CUDA_LAUNCH_BLOCKING", "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "NVIDIA_TF32_OVERRIDE"),
    *("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "TORCH_CUDNN_V8_API_DISABLED", "TORCHINDUCTOR_MAX_AUTOTUNE"),
    *("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTHONHASHSEED", "WORLD_SIZE"),
    *(
        "OMP_NUM_THREADS",
        "OMP_PROC_BIND",
        "KMP_AFFINITY",
        "KMP_BLOCKTIME",
        "OMP_WAIT_POLICY",
        "GOMP_SPINCOUNT",
        "MKL_CBWR",
        "MKL_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
    ),
    *("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_PARTITION", "SLURM_JOB_NUM_NODES"),
    *("SLURM_NNODES", "SLURM_NTASKS", "SLURM_CPUS_PER_TASK", "SLURM_GPUS", "SLURM_GPUS_ON_NODE"),
)
_KEPT_BEGINNINGS = ("NCCL_",)
_WORDS = "key|token|secret|passw|credential|auth|jwt"
_SECRET = re.compile(_WORDS, re.IGNORECASE)
_FLAG = re.compile(r"[-\u2010-\u2015\u2212]+[\w.@/+~-]+")
"""`--key`, also with the long dash of a mail, whose value may be the next word (`wisesr.config.flags`)."""
_IN_VALUE = re.compile(rf"""([\w.-]*(?:{_WORDS})[\w.-]*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,}}\]&]+)""", re.IGNORECASE)
"""`api_key: ...` of a dictionary, `?token=...` of a URL."""
_IN_URL = re.compile(r"(?<=://)[^/\s@]+(?=@)")
"""`user:password` before a host."""


def kept_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of the list, by name: what decides which devices, threads and algorithms a number came from."""
    names = [name for name in environment if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)]
    return {name: environment[name] for name in sorted(names) if not _SECRET.search(name)}


def packages_hash() -> str:
    """64 hexadecimal digits over the sorted lines `name==version` of all installed packages, as `pip freeze` has them.

    Names are as PyPI compares them (https://peps.python.org/pep-0503/#normalized-names); where a package was installed from, a
    path or a URL, is no part of it. A process looks once, as it imports each package once: parsing takes a fifth of a second.
    """
    return _packages_hash(tuple(sys.path))


@cache
def _packages_hash(path: tuple[str, ...]) -> str:
    found = set()
    for package in distributions(path=list(path)):
        said = package.metadata
        if "Name" in said:  # not so where a package was removed in part
            # Not `package.version`, which parses the file again.
            found.add((re.sub(r"[-_.]+", "-", said["Name"]).lower(), str(said["Version"])))
    return hashlib.sha256("".join(f"{name}=={version}\n" for name, version in sorted(found)).encode()).hexdigest()


def write_command(directory: Path, arguments: Sequence[str]) -> None:
    """Keep the arguments of the command that a cell is started by; it is no part of what names the cell."""
    write_json(directory / COMMAND, list(_without_secrets(arguments)))


def read_command(directory: Path) -> list[str]:
    """The arguments that `write_command` has kept; none of a cell whose directory was made otherwise."""
    kept = read_json(directory / COMMAND)
    return kept if isinstance(kept, list) and all(isinstance(argument, str) for argument in kept) else []


def _without_secrets(arguments: Iterable[str]) -> Iterator[str]:
    """A word behind `--logger.mine.api_key`, which has no = of its own, is its value."""
    is_secret = False
    for argument in arguments:
        yield "***" if is_secret else _without_secret(argument)
        is_secret = _FLAG.fullmatch(argument) is not None and _SECRET.search(argument) is not None


def _without_secret(argument: str) -> str:
    """`logger.mine.api_key=***`, `logger={mine: {api_key: ***}}`, `https://***@host`."""
    name, equals, _ = argument.partition("=")
    if equals and re.fullmatch(r"[\w.@/+~-]+", name) and _SECRET.search(name):
        return f"{name}=***"
    return _IN_VALUE.sub(r"\1***", _IN_URL.sub("***", argument))
