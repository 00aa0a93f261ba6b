"""The files of a report, and the folder that they stand in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from tests.support.studies import cell_config, write_cell
from wisesr.errors import UserError
from wisesr.report.output_folder import check_folder, replace_report
from wisesr.report.prediction_analysis import analyse_predictions
from wisesr.report.read import read_study
from wisesr.report.write import missing_parts, write_report
from wisesr.results.lock import locked


def _fill(**files: str) -> Any:
    """What fills a report with files of these names (`a__b` is `a/b`) and contents."""

    def write(folder: Path) -> dict[str, Any]:
        for name, text in files.items():
            path = folder / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return {"made": "now"}

    return write


def _content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in ("report.json", ".lock"))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def _listed(folder: Path) -> list[str]:
    files: list[str] = json.loads((folder / "report.json").read_text())["files"]
    return files


def test_a_second_report_replaces_the_first_and_leaves_the_users_files(tmp_path: Path) -> None:
    report = tmp_path / "report"
    check_folder("--output", report)
    replace_report(report, _fill(page="1", figures__old="1", figures__same="1"))
    (report / "mine.txt").write_text("mine")
    (report / "figures" / "mine.txt").write_text("mine")
    check_folder("--output", report)
    replace_report(report, _fill(page="2", figures__same="2", tables__new="2"))
    mine = {"mine.txt": "mine", "figures/mine.txt": "mine"}
    assert _content(report) == {"page": "2", "figures/same": "2", "tables/new": "2"} | mine
    assert _listed(report) == ["figures/same", "page", "tables/new"]


def test_folders_that_a_report_no_longer_needs_go(tmp_path: Path) -> None:
    replace_report(tmp_path, _fill(page="1", figures__old="1"))
    replace_report(tmp_path, _fill(page="2"))
    assert not (tmp_path / "figures").exists()


def test_an_interrupted_report_leaves_the_old_one(tmp_path: Path) -> None:
    replace_report(tmp_path, _fill(page="1", figures__one="1"))

    def interrupted(folder: Path) -> dict[str, Any]:
        (folder / "page").write_text("2")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_report(tmp_path, interrupted)
    assert _content(tmp_path) == {"page": "1", "figures/one": "1"}
    assert not (tmp_path / ".building").exists()


def test_a_report_killed_at_any_file_is_mended_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was moved when it was killed, the next report ends with its own files alone."""
    real = os.replace
    for kill in range(5):
        report = tmp_path / str(kill)
        report.mkdir()
        replace_report(report, _fill(a="1", b="1", old="1"))
        moved = 0

        def move(source: Any, target: Any, kill: int = kill) -> None:
            nonlocal moved
            if moved == kill:
                raise SystemError("killed")
            moved += 1
            real(source, target)

        with monkeypatch.context() as patch, pytest.raises(SystemError):
            patch.setattr(os, "replace", move)
            replace_report(report, _fill(a="2", b="2", new="2"))
        check_folder("--output", report)
        replace_report(report, _fill(a="3"))
        assert _content(report) == {"a": "3"}, f"killed at {kill}"


def test_a_users_file_is_not_replaced(tmp_path: Path) -> None:
    replace_report(tmp_path, _fill(page="1"))
    (tmp_path / "cells.csv").write_text("mine")
    with pytest.raises(UserError, match=r"cells\.csv is no file of the report"):
        replace_report(tmp_path, _fill(page="2", **{"cells.csv": "theirs"}))
    assert _content(tmp_path) == {"page": "1", "cells.csv": "mine"}


def test_a_manifest_cannot_reach_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("")
    report = tmp_path / "report"
    replace_report(report, _fill(page="1"))
    (report / "report.json").write_text(json.dumps({"files": ["../outside", str(outside), 3, "page"]}))
    replace_report(report, _fill(page="2"))
    assert outside.exists()


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UserError, match="another process is writing the report"):
        replace_report(tmp_path, _fill(page="1"))


@pytest.mark.parametrize("manifest", ["", "[]", '{"files": 3}', "{"])
def test_a_damaged_manifest_ends_nothing(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "report.json").write_text(manifest)
    check_folder("--output", tmp_path)
    replace_report(tmp_path, _fill(page="1"))
    assert _listed(tmp_path) == ["page"]


def test_folders_of_others_are_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(UserError, match=r"--output: .* holds thesis\.tex, and is no report"):
        check_folder("--output", tmp_path)
    for name in "abcd":
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"--output: .* holds a, b, c and 2 more, and is no report"):
        check_folder("--output", tmp_path)
    study = tmp_path / "cells"
    write_cell(cell_config(study))
    with pytest.raises(UserError, match="holds 1 cell, and is no report"):
        check_folder("--output", study)
    with pytest.raises(UserError, match=r"cannot be written: Not a directory"):
        check_folder("--output", tmp_path / "thesis.tex" / "report")
    with pytest.raises(UserError, match=r"cannot be written: .*thesis\.tex is a file"):
        check_folder("--output", tmp_path / "thesis.tex")


def test_a_check_of_a_folder_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "there/new/newer", "newest"):
        check_folder("--output", tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def _untracked(items: Iterable[Any], total: int, words: str) -> Iterator[Any]:
    found = list(items)
    assert len(found) == total, words
    return iter(found)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two heads with three seeds, the pictures of whose test images can be had."""
    root = tmp_path_factory.mktemp("study")
    for head in ("gap", "wise"):
        for seed in range(3):
            write_cell(cell_config(root, head=head, seed=seed), top1=0.6 + 0.1 * (head == "wise") + 0.02 * seed)
    output = root / "report"

    def load(name: str) -> Image.Image:
        if name.endswith("0.png"):
            raise FileNotFoundError(name)
        return Image.new("RGB", (200, 120), (200, 30, 30))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wisesr.report.page.document.vega_script", lambda: "")
        written = write_report(
            read_study([root]), output, command="wisesr report", version="0", pictures=lambda *_: load, tracked=_untracked
        )
    assert written.page == output / "index.html"
    return output


def test_every_file_is_listed_and_whole(written: Path) -> None:
    names = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    assert names == {*_listed(written), "report.json", ".lock"}
    tex = {f"tables/{name}.tex" for name in ("toy-64", "toy-64-differences", "claims")}
    assert {"index.html", "cells.csv", "tables.md", *tex} <= names
    assert (written / "index.html").read_text().rstrip().endswith("</html>")


def test_figures_are_files_in_three_forms(written: Path) -> None:
    vectors = sorted((written / "figures").glob("*.svg"))
    assert len(vectors) >= 4
    for vector in vectors:
        root = ElementTree.fromstring(vector.read_text())
        with Image.open(vector.with_suffix(".png")) as picture:
            width, height = float(root.get("width", "0")), float(root.get("height", "0"))
            assert picture.width == pytest.approx(2 * width, abs=2)
            assert picture.height == pytest.approx(2 * height, abs=2)
            assert min(width, height) > 100
        paper = vector.with_suffix(".pdf").read_bytes()
        assert paper.startswith(b"%PDF") and paper.rstrip().endswith(b"%%EOF")


def test_images_that_are_gone_are_counted(written: Path) -> None:
    manifest = json.loads((written / "report.json").read_text())
    assert any("cannot be opened any more" in note for note in manifest["notes"])
    page = (written / "index.html").read_text()
    assert "no picture" in page
    assert "data-picture" in page


def test_files_of_cells_that_are_gone_or_damaged_are_said(tmp_path: Path) -> None:
    for head in ("gap", "wise", "depthwise"):
        write_cell(cell_config(tmp_path, head=head))
    next(tmp_path.rglob("*-wise/*/kernels.npz")).unlink()
    (next(tmp_path.rglob("*-depthwise/*/predictions.npz"))).write_bytes(b"PK damaged")
    study = read_study([tmp_path])
    kernels, predictions = missing_parts(study, analyse_predictions(study))
    assert kernels.startswith("No kernels of study/toy-64/resnet18-wise/seed-0")
    assert "gap" not in kernels
    assert "resnet18-depthwise/seed-0" in predictions
    assert "damaged" in predictions
