"""A cell without its checkpoints: by `wisesr clean` or by trainer.keep_checkpoints, and how it gets them again."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

import wisesr
from tests.support.cells import make, weights
from wisesr.cell.run import DONE, RunOptions, run
from wisesr.cli import main
from wisesr.config.check import check
from wisesr.config.files import load_cell, to_yaml
from wisesr.config.identity import fingerprint
from wisesr.errors import UserError
from wisesr.results.checkpoints import KEPT
from wisesr.results.state import State
from wisesr.results.store import state_of


def has(cell: Path) -> set[str]:
    return {path.name for path in cell.glob("*.ckpt")}


def test_a_cleaned_cell_is_done_and_comes_back_to_the_bit(
    finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished.parents[4])
    before = weights(finished, "best.ckpt")
    assert main(["clean", "study", "--keep", "none", "--yes"]) == 0
    assert has(finished) == set()
    assert state_of(finished, running=False) == (State.DONE, "")
    assert run(finished) == DONE and has(finished) == set(), "the same command trains nothing"
    with pytest.raises(UserError) as raised:
        wisesr.load(finished)
    message = str(raised.value)
    assert "`wisesr clean` removed it on 20" in message and f"`python -m wisesr.cell {finished} --force`" in message
    assert "\n" not in message
    capsys.readouterr()
    assert main(["evaluate", str(finished)]) == 1
    assert capsys.readouterr().err.strip() == message
    assert main(["evaluate", "study"]) == 1
    assert "study has no finished cell to evaluate (1 without best.ckpt)" in (told := capsys.readouterr().err)
    assert "`python -m wisesr.cell DIRECTORY --force` trains a cell again" in " ".join(told.split())
    assert run(finished, RunOptions(force=True)) == DONE  # what the message says
    assert has(finished) == {"best.ckpt", "last.ckpt"} and not (finished / "cleaned.json").exists()
    again = weights(finished, "best.ckpt")
    assert before.keys() == again.keys() and all(value.equal(again[name]) for name, value in before.items())


def set_keep(cell: Path, keep: str) -> None:
    config = load_cell(cell)
    config["trainer"]["keep_checkpoints"] = keep
    (cell / "config.yaml").write_text(to_yaml(config))


@pytest.mark.parametrize("keep", KEPT)
def test_what_a_kill_left_goes_at_the_next_visit(finished: Path, keep: str) -> None:
    set_keep(finished, keep)
    assert run(finished) == DONE
    assert has(finished) == set(KEPT[keep])
    if "best.ckpt" not in KEPT[keep]:
        with pytest.raises(
            UserError, match=f"keep_checkpoints={keep}; the command .* trainer.keep_checkpoints=best grid.force=true"
        ):
            wisesr.load(finished)


def test_what_is_not_kept_goes_after_the_record_and_comes_back(config: dict[str, Any], tmp_path: Path) -> None:
    config["recipe"]["epochs"] = 1
    config["trainer"]["keep_checkpoints"] = "none"
    cell = make(config, tmp_path / "cell")
    assert run(cell) == DONE and has(cell) == set()
    shutil.copyfile(cell / "result.json", tmp_path / "before.json")
    (cell / "redo").mkdir()
    config["trainer"]["keep_checkpoints"] = "best"
    make(config, cell / "redo")  # as grid.force=true writes the configuration of its command
    assert run(cell, RunOptions(force=True)) == DONE
    assert has(cell) == {"best.ckpt"} and (cell / "result.json").read_bytes() != (tmp_path / "before.json").read_bytes()
    assert load_cell(cell)["trainer"]["keep_checkpoints"] == "best"
    wisesr.load(cell)


def test_it_is_no_part_of_a_cells_name_and_wrong_values_are_told(config: dict[str, Any]) -> None:
    other = copy.deepcopy(config)
    other["trainer"]["keep_checkpoints"] = "none"
    assert fingerprint(other) == fingerprint(config)
    other["trainer"]["keep_checkpoints"] = "both"
    (problem,) = check(other)
    assert "trainer.keep_checkpoints" in problem and "all, best, last, none" in problem and "both" in problem
