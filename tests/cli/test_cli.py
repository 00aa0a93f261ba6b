"""The `wisesr` command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.words import broken_words
from wisesr.cli import main
from wisesr.config.identity import cell_dir
from wisesr.grid.cell_dirs import check_cells, write_cell
from wisesr.program import CHECKOUT
from wisesr.results.lock import locked
from wisesr.results.state import State
from wisesr.results.status_file import write_status


def test_the_table_tells_where_each_cell_stands(config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    cells = check_cells([config | {"seed": seed} for seed in range(3)])
    for cell in cells:
        write_cell(cell)
    write_status(cells[1].directory, state=State.FAILED, reason="the disk is full", told=True)
    write_status(cells[2].directory, state=State.TRAINING, epoch=1, epochs=3)
    nested = cells[0].directory / "wandb" / "run-1" / "files"  # an online run of W&B keeps a config.yaml of its own
    nested.mkdir(parents=True)
    (nested / "config.yaml").write_text("wandb_version: 1\n")
    with locked(cells[2].directory):
        assert main(["status", config["output_dir"], "--table"]) == 0
    words = capsys.readouterr().out
    lines = [line for line in words.splitlines() if line.strip().startswith("corners-64")]
    assert [line.split()[-1] for line in lines[:3]] == ["waiting", "failed", "training"]
    assert "failed: the disk is full" in words
    assert main(["status", config["output_dir"], "--table"]) == 0
    assert "interrupted" in capsys.readouterr().out


def test_status_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], config: dict[str, Any]) -> None:
    assert main(["status", str(tmp_path)]) == 1
    assert "there are no cells below" in capsys.readouterr().err
    assert not cell_dir(config).exists()


def test_status_answers_without_torch(config: dict[str, Any]) -> None:
    (cell,) = check_cells([config])
    write_cell(cell)
    code = "import sys; from wisesr.cli import main; main(); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, "status", config["output_dir"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "1 cell: 1 waiting; time left unknown"
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    "command",
    [[], *([name] for name in ("status", "report", "evaluate", "predict", "explain", "export", "sync", "data"))]
    + [["data", name] for name in ("check", "prepare", "show")],
)
def test_help_fits_80_columns(command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """But for addresses, and no word of it is broken."""
    texts = []
    for width in ("80", "400"):
        monkeypatch.setenv("COLUMNS", width)
        with pytest.raises(SystemExit):
            main([*command, "--help"])
        texts.append(capsys.readouterr().out)
    assert [line for line in texts[0].splitlines() if len(line) > 80 and "https://" not in line] == []
    assert broken_words(*texts) == []


def test_the_help_of_training_fits_80_columns() -> None:
    text = (ROOT / "conf" / "hydra" / "help" / "wisesr.yaml").read_text(encoding="utf-8")
    assert max(map(len, text.replace("${program:}", CHECKOUT).splitlines())) <= 82, "indented by two in the file"


def test_a_command_that_there_is_not_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    for name, part in (("statsu", "Did you mean status? There are: cache, clean, "), ("trian", "Did you mean train")):
        with pytest.raises(SystemExit) as exit:
            main([name])
        assert exit.value.code == 2 and part in capsys.readouterr().err
