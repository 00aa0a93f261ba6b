"""What tells cells apart whose names are the same but for the fingerprint: `head.init=average`. No torch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from wisesr.results.cell_files import CONFIG

_COMPUTED = ("dataset", "resolution", "backbone", "head", "recipe", "augment", "protocol", "replicate")
"""Nodes of a configuration that say what is computed."""
_SHOWN = 3


def differing(cells: Sequence[Path]) -> list[str]:
    """For each cell the settings in which it differs from those beside it with its seed; empty where it is alone.

    Settings that only one of two files has are none: a file of an older version lacks what came later.
    """
    read = [_settings(cell) for cell in cells]
    texts = []
    for cell, own in zip(cells, read, strict=True):
        others = [it for other, it in zip(cells, read, strict=True) if other != cell and _name(other) == _name(cell)]
        keys = [key for key, value in own.items() if any(key in other and other[key] != value for other in others)]
        texts.append(" ".join(f"{key}={own[key]}" for key in keys[:_SHOWN]) + " ..." * (len(keys) > _SHOWN))
    return texts


def _name(cell: Path) -> tuple[Path, str]:
    """`.../resnet50-wise`, `seed-0`."""
    return cell.parent, cell.name.rpartition("-")[0]


def _settings(cell: Path) -> dict[str, str]:
    """Texts of settings by dotted name; none of a file that cannot be read."""
    try:
        config = yaml.safe_load((cell / CONFIG).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return _leaves({key: config.get(key) for key in _COMPUTED}, "") if isinstance(config, dict) else {}


def _leaves(node: Mapping[Any, Any], below: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in node.items():
        if isinstance(value, Mapping):
            found |= _leaves(value, f"{below}{key}.")
        else:
            found[f"{below}{key}"] = value if isinstance(value, str) else json.dumps(value, default=str)
    return found
