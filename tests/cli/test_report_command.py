"""`wisesr report`: from the command to the folder, and what it says where there is nothing to report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.studies import cell_config, write_cell, write_failed, write_waiting
from wisesr.cli import main
from wisesr.report.figures.render import Picture
from wisesr.results.lock import locked


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vega's script and pictures take seconds to be made, and are tried elsewhere."""
    monkeypatch.setattr("wisesr.report.page.document.vega_script", lambda: "")
    monkeypatch.setattr("wisesr.report.files.render", lambda spec, width: Picture("<svg/>", b"png", b"pdf"))


def _study(root: Path) -> None:
    for head, top1 in (("gap", 0.6), ("wise", 0.8)):
        for seed in range(2):
            write_cell(cell_config(root, head=head, seed=seed), top1=top1 + 0.02 * seed)


def test_a_report_is_written_into_the_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _study(tmp_path)
    write_failed(cell_config(tmp_path, head="wise", seed=2), "the disk is full")
    assert main(["report", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[0] == "5 cells: 4 done, 1 failed"
    assert "81.00 ± 1.41 (2)" in printed.out
    assert "No head shares three seeds with gap" in printed.out
    assert "the disk is full" in (tmp_path / "report" / "index.html").read_text()
    assert printed.out.splitlines()[-1] == str(tmp_path / "report" / "index.html")
    manifest = json.loads((tmp_path / "report" / "report.json").read_text())
    assert manifest["command"] == f"wisesr report {tmp_path}"
    assert all((tmp_path / "report" / name).is_file() for name in manifest["files"])
    page = (tmp_path / "report" / "index.html").read_text()
    assert main(["report", str(tmp_path)]) == 0  # its own report is no cell, and is replaced
    assert capsys.readouterr().out == printed.out
    assert len((tmp_path / "report" / "index.html").read_text()) == len(page)


def test_several_directories_are_reported_where_one_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _study(tmp_path / "one")
    write_cell(cell_config(tmp_path / "two", head="gap", backbone="resnet34"))
    monkeypatch.chdir(tmp_path)
    assert main(["report", "one", "two", "--baseline", "wise", "--no-pictures"]) == 0
    manifest = json.loads(Path("report", "report.json").read_text(encoding="utf-8"))
    assert manifest["command"] == "wisesr report one two --baseline wise --no-pictures"
    assert "resnet34" in capsys.readouterr().out
    assert main(["report", "one", "--output", "elsewhere/deep"]) == 0
    assert Path("elsewhere", "deep", "index.html").is_file()


def test_where_no_cell_is_finished_all_states_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_waiting(cell_config(tmp_path, seed=0))
    write_waiting(cell_config(tmp_path, seed=1))
    write_failed(cell_config(tmp_path, seed=2), "CUDA out of memory")
    with locked(write_waiting(cell_config(tmp_path, seed=3))):
        assert main(["report", str(tmp_path)]) == 1
    printed = capsys.readouterr().err
    assert "4 cells: 1 failed, 1 starting, 2 waiting" in printed
    assert "failed: " in printed
    assert "CUDA out of memory" in printed
    assert "and 1 more" in printed
    assert not (tmp_path / "report").exists()


def test_what_cannot_be_reported_is_said_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["report", str(tmp_path / "empty")]) == 1
    assert "no cells below" in capsys.readouterr().err
    _study(tmp_path / "study")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("")
    assert main(["report", str(tmp_path / "study"), "--output", str(tmp_path / "thesis")]) == 1
    assert "holds thesis.tex" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "study"), "--baseline", "wize"]) == 1
    assert "Did you mean wise?" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["thesis.tex"]


def test_outputs_with_a_study_called_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_cell(cell_config(tmp_path, study="report"))
    assert main(["report", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "report holds 1 cell" in error
    assert "--output" in error


def test_images_that_have_moved_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for head in ("gap", "wise"):
        write_cell(cell_config(tmp_path / "study", head=head, changes={"dataset.root": str(images)}))
    images.rmdir()
    assert main(["report", str(tmp_path / "study")]) == 0
    out = capsys.readouterr().out
    assert "toy, 64 px: test images are not shown: " in out
    assert str(images) in out
