"""Filenames of a list as paths below the root. No torch."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from wisesr.errors import UserError


def path_reader(base: Path | None) -> Callable[[str], str]:
    """A function from filenames, folders separated by / or \\, to paths below the root with forward slashes.

    `base` is the root, below which absolute filenames may lie; None where there is none yet, and all must be relative. The
    function raises UserError for what is no path below the root.
    """
    roots = sorted({f"{base}", f"{base.absolute()}", f"{base.resolve()}"}) if base is not None else []
    real_folder = cache(os.path.realpath)

    def below(filename: str) -> str:
        path = filename.replace("\\", "/")
        if _is_plain(path):
            return path
        path = posixpath.normpath(path)
        if path.startswith("/"):
            real = posixpath.join(real_folder(posixpath.dirname(path)), posixpath.basename(path)) if roots else path
            for whole, root in ((whole, root) for whole in (path, real) for root in roots):
                if whole.startswith(f"{root}/"):
                    return whole[len(root) + 1 :]
        _refuse(filename, path, base)
        return path

    return below


def _is_plain(path: str) -> bool:
    """Whether a path is certainly one below the root as it stands: most of a long list are, and this takes little time."""
    special = "//" in path or "/." in path or ":" in path or "\n" in path or "\r" in path
    return not special and path[0] not in "/." and path[-1] != "/"


def _refuse(filename: str, path: str, base: Path | None) -> None:
    """Raise UserError for what cannot be a path below the root."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        raise UserError(f"filename {filename!r} is an address: only files below dataset.root are read")
    if "\n" in path or "\r" in path:
        raise UserError(f"filename {filename[:80]!r} goes over several lines: is there a quotation mark too many?")
    if path.startswith("/") or re.match(r"[A-Za-z]:/", path):
        way = _shorter(filename, path, base)
        raise UserError(f"filename {filename!r} must be a relative path that stays below the root{way}")
    if path in (".", "..") or path.startswith("../"):
        raise UserError(f"filename {filename!r} must be a relative path that stays below the root")


def _shorter(filename: str, path: str, base: Path | None) -> str:
    """Where the end of an absolute path, of another machine perhaps, is a file below the root: what to leave out."""
    if base is None:
        return ""
    parts = path.split("/")
    ends = ("/".join(parts[count:]) for count in range(1, len(parts)))
    if end := next((end for end in ends if os.path.isfile(f"{base}/{end}")), ""):  # noqa: PTH113 (no error of names too long)
        return f", and {end} is there: leave {filename[: -len(end)]} out of the list"
    return f", {base}"
