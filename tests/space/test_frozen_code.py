"""The frozen code of a study goes once no cell of it needs it any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cleaned import clean, trained
from tests.support.studies import cell_config, write_waiting
from wisesr.results.lock import locked


def freeze(root: Path) -> Path:
    """Code of a study, with a link to somebody's data."""
    (data := root.parent / "data").mkdir(exist_ok=True)
    (data / "precious.bin").write_text("data")
    place = root / "study" / ".code" / "0123"
    (place / "mine").mkdir(parents=True)
    (place / "mine" / "pool.py").write_text("x = 1\n" * 1000)
    (place / "mine" / "data").symlink_to(data.absolute())
    return root / "study" / ".code"


def test_it_goes_when_all_cells_are_finished(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(root)
    place = freeze(root)
    assert clean("--only", "best", "--yes") == 0 and place.exists()
    assert clean("--dry-run", "--list") == 0 and place.exists()
    out = capsys.readouterr().out
    assert "frozen code of studies whose cells are all finished" in out and f"{place}\n" in out
    assert clean("--keep", "all", "--only", "code", "--yes") == 0
    assert not place.exists() and (root.parent / "data" / "precious.bin").read_text() == "data"
    assert clean("--only", "code", "--yes") == 0 and "There is nothing to remove." in capsys.readouterr().out


def test_it_stays_while_a_cell_needs_it(root: Path) -> None:
    """Also where only a part of the study is cleaned."""
    trained(root)
    waiting = write_waiting(cell_config(root, head="wise"))
    place = freeze(root)
    assert clean("--yes") == 0 and place.exists()
    (waiting / "config.yaml").unlink()
    running = trained(root, seed=1)
    with locked(running):
        assert clean("--yes") == 0 and place.exists()
    assert clean("--yes") == 0 and not place.exists()
