"""A finished toy cell, trained once, copied for each test that may change it."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import make
from wisesr.cell.run import DONE, run


@pytest.fixture(scope="session")
def _trained(_composed_once: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = copy.deepcopy(_composed_once)
    config["recipe"]["epochs"] = 1
    place = tmp_path_factory.mktemp("outputs") / "study" / "corners-64" / "toy-wise_dropout" / "seed-0-00000000"
    cell = make(config | {"output_dir": str(place.parents[3])}, place)
    assert run(cell) == DONE
    return cell


@pytest.fixture
def finished(_trained: Path, tmp_path: Path) -> Path:
    """The directory of a finished cell below `outputs` of the test's folder."""
    cell = tmp_path / "outputs" / _trained.relative_to(_trained.parents[3])
    shutil.copytree(_trained, cell)
    return cell
