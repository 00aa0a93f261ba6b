"""What `wisesr clean` leaves alone: what cells, users and the server still need."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.support.cleaned import BEST, LAST, add_checkpoints, clean, trained
from tests.support.studies import cell_config, write_failed, write_waiting
from tests.support.synced import pretend_offline
from wisesr.cli import main
from wisesr.results.lock import locked
from wisesr.results.store import find_cells
from wisesr.space.plan import Choice, make_plan
from wisesr.space.removal import ChangedError, clean_cell
from wisesr.sync.uploads import Sent, UploadState, note_success, read_sync_cell


def test_cells_that_need_their_files_are_left_alone(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running, redone, done = (trained(root, seed=seed, val_top1=0.5 - seed / 10) for seed in range(3))
    trained(root, seed=5, val_top1=0.9)
    interrupted, failed = write_waiting(cell_config(root, seed=3)), write_failed(cell_config(root, seed=4), "no memory")
    damaged = trained(root, seed=6)
    (damaged / "result.json").write_text("{")
    for cell in (interrupted, failed):
        add_checkpoints(cell)
    (redone / "redo").mkdir()
    (interrupted / ".last.ckpt.7.partial").write_bytes(b"half")
    with locked(running):
        assert clean("--yes") == 0
    for cell in (running, redone, interrupted, failed, damaged):
        assert (cell / "last.ckpt").exists() and (cell / "best.ckpt").exists()
        assert not (cell / "cleaned.json").exists()
    assert not (done / "last.ckpt").exists() and not list(interrupted.glob(".*.partial"))
    out = capsys.readouterr().out
    assert "as they run now: 1 cell." in out and "not finished and go on from their last.ckpt: 3 cells." in out
    assert f"Left alone, damaged: {damaged}" in out


def test_links_and_what_others_start_from_stay(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    linked, other, source = (trained(root, seed=seed, val_top1=0.5) for seed in range(3))
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    for name in ("best.ckpt", "last.ckpt"):
        shutil.move(linked / name, outside / name)
        (linked / name).symlink_to(outside / name)
    (outside / "events").write_text("not ours")
    (other / "tensorboard").symlink_to(outside)
    (other / "lightning").mkdir()
    (other / "lightning" / "link").symlink_to(outside)
    write_waiting(cell_config(root, study="later", changes={"backbone.weights": str((source / "best.ckpt").resolve())}))
    assert clean("--keep", "none", "--yes") == 0
    assert {path.name for path in outside.iterdir()} == {"best.ckpt", "last.ckpt", "events"}
    assert (linked / "best.ckpt").exists() and (other / "tensorboard").is_symlink() and not (other / "lightning").exists()
    assert (source / "best.ckpt").exists() and not (source / "last.ckpt").exists() and not (other / "best.ckpt").exists()
    assert "other cells start from it" in capsys.readouterr().out


def test_a_part_of_a_study_spares_what_the_rest_starts_from(root: Path) -> None:
    source = trained(root)
    write_waiting(cell_config(root, study="later", changes={"backbone.weights": str((source / "best.ckpt").resolve())}))
    assert main(["clean", str(source.parent), "--keep", "none", "--yes"]) == 0
    assert (source / "best.ckpt").exists() and not (source / "last.ckpt").exists()


def test_studies_that_were_moved_together_spare_what_they_start_from(root: Path, tmp_path: Path) -> None:
    source = trained(root)
    write_waiting(cell_config(root, study="later", changes={"backbone.weights": str((source / "best.ckpt").resolve())}))
    moved = root.rename(tmp_path / "archive")
    assert main(["clean", str(moved / "study"), "--keep", "none", "--yes"]) == 0
    place = moved / source.relative_to(root)
    assert (place / "best.ckpt").exists() and not (place / "last.ckpt").exists()


def test_bytes_with_another_name_are_not_freed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = trained(root)
    os.link(cell / "last.ckpt", tmp_path / "mine.ckpt")
    assert clean("--yes") == 0
    assert "0 B are free again." in capsys.readouterr().out
    assert (tmp_path / "mine.ckpt").stat().st_size == LAST


def test_runs_that_are_nowhere_else_stay(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unsent, sent, by_hand, online = (trained(root, seed=seed) for seed in range(4))
    note_success(sent, Sent("0000000a", "me", "elsewhere", pretend_offline(sent).name))
    pretend_offline(unsent)
    (pretend_offline(by_hand) / "run-abcd1234.wandb.synced").touch()
    (online / "wandb" / "run-20260101_000000-cccc1111" / "files").mkdir(parents=True)
    (online / "wandb" / "latest-run").symlink_to("run-20260101_000000-cccc1111")
    before = [read_sync_cell(cell, "name") for cell in (by_hand, online)]
    assert clean("--only", "loggers", "--yes") == 0
    assert [bool(list(cell.glob("wandb/*run-*/*"))) for cell in (unsent, sent, by_hand, online)] == [True, False, False, False]
    for cell, was in zip((by_hand, online), before, strict=True):  # `wisesr sync` knows them as before
        now = read_sync_cell(cell, "name")
        assert (now.state, now.identifier) == (was.state, was.identifier)
    assert read_sync_cell(sent, "name", project="elsewhere").state is UploadState.SENT
    assert read_sync_cell(sent, "name").state is UploadState.NO_FILES
    assert "not on the server: 1 W&B run." in capsys.readouterr().out
    assert clean("--only", "loggers", "--unsent", "--yes") == 0
    assert not list(unsent.glob("wandb/*run-*"))
    assert all((cell / "last.ckpt").exists() for cell in (unsent, sent, by_hand, online))


def test_a_cell_that_changed_since_it_was_told_of_is_left_alone(root: Path) -> None:
    anew, started, kept = (trained(root, seed=seed, val_top1=0.9 - seed / 10) for seed in range(3))
    choice = Choice(keep="none")
    plans = {plan.directory: plan for plan in make_plan(find_cells(root), choice).cells}
    record = json.loads((anew / "result.json").read_text())
    record["provenance"]["finished"] = "2026-11-28T12:00:00Z"
    (anew / "result.json").write_text(json.dumps(record))
    with pytest.raises(ChangedError, match="done anew"):
        clean_cell(plans[anew], choice)
    with locked(started), pytest.raises(ChangedError, match="another process holds it"):
        clean_cell(plans[started], choice)
    assert all((cell / "best.ckpt").exists() for cell in (anew, started))
    (kept / "tensorboard").mkdir()  # was not told of
    assert clean_cell(plans[kept], choice) == BEST + LAST
    assert (kept / "tensorboard").exists()
