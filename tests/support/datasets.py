"""Manifests of folders, as a cell has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.configs import composed
from wisesr.build.data import build_manifest
from wisesr.data.manifest import Manifest


def made(root: Path, *overrides: str, **arguments: Any) -> Manifest:
    return build_manifest(composed("dataset=folder", f"dataset.root={root}", *overrides), **arguments)
