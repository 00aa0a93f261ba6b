"""Uploads with the real `wandb sync`, to a server on localhost that refuses, stalls and dies (`fake_wandb.py`).

What wandb.ai itself makes of the same requests is not tested.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_wandb import FakeRun, FakeServer, environment
from tests.support.paths import ROOT
from tests.support.synced import ROWS, offline_cell
from wisesr.results.lock import locked
from wisesr.results.run_address import run_address
from wisesr.sync.study_sync import send_all
from wisesr.sync.uploader import Uploader, UploadError
from wisesr.sync.uploads import UploadState, read_notes, read_sync_cell

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


def uploader(server: FakeServer, *, timeout: float = 60.0, again: bool = False) -> Uploader:
    return Uploader(timeout=timeout, again=again, environment=environment(server.url))


def send(server: FakeServer, cell: Path, **settings: Any) -> str:
    """The id that it has there."""
    return uploader(server, **settings).send(read_sync_cell(cell, "cell")).id


def command(server: FakeServer, root: Path, *arguments: str) -> tuple[int, str]:
    """`wisesr sync`, in a process of its own: wandb keeps its server for a whole process."""
    words = [sys.executable, "-m", "wisesr.cli", "sync", str(root), *arguments]
    variables = environment(server.url)
    done = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=180)
    return done.returncode, done.stdout + done.stderr


def require_whole(run: FakeRun) -> None:
    """Every epoch once, in order; finished; with its pictures and its table."""
    assert [row["_step"] for row in run.history if "epoch" in row] == [row["step"] for row in ROWS]
    assert run.state == "finished"
    assert run.starts == 1
    for part in ("images/hardest_", "images/confusion_", "table/predictions_", "table/confusion_chart_table_"):
        assert any(name.startswith(f"media/{part}") and content for name, content in run.uploads.items()), part
    assert run.summary["best/test/top1"] == 0.8


def shown(server: FakeServer) -> list[str]:
    """Ids that the only workspace shows."""
    (view,) = server.views.values()
    (runs,) = json.loads(view["spec"])["section"]["runSets"]
    (ids,) = [rule["value"] for rule in runs["filters"]["filters"] if rule["key"]["name"] == "name"]
    return sorted(ids)


def grids(server: FakeServer) -> list[dict[str, Any]]:
    """Of panels, of the only report."""
    (report,) = server.reports.values()
    return [block["metadata"] for block in json.loads(report["spec"])["blocks"] if block["type"] == "panel-grid"]


def told(server: FakeServer) -> list[str]:
    """Ids of the runs whose curves the only report shows."""
    (rule,) = grids(server)[-1]["runSets"][0]["filters"]["filters"]
    return sorted(rule["value"])


def picture_run(server: FakeServer) -> str:
    """The id of the run whose pictures it shows, and it has them."""
    (grid,) = grids(server)[:-1]
    (rule,) = grid["runSets"][0]["filters"]["filters"]
    (name,), (panel,) = rule["value"], grid["panelBankSectionConfig"]["panels"]
    (key,), run = panel["config"]["mediaKeys"], server.runs[name]
    assert (run.group, run.job, run.state) == ("study", "report", "finished")
    assert key in run.history[-1] and any(content for path, content in run.uploads.items() if key in path)
    return str(name)


def test_a_study_its_workspace_and_its_report(server: FakeServer, tmp_path: Path) -> None:
    cells = [offline_cell(tmp_path, head=head) for head in ("gap", "wise")]
    code, text = command(server, tmp_path)
    assert code == 0, text
    assert "2 of 2 runs were sent." in text
    ids = sorted(read_notes(cell)["sent"]["id"] for cell in cells)
    pictures = picture_run(server)
    assert sorted(server.runs) == sorted([*ids, pictures]) and ids == shown(server) == told(server)
    for cell, head in zip(cells, ("gap", "wise"), strict=True):
        run = server.runs[read_notes(cell)["sent"]["id"]]
        require_whole(run)
        assert (run.group, run.display, run.job) == ("study", f"toy-64 resnet18 {head} seed 0", "train")
        assert run.notes == f"train.py head={head}"
        assert run_address(cell, None) == f"{server.url}/me/wisesr/runs/{run.name}"
        assert all(("kernel/zero" in row) == (head == "wise") for row in run.history if "epoch" in row)
        assert sum("media/images/kernel/picture_" in name for name in run.uploads) == (3 if head == "wise" else 0)

    code, text = command(server, tmp_path)
    assert (code, sorted(server.runs)) == (0, sorted([*ids, pictures]))
    assert "2 there already" in text
    assert (len(server.views), len(server.reports)) == (1, 1)
    assert len(server.runs[pictures].history) == 2, "the same run goes on"

    code, text = command(server, tmp_path, "--again", "--no-report")
    assert code == 0, text
    new = sorted(set(server.runs) - {*ids, pictures})
    assert new == shown(server) == sorted(read_notes(cell)["sent"]["id"] for cell in cells)
    assert told(server) == ids, "left alone"
    for name in new:
        require_whole(server.runs[name])
    assert len(server.views) == 1

    for view in server.views.values():  # as a user would delete them there
        view["name"] = "gone"
    server.reports.clear()
    del server.runs[pictures]
    server.refuses = lambda operation, run: 409 if run == pictures else 0
    code, text = command(server, tmp_path, "--workspace-only")
    assert code == 0, text
    assert (len(server.views), len(server.reports), len(server.runs)) == (2, 1, 5)
    assert told(server) == new and picture_run(server) != pictures


def test_a_report_that_is_refused_is_told_and_fails_nothing(server: FakeServer, tmp_path: Path) -> None:
    offline_cell(tmp_path)
    server.refuses = lambda operation, run: 500 if operation == "upsertView" else 0
    code, text = command(server, tmp_path)
    assert code == 0, text
    assert "FAILED to write the report of study" in text
    assert (len(server.views), len(server.reports)) == (1, 0)


def test_one_that_is_refused_leaves_the_others(server: FakeServer, tmp_path: Path) -> None:
    """Half of it is on the server: it is sent whole under another id, and only that one is shown."""
    bad, good = (offline_cell(tmp_path, head=head) for head in ("gap", "wise"))

    def refuses(operation: str, run: str) -> int:
        known = server.runs.get(run)
        return 404 if operation == "file_stream" and known and known.display == "toy-64 resnet18 gap seed 0" else 0

    server.refuses = refuses
    code, text = command(server, tmp_path)
    assert code == 1
    assert "1 of 2 runs were sent." in text
    assert "FAILED" in text and "Fatal error while uploading data" in text
    assert shown(server) == [read_notes(good)["sent"]["id"]]
    (half,) = read_notes(bad)["tried"]
    assert half in server.runs

    server.refuses = lambda operation, run: 0
    code, text = command(server, tmp_path)
    assert code == 0, text
    assert shown(server) == sorted(read_notes(cell)["sent"]["id"] for cell in (bad, good))
    assert half not in shown(server)
    require_whole(server.runs[read_notes(bad)["sent"]["id"]])


def test_an_id_that_was_deleted_there(server: FakeServer, tmp_path: Path) -> None:
    cell = offline_cell(tmp_path)
    deleted = send(server, cell)
    del server.runs[deleted]
    server.refuses = lambda operation, run: 409 if run == deleted else 0
    with pytest.raises(UploadError, match="is now sent"):
        send(server, cell)
    require_whole(server.runs[send(server, cell, again=True)])


@pytest.mark.parametrize("status", [401, 409, 500])
def test_a_server_that_refuses_says_why(server: FakeServer, tmp_path: Path, status: int) -> None:
    cell = offline_cell(tmp_path)
    server.refuses = lambda operation, run: status if operation == "UpsertBucket" else 0
    with pytest.raises(UploadError, match=f"refused with {status}"):
        send(server, cell)
    assert read_sync_cell(cell, "cell").state is UploadState.OFFLINE
    server.refuses = lambda operation, run: 0
    require_whole(server.runs[send(server, cell)])


def test_a_server_that_stalls(server: FakeServer, tmp_path: Path) -> None:
    cell = offline_cell(tmp_path)
    server.holds = lambda operation: operation == "UpsertBucket"
    began = time.monotonic()
    with pytest.raises(UploadError, match=r"not done within 8 seconds \(--timeout\)"):
        send(server, cell, timeout=8.0)
    assert time.monotonic() - began < 15
    server.holds = lambda operation: False
    require_whole(server.runs[send(server, cell)])


def test_stopping_ends_what_runs(server: FakeServer, tmp_path: Path) -> None:
    cell = offline_cell(tmp_path)
    server.holds = lambda operation: operation == "UpsertBucket"
    stopped, reasons = uploader(server, timeout=100.0), list[str]()

    def work() -> None:
        try:
            stopped.send(read_sync_cell(cell, "cell"))
        except UploadError as error:
            reasons.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    server.wait(lambda: "UpsertBucket" in server.asked)
    stopped.stop()
    thread.join(timeout=10)
    assert len(reasons) == 1
    with pytest.raises(UploadError, match="not tried"):
        stopped.send(read_sync_cell(cell, "cell"))


def test_a_cell_that_someone_works_on(server: FakeServer, tmp_path: Path) -> None:
    cell = offline_cell(tmp_path)
    with locked(cell), pytest.raises(UploadError, match="another process works on this cell"):
        send(server, cell)
    assert not server.asked


def test_damaged_files_do_not_hold_up_the_others(server: FakeServer, tmp_path: Path) -> None:
    cells = [offline_cell(tmp_path, seed=seed) for seed in range(6)]
    for cell, content in zip(cells, (b"", b"", b"not wandb's" * 500, None), strict=False):
        (file,) = cell.glob("wandb/offline-run-*/*.wandb")
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] if content is None else content)
    cells_to_send = [read_sync_cell(cell, cell.name) for cell in cells]
    results = {
        read.directory: sent
        for read, sent, _ in send_all(cells_to_send, timeout=60.0, again=False, environment=environment(server.url))
    }
    assert [results[cell] is not None for cell in cells] == [False] * 4 + [True] * 2


def test_a_server_that_refuses_all_is_left_alone(server: FakeServer, tmp_path: Path) -> None:
    server.refuses = lambda operation, run: 401 if operation == "UpsertBucket" else 0
    cells = [read_sync_cell(offline_cell(tmp_path, seed=seed), str(seed)) for seed in range(12)]
    results = list(send_all(cells, timeout=60.0, again=False, environment=environment(server.url)))
    assert len(results) == 12
    assert not any(sent for _, sent, _ in results)
    assert server.asked.count("UpsertBucket") < 12
    assert sum(reason == "not tried" for _, _, reason in results) >= 4
