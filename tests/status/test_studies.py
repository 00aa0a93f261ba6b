"""`wisesr status` without a directory: the studies of outputs/, what ran, when, how much disk."""

from __future__ import annotations

import io
import re
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.cli import main
from wisesr.results.lock import locked
from wisesr.results.state import State
from wisesr.results.status_file import write_status
from wisesr.status.studies import StudySummary, find_studies, summarize
from wisesr.status.studies_table import _table, describe


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """outputs/ below the working directory."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Path("outputs")


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["status", *arguments]) == 0
    return capsys.readouterr().out


def of(outputs: Path, study: str) -> StudySummary:
    return summarize(outputs / study, find_studies(outputs)[outputs / study])


def test_studies_stand_with_the_newest_first(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for head, seed in (("gap", 0), ("gap", 1), ("wise", 0)):
        write_cell(cell_config(outputs, study="old", head=head, seed=seed))
    newer = {"started": "2026-11-25T08:00:00Z", "finished": "2026-11-25T09:00:00Z"}
    write_cell(cell_config(outputs, study="new", size=96), provenance=newer)
    for head in ("wise", "gem", "lse"):
        write_waiting(cell_config(outputs, study="new", head=head))
    write_failed(cell_config(outputs, study="failed", size=32), "no memory")
    running = write_waiting(cell_config(outputs, study="failed", size=48))
    write_status(running, state=State.TRAINING, epoch=1, epochs=3)
    write_waiting(cell_config(outputs, study="zero"))
    with locked(running):
        out = show(capsys)
    lines = [line.rstrip() for line in out.splitlines()]
    order = [line.split()[0] for line in lines if re.match(r"(old|new|failed|zero) ", line)]
    assert order == ["failed", "new", "old", "zero"]  # what lives, what ended last; what was never begun comes last
    assert any(re.match(r"old +3 done ", line) for line in lines) and any(re.match(r"new +1 done ", line) for line in lines)
    assert "gap, wise x resnet18 on toy, 64 px, 2 seeds" in out and "4 heads x resnet18 on toy, 64/96 px" in out
    assert re.search(r"failed +1 running .*\n.* 1 failed ", out) and re.search(r"zero +1 waiting +-", out)
    here = datetime.fromisoformat("2026-11-25T09:00:00+00:00").astimezone()
    assert here.strftime("%d %b") in out
    assert "4 studies, " in out and "none of it checkpoints" in out and "wisesr status STUDY" in out


def test_the_disk_and_what_clean_would_free(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(3):
        cell = write_cell(cell_config(outputs, seed=seed), val_top1=0.5 + seed / 10)
        (cell / "best.ckpt").write_bytes(b"b" * 40_960)
        (cell / "last.ckpt").write_bytes(b"l" * 81_920)
    waiting = write_waiting(cell_config(outputs, seed=3))
    (waiting / "last.ckpt").write_bytes(b"l" * 81_920)
    (outputs / "study" / "report").mkdir()
    (outputs / "study" / "report" / "page.html").write_bytes(b"p" * 100_000)
    summary = of(outputs, "study")
    assert summary.checkpoints == 3 * 40_960 + 4 * 81_920
    assert summary.can_go == 2 * 40_960 + 3 * 81_920
    assert summary.rest >= 100_000
    text = show(capsys)
    assert re.search(r"study +3 done .* 451 kB +\S+ kB +328 kB", text)
    assert main(["clean", "study", "--yes"]) == 0
    assert "328 kB are free again." in capsys.readouterr().out  # as was promised
    assert of(outputs, "study").can_go == 0


def test_what_is_damaged_or_no_study_is_named(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = {name: write_cell(cell_config(outputs, seed=seed)) for seed, name in enumerate(("cut", "list", "schema"))}
    (damaged["cut"] / "result.json").write_text("{")
    (damaged["list"] / "result.json").write_text("[1]")
    (damaged["schema"] / "result.json").write_text('{"status": "done", "metrics": {"best": 1}}')
    (write_waiting(cell_config(outputs, seed=9)) / "config.yaml").write_text("seed: [")
    (outputs / "notes").mkdir()
    (outputs / "notes" / "a.txt").write_text("mine")
    (outputs / ".hidden").mkdir()
    (outputs / "file").touch()
    out = show(capsys)
    assert "4 damaged" in out and "gap x resnet18 on toy, 64 px, 3 seeds" in " ".join(out.split())
    assert all(str(cell) in out for cell in damaged.values())
    assert "Without cells: notes (4.1 kB)." in out and "hidden" not in out


def test_words_stay_whole_in_narrow_terminals(outputs: Path) -> None:
    for backbone in ("efficientnet_lite0", "resnet18", "densenet121"):
        write_cell(cell_config(outputs, backbone=backbone, study="a_study_with_a_long_name"))
    studies = [of(outputs, "a_study_with_a_long_name")]
    words = {*describe(studies[0]).split(), "a_study_with_a_long_name"}
    for width in (120, 80, 60, 44):
        console = Console(width=width, file=io.StringIO(), highlight=False)
        console.print(_table(studies, width))
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert words <= set(text.split()), width
        assert max(map(len, text.splitlines())) <= width


def test_all_cells_are_still_to_be_had(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_cell(cell_config(outputs))
    for arguments in (["outputs"], ["study"], ["--table"]):
        assert show(capsys, *arguments).startswith("1 cell: 1 done")


def test_without_studies(outputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert "there is no directory outputs here" in capsys.readouterr().err
    outputs.mkdir()
    assert main(["status"]) == 1
    assert "there are no cells below outputs" in capsys.readouterr().err
