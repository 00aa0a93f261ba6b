"""The command that a cell's record, its W&B notes and its hints are told."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.support.command import TOY, train_here
from wisesr.config.command_line import arrange
from wisesr.program import INSTALLED, command_line, keep_typed
from wisesr.results.installation import read_command


def test_what_was_typed_is_kept_until_there_is_another_command(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = ["--seed=1", "resolution=112", "-m"]
    monkeypatch.setattr(sys, "argv", ["train.py", *arrange(typed).arguments])
    keep_typed(typed)
    assert command_line() == ["train.py", *typed]
    monkeypatch.setattr(sys, "argv", [INSTALLED, *sys.argv[1:]])
    assert command_line() == ["wisesr", "train", *typed]
    monkeypatch.setattr(sys, "argv", ["train.py", "seed=2"])
    assert command_line() == ["train.py", "seed=2"]


@pytest.mark.slow
def test_the_command_of_a_cell_can_be_copied(images: Path, tmp_path: Path) -> None:
    """A folder with everything that shells, Hydra and OmegaConf have a meaning for."""
    folder = tmp_path / "it's,a=${b} #(c)"
    folder.symlink_to(images)
    typed = (*TOY, "head=gap", "dataset=folder", "--seed=3", "dataset.csv=null", f"dataset.root={folder}", "dataset.name=odd")
    done = train_here(*typed, "-m", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (cell,) = (path.parent for path in tmp_path.glob("outputs/default/*/*/*/result.json"))
    command = shlex.join(read_command(cell))
    assert command.endswith(shlex.join([*typed, "-m"]))
    again = train_here(*shlex.split(command)[1:], cwd=tmp_path)
    assert "1 done already" in again.stdout
    assert "taken as one path" in again.stderr
