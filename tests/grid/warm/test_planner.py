"""Code that was edited while a warm parent imported it, or before the planner was forked."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.warm_toy import ToyParent
from wisesr.grid.cell_process import environment
from wisesr.grid.planning import planner_process
from wisesr.grid.warm import loaded
from wisesr.grid.warm.loaded import Loaded
from wisesr.grid.warm.parent import WarmSlot


@pytest.mark.parametrize("edited", [True, False])
def test_code_edited_since_the_parent_was_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: bool) -> None:
    """A Python of its own plans then: nobody is told that the planner was killed."""
    installed = tmp_path / "site-packages"
    installed.mkdir()
    slot = WarmSlot(lambda _: ToyParent(environment() | {"PYTHONPATH": f"{environment()['PYTHONPATH']}:{installed}"}), print)
    spawned: list[Any] = []
    monkeypatch.setattr(planner_process, "module_command", lambda *_: (sys.executable, "-c", "print('{}')"))
    spawn = planner_process._spawned
    monkeypatch.setattr(planner_process, "_spawned", lambda *given: spawned.append(spawn(*given)) or spawned[-1])
    ready = slot.ready

    def then_edited() -> Any:
        parent = ready()
        if edited:
            (installed / "new.py").touch()
        return parent

    monkeypatch.setattr(slot, "ready", then_edited)
    try:
        with tempfile.TemporaryFile() as errors, planner_process._child(errors, slot, "auto") as child:
            assert len(spawned) == edited
            if edited:
                assert json.loads(child.stdout.readline()) == {}
    finally:
        slot.drop()


def test_only_what_was_edited_while_it_imported_makes_it_stale_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a file that is dated in the future, as of a clock that was wrong: every parent would be stale for ever."""
    file = tmp_path / "module.py"
    monkeypatch.setattr(loaded, "_disk_state", lambda: {str(file): (0, file.stat().st_mtime_ns)})
    for after, stale in ((-(10**15), False), (10**15, False), (0, True)):
        held = Loaded()
        file.touch()
        when = file.stat().st_mtime_ns + after
        os.utime(file, ns=(when, when))
        held.note()
        assert held.is_stale is stale
        os.utime(file, ns=(when + 1, when + 1))
        assert held.is_stale, "edited later"
