"""A cell of one epoch that is done, trained once, copied for each test that may change it."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import make
from wisesr.cell.run import DONE, run


@pytest.fixture(scope="session")
def _done_once(_composed_once: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = copy.deepcopy(_composed_once)
    config["recipe"]["epochs"] = 1
    place = tmp_path_factory.mktemp("done")
    cell = make(config | {"output_dir": str(place / "outputs")}, place / "cell")
    assert run(cell) == DONE
    return cell


@pytest.fixture
def done(_done_once: Path, config: dict[str, Any], tmp_path: Path) -> Path:
    """Its directory; `config` is its configuration."""
    config["recipe"]["epochs"] = 1
    shutil.copytree(_done_once, tmp_path / "cell")
    make(config, tmp_path / "cell")
    return tmp_path / "cell"
