"""Where a number comes from: commit, source, versions, hardware. No torch.

Whether the code of a finished cell has changed is told by hashes of its files (`results.code`) rather than by the commit: a
commit to the README changes no number, and an edit that is not committed may.
"""

from __future__ import annotations

import hashlib
import platform
import socket
import subprocess
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wisesr.results.atomic_files import read_json

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


SNAPSHOT = "snapshot.json"
"""Beside a package that is a copy: the commit of the checkout that it was made from; `uncommitted.diff` is what that lacks."""

LISTING = "listing-"
"""What a fingerprint of data begins with whose files were not read (`dataset.fingerprint=listing`)."""


def same_data(one: str, other: str) -> bool | None:
    """Whether two fingerprints are of the same data; None where they are of two kinds, and cannot tell."""
    return None if one.startswith(LISTING) != other.startswith(LISTING) else one == other


@lru_cache(maxsize=1)
def package_hash() -> str:
    """64 hexadecimal digits over every Python file of the package: what records of before 2026-11-30 know of their code."""
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
    if (copied := _copied()) is not None:
        return copied.get("commit")
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    head = _git("rev-parse", "HEAD")
    return head and head + ("-dirty" if _git("status", "--porcelain", "--untracked-files=no") else "")


def diff() -> bytes:
    """What tracked files of the checkout have that its commit has not, as `git diff HEAD`; empty outside a checkout."""
    if _copied() is not None:
        return (_PACKAGE.parent / "uncommitted.diff").read_bytes()
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return b""
    return _git_bytes("diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative") or b""


def _copied() -> dict[str, Any] | None:
    """What is said of a package that is a copy of code; None of any other."""
    found = read_json(_PACKAGE.parent / SNAPSHOT)
    return found if isinstance(found, dict) else None


def _git(*arguments: str) -> str | None:
    output = _git_bytes(*arguments)
    return None if output is None else output.decode("utf-8", "replace").strip()


def _git_bytes(*arguments: str) -> bytes | None:
    command = ["git", "-C", str(_PACKAGE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def versions() -> dict[str, str | None]:
    """Of Python and of the packages that a number may depend on; None for one that is not installed."""
    return {"python": platform.python_version()} | {name: installed_version(name) for name in _PACKAGES}


def installed_version(package: str) -> str | None:
    """Of a distribution; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def hardware(device: str) -> dict[str, str]:
    """This machine, and the device that was trained on: the GPU's name or "cpu"."""
    return {"host": socket.gethostname(), "device": device, "cpu": _processor(), "system": platform.platform()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
