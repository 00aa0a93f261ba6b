"""timm without wandb, on stand-ins of both that are imported anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from wisesr.models.timm_import import import_timm

SUMMARY = """
try:
    import wandb
except ImportError:
    pass

def update_summary():
    return wandb.log("figures")
"""


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a timm and a wandb, neither of which has been imported; afterwards all is as it was."""
    files = {
        "timm/__init__.py": "import timm.utils.summary",
        "timm/utils/__init__.py": "",
        "timm/utils/summary.py": SUMMARY,
        "wandb.py": "def log(what):\n    return f'logged {what}'",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in ("timm", "wandb")}
    for name in before:
        del sys.modules[name]
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("timm", "wandb")]:
        del sys.modules[name]
    sys.modules.update(before)


def summary() -> Any:
    return import_module("timm.utils.summary")


def test_wandb_is_imported_when_it_is_used(fresh: Path) -> None:
    import_timm()
    assert "timm" in sys.modules and "wandb" not in sys.modules
    assert summary().update_summary() == "logged figures", "by who uses what timm has it for"
    assert "wandb" in sys.modules


def test_a_users_own_import_is_as_ever(fresh: Path) -> None:
    import_timm()
    assert import_module("wandb").log("mine") == "logged mine"


def test_where_wandb_is_there_already_timm_takes_it(fresh: Path) -> None:
    wandb = import_module("wandb")
    import_timm()
    assert summary().wandb is wandb and sys.modules["wandb"] is wandb


def test_without_wandb_timm_is_as_it_would_be(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fresh / "wandb.py").unlink()
    monkeypatch.setattr("wisesr.models.timm_import.find_spec", lambda name: None)
    import_timm()
    assert not hasattr(summary(), "wandb")


def test_a_failure_leaves_no_bar(fresh: Path) -> None:
    """Else nobody could import wandb from then on."""
    (fresh / "timm/__init__.py").write_text("raise RuntimeError('broken')")
    with pytest.raises(RuntimeError, match="broken"):
        import_timm()
    assert "wandb" not in sys.modules


def test_the_real_one_asks_for_wandb_in_the_way_that_is_held_back() -> None:
    """A later timm may do it elsewhere: look at that again then."""
    module = import_module("timm.utils.summary")
    assert "import wandb" in Path(str(module.__file__)).read_text(encoding="utf-8")
