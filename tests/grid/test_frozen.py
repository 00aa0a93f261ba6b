"""Frozen code: what a study was begun with, whatever is edited meanwhile; what runs from it is that, and the rest is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.cells import make
from tests.support.gpus import GRID
from tests.support.paths import ROOT
from tests.support.records import finish
from wisesr.config.identity import cell_dir
from wisesr.errors import UserError
from wisesr.grid.cell_dirs import Cell
from wisesr.grid.cell_process import environment, module_command
from wisesr.grid.frozen import FrozenNow, freeze, frozen_snapshot
from wisesr.results import provenance
from wisesr.results.cell_files import FROZEN
from wisesr.results.lock import locked
from wisesr.results.store import find_cells

FILES = {
    "mine/__init__.py": "",
    "mine/pool.py": "from mine import helper\nTABLE = __file__[:-7] + 'table.txt'\n",
    "mine/helper.py": "VALUE = 'as planned'\n",
    "mine/by_name.py": "",
    "mine/table.txt": "data",
    "mine/data/large.bin": "data",
    "single.py": "import mine.helper\n",
    "apart.py": "",
}
FROZEN_GRID = GRID | {"frozen": True}
NOW = "2026-11-29T08:30:00Z"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with heads of one's own, in which commands are run."""
    folder = tmp_path / "here"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    return folder


def cell_of(config: Mapping[str, Any], target: str, study: str = "study") -> Cell:
    own = {**config, "study": study, "output_dir": "outputs", "head": {"name": "own", "_target_": target}}
    return Cell(own, cell_dir(own, "f" * 64))


def frozen(cells: list[Cell], said: list[str]) -> Path:
    folder = freeze(cells, FROZEN_GRID, NOW, said.append).folder(cells[0])
    assert folder is not None and folder.is_absolute()
    return folder


def python(folder: Path, code: str, cwd: Path) -> str:
    """What a script in the frozen code prints."""
    script = folder / "try_it.py"
    script.write_text((folder / "run_cell.py").read_text().partition("from ")[0] + code)
    env = environment(code=folder)
    done = subprocess.run([sys.executable, str(script)], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_is_frozen_unasked(config: dict[str, Any], here: Path) -> None:
    cell = cell_of(config, "mine.pool.Head")
    assert freeze([cell], GRID, NOW, pytest.fail).folder(cell) is None
    assert freeze([cell], FROZEN_GRID | {"plan": True}, NOW, pytest.fail).folder(cell) is None, "a plan writes nothing"
    assert not (here / "outputs").exists()


def test_what_runs_from_it_is_what_was_planned(config: dict[str, Any], here: Path) -> None:
    said: list[str] = []
    folder = frozen([cell_of(config, "mine.pool.Head"), cell_of(config, "single.Head")], said)
    assert folder.parent == here / "outputs" / "study" / FROZEN
    assert "frozen with mine/__init__.py, mine/helper.py, mine/pool.py, single.py" in said[0]
    shutil.rmtree(here / "mine" / "data")
    for name in ("mine/helper.py", "mine/by_name.py", "single.py"):
        (here / name).write_text("raise SystemExit('edited')\n")
    code = "import wisesr, mine.pool, single, mine.by_name, apart\nprint(mine.helper.VALUE, open(mine.pool.TABLE).read())\n"
    code += "print(wisesr.__file__)\n"
    first, second = python(folder, code, here).split("\n")
    assert first == "as planned data"
    assert second == str(folder / "wisesr" / "__init__.py")
    checkout = python(folder, "import wisesr; print(wisesr.__file__)", ROOT)
    assert checkout == second, "the working folder is the checkout, and does not come first"
    assert (folder / "mine" / "table.txt").is_symlink(), "data is not copied"
    assert not (folder / "apart.py").exists(), "which no cell imports, and which is found all the same"


def test_two_commands_do_not_freeze_a_study_at_once(
    config: dict[str, Any], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wisesr.grid.frozen._PATIENCE", 0.0)
    (here / "outputs" / "study").mkdir(parents=True)
    with locked(here / "outputs" / "study"), pytest.raises(UserError, match="another command is freezing .* study study"):
        freeze([cell_of(config, "mine.pool.Head")], FROZEN_GRID, NOW, pytest.fail)
    assert frozen_snapshot(here / "outputs" / "study") is None


def test_a_study_keeps_its_code(config: dict[str, Any], here: Path) -> None:
    said: list[str] = []
    cell = cell_of(config, "mine.pool.Head")
    before = FrozenNow().of(cell.config)
    folder = frozen([cell], said)
    assert frozen([cell], said) == folder and said[-1].endswith("(2026-11-29 08:30:00 UTC), which is as it is now.")
    (here / "mine" / "helper.py").write_text("VALUE = 'edited'\n")
    assert frozen([cell], said) == folder
    assert "(2026-11-29 08:30:00 UTC), not as it is now in mine/helper.py" in said[-1]
    assert "rm -r outputs/study/.code" in said[-1]
    assert FrozenNow().of(cell.config) == before, "by which its finished cells are judged"
    other = cell_of(config, "mine.pool.Head", "other")
    assert frozen([other], said) != folder and FrozenNow().of(other.config) != before
    plan = freeze([cell], FROZEN_GRID | {"plan": True}, NOW, pytest.fail)
    assert plan.folder(cell) == folder


def test_a_head_that_came_later_is_added(config: dict[str, Any], here: Path, tmp_path: Path) -> None:
    said: list[str] = []
    folder = frozen([cell_of(config, "mine.pool.Head")], said)
    (here / "mine" / "helper.py").write_text("VALUE = 'edited'\n")
    (here / "mine" / "later.py").write_text("from mine.helper import VALUE\nimport mine.more\n")
    (here / "mine" / "more.py").write_text("")
    for target, new in (("mine.later.Head", "mine/later.py, mine/more.py"), ("single.Head", "single.py")):
        extended = frozen([cell_of(config, target)], said)
        assert extended != folder and any(text.startswith(f"{new}, which study study was not frozen with") for text in said)
        assert extended == frozen([cell_of(config, "mine.pool.Head")], said), "of the cells that it had"
    assert python(extended, "import mine.later, single; print(mine.later.VALUE)", tmp_path) == "as planned"
    snapshot = frozen_snapshot(here / "outputs" / "study")
    assert snapshot is not None and (snapshot.folder, snapshot.made) == (extended, NOW)


def test_half_a_snapshot_is_none(config: dict[str, Any], here: Path) -> None:
    folder = frozen([cell_of(config, "mine.pool.Head")], [])
    place = folder.parent
    (folder / "snapshot.json").unlink()
    assert frozen_snapshot(place.parent) is None
    assert frozen([cell_of(config, "mine.pool.Head")], []) == folder, "the same content has the same name"
    (place / "current.json").write_text('{"snapshot": "../.code"}')
    assert frozen_snapshot(place.parent) is None
    assert {path.name for path in place.iterdir()} == {"current.json", folder.name}


def test_the_commit_is_that_of_the_checkout(config: dict[str, Any], here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit, diff = provenance.commit(), provenance.diff()
    folder = frozen([cell_of(config, "mine.pool.Head")], [])
    monkeypatch.setattr(provenance, "_PACKAGE", folder / "wisesr")
    assert (provenance.commit(), provenance.diff()) == (commit, diff)


def test_frozen_code_is_no_cell(config: dict[str, Any], here: Path) -> None:
    cell = cell_of(config, "mine.pool.Head")
    folder = frozen([cell], [])
    make(dict(cell.config), cell.directory)
    finish(cell.directory, cell.config)
    make(dict(cell.config), folder / "conf" / "seed-0")
    assert find_cells(Path("outputs")) == [cell.directory]


def test_programs_that_run_from_it() -> None:
    assert module_command("wisesr.cell") == [sys.executable, "-m", "wisesr.cell"]
    assert module_command("wisesr.cell", Path("/frozen")) == [sys.executable, "/frozen/run_cell.py"]
    paths = environment(code=Path("/frozen"))["PYTHONPATH"].split(os.pathsep)
    assert paths[:2] == ["/frozen", str(ROOT)]
