"""What a cell knows of its runs on the server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from tests.support.synced import pretend_offline
from wisesr.config.options import load_option
from wisesr.results.lock import locked
from wisesr.results.state import State
from wisesr.sync.uploads import Sent, UploadState, note_attempt, note_success, read_notes, read_sync_cell


@pytest.fixture
def cell(tmp_path: Path) -> Path:
    return write_cell(cell_config(tmp_path))


def state(cell: Path, **where: str) -> tuple[UploadState, str | None]:
    read = read_sync_cell(cell, "name", **where)
    return read.state, read.identifier


def test_a_life(cell: Path) -> None:
    assert state(cell) == (UploadState.NO_FILES, None)
    folder = pretend_offline(cell)
    assert state(cell) == (UploadState.OFFLINE, None)
    note_attempt(cell, "00000001")
    assert state(cell) == (UploadState.OFFLINE, None)
    note_success(cell, Sent("00000001", "me", "wisesr", folder.name))
    assert state(cell) == (UploadState.SENT, "00000001")
    assert state(cell, project="other") == (UploadState.OFFLINE, None)
    assert state(cell, entity="team") == (UploadState.OFFLINE, None)
    assert state(cell, entity="me", project="wisesr") == (UploadState.SENT, "00000001")


def test_uploads_of_before_are_remembered(cell: Path) -> None:
    folder = pretend_offline(cell)
    (cell / "wandb.json").write_text('{"id": "0000000f"}')  # of an online attempt
    for name in ("00000001", "00000002", "00000003"):
        note_attempt(cell, name)
        if name != "00000002":
            note_success(cell, Sent(name, "me", "wisesr", folder.name))
    notes = read_notes(cell)
    assert notes["id"] == "0000000f"
    assert notes["sent"]["id"] == "00000003"
    assert set(notes["replaced"]) == {"00000001", "00000002"}
    assert "tried" not in notes


def test_a_cell_done_anew_is_sent_anew(cell: Path) -> None:
    note_success(cell, Sent("00000001", "me", "wisesr", pretend_offline(cell).name))
    pretend_offline(cell, "offline-run-20260102_000000-bbbbbbbb")
    assert state(cell) == (UploadState.OFFLINE, None)


def test_a_run_that_was_sent_by_hand(cell: Path) -> None:
    folder = pretend_offline(cell)
    mark = folder / "run-abcd1234.wandb.synced"
    mark.touch()
    assert state(cell) == (UploadState.SENT, "abcd1234")
    note_attempt(cell, "00000001")  # which may have left that mark, and nothing on the server
    assert state(cell) == (UploadState.OFFLINE, None)


def test_online_runs(cell: Path) -> None:
    (cell / "wandb" / "run-20260101_000000-cccc1111").mkdir(parents=True)
    assert state(cell) == (UploadState.ONLINE, "cccc1111")
    (cell / "wandb.json").write_text('{"id": "dddd2222"}')
    assert state(cell) == (UploadState.ONLINE, "dddd2222")
    assert read_sync_cell(cell, "name").destination == (None, "wisesr")
    (cell / "wandb.json").write_text('{"id": "dddd2222", "sweep": "s", "url": "https://wandb.ai/team/a%20sweep/runs/dddd2222"}')
    assert read_sync_cell(cell, "name", project="other").destination == ("team", "a sweep"), "where the sweep has put it"
    pretend_offline(cell)  # the server was lost on the way, and the whole run kept
    assert state(cell) == (UploadState.OFFLINE, None)


@pytest.mark.parametrize("notes", ["", "[]", "null", '{"sent": 1}', '{"sent": {"id": 1}}', "{"])
def test_damaged_notes_are_none(cell: Path, notes: str) -> None:
    pretend_offline(cell)
    (cell / "wandb.json").write_text(notes)
    assert state(cell) == (UploadState.OFFLINE, None)


def test_an_empty_folder_is_no_run(cell: Path) -> None:
    (cell / "wandb" / "offline-run-20260101_000000-abcd1234").mkdir(parents=True)
    assert state(cell) == (UploadState.NO_FILES, None)


def test_unfinished_cells_and_their_reasons(tmp_path: Path) -> None:
    failed = write_failed(cell_config(tmp_path, seed=1), "out of memory")
    waiting = write_waiting(cell_config(tmp_path, seed=2))
    done = write_cell(cell_config(tmp_path, seed=3))
    record = json.loads((done / "result.json").read_text())
    (done / "result.json").write_text(json.dumps(record | {"config": None}))
    for cell in (failed, waiting, done):
        pretend_offline(cell)
    read = [read_sync_cell(cell, "name") for cell in (failed, waiting, done)]
    assert [cell.state for cell in read] == [UploadState.UNFINISHED] * 3
    assert [cell.detail for cell in read[:2]] == ["failed out of memory", "waiting"]
    assert read[2].detail.startswith("result.json: config is None. Way out: `rm ") and read[2].left is State.DAMAGED


def test_a_cell_that_runs_is_not_called_interrupted(tmp_path: Path) -> None:
    cell = write_waiting(cell_config(tmp_path))
    (cell / "status.json").write_text('{"state": "training", "epoch": 1, "epochs": 3}')
    with locked(cell):
        assert read_sync_cell(cell, "name").detail == "training"
    assert read_sync_cell(cell, "name").detail == "interrupted"


def test_what_went_there_without_this_command_went_where_its_configuration_says(tmp_path: Path) -> None:
    """Another project's workspace would name runs that are not in it."""
    online, by_hand = (write_cell(cell_config(tmp_path, seed=seed)) for seed in (0, 1))
    (online / "wandb" / "run-20260101_000000-cccc1111").mkdir(parents=True)
    (pretend_offline(by_hand) / "run-abcd1234.wandb.synced").touch()
    assert read_sync_cell(by_hand, "name").state is UploadState.SENT
    assert read_sync_cell(by_hand, "name", project="other").state is UploadState.OFFLINE
    assert read_sync_cell(online, "name", project="other", entity="team").destination == (None, "wisesr")


def test_the_destination_is_the_configuration_s_unless_it_is_named(tmp_path: Path) -> None:
    logger = load_option("logger", "wandb")
    logger["wandb"] |= {"project": "heads", "entity": "team"}
    cell = write_cell(cell_config(tmp_path, changes={"logger": logger}))
    assert read_sync_cell(cell, "name").destination == ("team", "heads")
    assert read_sync_cell(cell, "name", project="p").destination == ("team", "p")
    assert read_sync_cell(cell, "name", project="p", entity="e").destination == ("e", "p")
