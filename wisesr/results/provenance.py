"""Where a number comes from: commit, source, versions, hardware, data. No torch.

Whether the code of a finished cell has changed is told by a hash of the package's source rather than by the commit: a commit
to the README changes no number, and an edit that is not committed may.
"""

from __future__ import annotations

import hashlib
import platform
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent.parent
_PACKAGES = (
    "wisesr",
    "torch",
    "torchvision",
    "lightning",
    "timm",
    "torchmetrics",
    "numpy",
    "pillow",
    "hydra-core",
    "wandb",
)


@lru_cache(maxsize=1)
def source_hash() -> str:
    """64 hexadecimal digits over every Python file of the package."""
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def file_hash(path: Path) -> str:
    """64 hexadecimal digits over a file's content; remembered while its size and time of change stay."""
    state = path.stat()
    return _file_hash(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _file_hash(path: Path, _size: int, _changed: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def commit() -> str | None:
    """The checkout's commit, with "-dirty" where tracked files differ from it; None outside a checkout."""
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    head = _git("rev-parse", "HEAD")
    return head and head + ("-dirty" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(_PACKAGE), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def provenance(
    *,
    threads: int,
    attempts: int,
    sources: Sequence[str],
    device: str,
    weights: Mapping[str, Any],
    inputs: Mapping[str, Any],
    data_fingerprint: str,
    splits: Sequence[str],
    left_out: Sequence[str],
) -> dict[str, Any]:
    """The `provenance` of a record.

    Args:
        threads: CPU threads of the cell's process.
        attempts: how often the cell was started until it was done.
        sources: hashes of the code of all its attempts; more than one where it was edited in between.
        device: what it trained on, the GPU's name or "cpu".
        weights: what the backbone started from: `source`, `sha256` of its file where there is one, hash of its `tensors`.
        inputs: what images are normalised with: `mean` and `std` of RGB images in [0, 1], a number a channel; `order` where the
            channels are swapped.
        data_fingerprint: of the manifest.
        splits: of each image.
        left_out: images left out because they could not be read.
    """
    counts: Mapping[str, int] = Counter(splits)
    return {
        "commit": commit(),
        "source": source_hash(),
        "sources": list(sources),
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES},
        "hardware": {
            "host": socket.gethostname(),
            "device": device,
            "cpu": _processor(),
            "system": platform.platform(),
        },
        "threads": threads,
        "attempts": attempts,
        "weights": dict(weights),
        "inputs": dict(inputs),
        "data": {"fingerprint": data_fingerprint, "images": dict(counts), "left_out": list(left_out)},
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
