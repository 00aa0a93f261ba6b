"""Finished toy cells to be measured again."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.cells import make
from wisesr.cell.run import DONE, run
from wisesr.config.identity import cell_dir
from wisesr.config.options import load_option


def trained(config: Mapping[str, Any], outputs: Path, changes: Mapping[str, Any] | None = None) -> Path:
    """A cell that was trained in this process, in its place below `outputs`; changes are by dotted name."""
    changed = copy.deepcopy(dict(config)) | {"output_dir": str(outputs)}
    for name, value in (changes or {}).items():
        *groups, key = name.split(".")
        node = changed
        for group in groups:
            node = node[group]
        node[key] = value
    cell = make(changed, cell_dir(changed))
    assert run(cell) == DONE
    return cell


def head(name: str) -> dict[str, Any]:
    """A node of `head`, as a configuration has it."""
    return load_option("head", name) | {"name": name}
