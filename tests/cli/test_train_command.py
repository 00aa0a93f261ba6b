"""`wisesr train`: what `python train.py` does, called by its own name, with parts of the working folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from tests.support.command import TOY, train_here
from tests.support.paths import ROOT
from wisesr.cli import main
from wisesr.config.options import conf_dir
from wisesr.program import command_line, program


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("HYDRA_FULL_ERROR", "")
    monkeypatch.delenv("HYDRA_FULL_ERROR")
    monkeypatch.chdir(tmp_path)
    GlobalHydra.instance().clear()


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What `wisesr train` prints and ends with."""
    os.environ.pop("HYDRA_FULL_ERROR", None)  # which the command sets
    try:
        main(["train", *arguments])
    except SystemExit as end:
        text = str(end.code) if isinstance(end.code, str) else ""
    else:
        text = ""
    return capsys.readouterr().out + text


def test_help_and_errors_name_the_command_that_was_typed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = told(capsys, "--help")
    assert "  wisesr train -m head=wise,gap backbone=resnet50,densenet201" in text and "python train.py" not in text
    assert told(capsys, "seed=1,2") == "seed=1,2: several values are a sweep, which needs -m: wisesr train -m seed=1,2"
    other = train_here("--help", cwd=tmp_path).stdout
    assert other.replace("python train.py", "wisesr train") == text


def test_both_compose_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert told(capsys, *TOY, "head=gap", "--cfg", "job") == train_here(*TOY, "head=gap", "--cfg", "job", cwd=tmp_path).stdout


def test_the_command_is_kept_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (program(), command_line()) == ("python train.py", sys.argv)
    monkeypatch.setattr(sys, "argv", ["wisesr train", "-m", "seed=1,2"])
    assert (program(), command_line()) == ("wisesr train", ["wisesr", "train", "-m", "seed=1,2"])


def test_a_folder_called_conf_beside_the_package_is_not_taken_for_its_own() -> None:
    assert conf_dir() == ROOT / "conf"


@pytest.mark.slow
def test_a_head_of_the_working_folder_is_found(tmp_path: Path) -> None:
    """In a process of its own, as an installed script is: it has its own folder on the path, and not this one."""
    (tmp_path / "mine.py").write_text(
        "from wisesr.models.heads.gap import GlobalAverageHead\n\n\nclass Mine(GlobalAverageHead):\n    pass\n"
    )
    script = "import sys; sys.path[:] = [p for p in sys.path if p]; from wisesr.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "train", *TOY, "head=gap", "head._target_=mine.Mine"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (kept,) = tmp_path.rglob("command.json")
    assert json.loads(kept.read_text())[:2] == ["wisesr", "train"]
    assert re.search(r"digits-32 +test_efficientnet +gap", done.stdout)
