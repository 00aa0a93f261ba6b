"""Where a cell's run is seen, by what its record and its notes say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.studies import cell_config, write_cell
from tests.support.synced import pretend_offline
from wisesr.report.anonymous import Anonymiser
from wisesr.report.page.cell_details import cell_details
from wisesr.report.read import read_study
from wisesr.results.atomic_files import read_json, write_json
from wisesr.results.record_file import load_record
from wisesr.results.run_address import online_address, run_address, web_address
from wisesr.sync.uploads import Sent, note_success, read_notes, sent_of

ONLINE, LATER = "https://wandb.ai/me/wisesr/runs/aaaa1111", "http://wandb.example.org:8080/me/wisesr/runs/bbbb2222"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (ONLINE, True),
        (LATER, True),
        ("javascript:alert(1)", False),
        ("ftp://wandb.ai/me", False),
        ("https://user:password@wandb.ai/me", False),
        ("https:///me", False),
        ("https://wandb.ai/a b", False),
        ("https://[wandb.ai/", False),
        ("/home/me", False),
        (None, False),
        (7, False),
    ],
)
def test_addresses_that_may_be_followed(value: Any, found: bool) -> None:
    assert web_address(value) == (value if found else "")


def address(cell: Path) -> str:
    return run_address(cell, load_record(cell))


def test_a_run_that_was_online(tmp_path: Path) -> None:
    cell = write_cell(cell_config(tmp_path), provenance={"run": ONLINE})
    assert address(cell) == ONLINE
    write_json(cell / "wandb.json", {"id": "aaaa1111", "url": LATER})
    assert (online_address(cell), address(cell)) == (LATER, ONLINE), "the record says what was"
    (shown,) = read_study([tmp_path]).cells
    assert cell_details(shown)["run"] == ONLINE


def test_a_run_that_was_sent_later(tmp_path: Path) -> None:
    cell = write_cell(cell_config(tmp_path))
    assert (address(cell), online_address(cell)) == ("", "")
    folder = pretend_offline(cell)
    assert address(cell) == ""
    note_success(cell, Sent("bbbb2222", "me", "wisesr", folder.name, LATER))
    assert address(cell) == LATER
    (cell / "wandb" / "offline-run-20200101_000000-aaaa1111").mkdir()  # of an attempt before
    assert address(cell) == LATER
    pretend_offline(cell, "offline-run-20270101_000000-cccc3333")  # the cell was done anew
    assert address(cell) == ""


def test_notes_of_before_have_no_address(tmp_path: Path) -> None:
    cell = write_cell(cell_config(tmp_path))
    sent = {"id": "bbbb2222", "entity": "me", "project": "wisesr", "file": pretend_offline(cell).name}
    write_json(cell / "wandb.json", {"sent": sent})
    assert sent_of(read_notes(cell)) == Sent(**sent)
    assert address(cell) == ""
    for broken in ("", "[]", '{"sent": 3}', '{"sent": {"url": "javascript:alert(1)"}}'):
        (cell / "wandb.json").write_text(broken)
        assert (address(cell), sent_of(read_notes(cell))) == ("", None)


def test_a_record_with_another_thing_there_is_read(tmp_path: Path) -> None:
    for seed, value in enumerate((7, "", None, "javascript:alert(1)")):
        cell = write_cell(cell_config(tmp_path, seed=seed), provenance={"run": value})
        assert load_record(cell) is not None
        assert address(cell) == ""


def test_a_publication_has_none(tmp_path: Path) -> None:
    cell = write_cell(cell_config(tmp_path), provenance={"run": ONLINE})
    content: Any = read_json(cell / "result.json")
    assert ONLINE not in str(Anonymiser().record(content, "study"))
