"""`cleaned.json`: what `wisesr clean` has taken out of a cell, and when, for whoever misses it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.cell_files import BEST, CLEANED
from wisesr.results.checkpoints import KEPT


def note_removal(directory: Path, names: Mapping[str, int]) -> None:
    """Note files and folders of a cell as removed now; those of earlier notes stay noted.

    Args:
        directory: of the cell.
        names: below it, with the bytes that each takes.
    """
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    now = {name: {"when": when, "bytes": count} for name, count in names.items()}
    write_json(directory / CLEANED, {"removed": _removed(directory) | now})


def removed_on(directory: Path, name: str) -> str | None:
    """The day on which a file of a cell was removed, `2026-11-28`, UTC; None where `wisesr clean` did not remove it."""
    noted = _removed(directory).get(name)
    when = noted.get("when") if isinstance(noted, dict) else None
    return when[:10] if isinstance(when, str) else None


def may_be_gone(directory: Path, config: Mapping[str, Any]) -> bool:
    """Whether a finished cell lacks its `best.ckpt` because somebody wanted so: `wisesr clean`, or its own settings."""
    keep = (config.get("trainer") or {}).get("keep_checkpoints", "all")
    return removed_on(directory, BEST) is not None or BEST not in KEPT[keep]


def _removed(directory: Path) -> dict[str, Any]:
    content = read_json(directory / CLEANED)
    removed = content.get("removed") if isinstance(content, dict) else None
    return removed if isinstance(removed, dict) else {}
