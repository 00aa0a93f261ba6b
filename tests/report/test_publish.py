"""What is published: the same tables from the copies, and in no file, packed or not, a word of where they come from."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.pages import unpack
from tests.support.studies import cell_config, write_cell, write_failed
from wisesr.cli import main
from wisesr.config.files import load_cell
from wisesr.report.anonymous import Anonymiser, is_absolute
from wisesr.report.publish import _outermost
from wisesr.report.read import read_study
from wisesr.results.record_file import load_record
from wisesr.results.state import State

HOST = "gpu07.somebodys-lab"
PRIVATE = {
    "hardware": {"host": HOST, "device": "cpu", "cpu": "a processor", "system": "Linux"},
    "environment": {"CUDA_VISIBLE_DEVICES": "GPU-planted"},
    "command": ["/home/somebody/wisesr/train.py", "study=planted"],
    "uncommitted": {"sha256": "planted", "bytes": 4},
    "run": "https://wandb.example.org/somebody/planted/runs/1",
    "weights": {"source": "/home/somebody/weights/start.pth", "sha256": "f" * 64, "tensors": None},
}
REASON = "planted: no /home/somebody/data"
WORDS = (HOST, "somebody", "planted", "/home", "datasets-", "outputs-of")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two heads and three seeds, made by somebody in a home of theirs."""
    monkeypatch.setenv("HOME", str(tmp_path / "somebody"))
    root = tmp_path / "somebody" / "outputs-of"
    for head, shift in (("gap", 0.0), ("wise", 0.04)):
        for seed in range(3):
            changes = {"logger": {"mine": {"_target_": "mine.Logger", "entity": "somebody"}}}
            changes |= {"dataset.cache_dir": ["/home/somebody/kept", "somebody/kept", None][seed]}
            config = cell_config(root, head=head, seed=seed, changes=changes)
            cell = write_cell(config, top1=0.7 + shift + 0.02 * seed, provenance=PRIVATE)
            (cell / "uncommitted.diff").write_text("+planted\n")
            (cell / "command.json").write_text('["planted"]')
            (cell / "wandb.json").write_text('{"sent": {"file": "", "url": "https://wandb.example.org/planted"}}')
            (cell / "log.txt").write_text("planted in /home/somebody\n")
            (cell / "wandb").mkdir()
            (cell / "wandb" / "run.log").write_text("planted\n")
    write_failed(cell_config(root, head="wise", seed=7), REASON)
    monkeypatch.chdir(tmp_path)
    return root


def _texts(path: Path) -> list[str]:
    """All that a reader of a file can find in it: as it is, unpacked, and as the numbers' names."""
    content = path.read_bytes()
    texts = [content.decode("utf-8", "replace")]
    if path.suffix == ".npz":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts += [archive.read(name).decode("latin-1") for name in archive.namelist()]
        with np.load(path) as arrays:
            texts += ["\n".join(map(str, arrays[name].ravel())) for name in arrays.files if arrays[name].dtype.kind == "U"]
    if path.suffix == ".html":
        packed = re.findall(r'(?:type="text/plain"[^>]*>|data-spec=")(eJ[\w+/=]+|eN[\w+/=]+)', texts[0])
        assert len(packed) > 6, "cells and figures are packed"
        texts += [json.dumps(unpack(text), ensure_ascii=False) for text in packed]
    return texts


def _but_command(text: str) -> str:
    """LaTeX without the command that made it."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("% Made by"))


def _tables(folder: Path) -> dict[str, str]:
    """All of them, but for why a cell failed, and for the folder in which a report of the whole publication finds it."""
    texts = {path.name: _but_command(path.read_text()) for path in (folder / "tables").iterdir()}
    return {name: text.replace(REASON, "its reason is not published").replace("cells/", "") for name, text in texts.items()}


def test_a_publication_has_the_same_tables_and_no_word_of_its_origin(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "for-others"
    assert main(["report", str(study), "--no-pictures"]) == 0
    assert main(["report", str(study), "--publish", str(out)]) == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    for path in files:
        for text in (str(path.relative_to(out)), *_texts(path)):
            found = [word for word in (*WORDS, str(tmp_path)) if word in text]
            assert not found, (path, found, text[max(0, text.find(found[0]) - 80) :][:200])
    assert {path.name for path in out.iterdir()} == {"README.md", "cells", "page", "report.json"}
    names = {"result.json", "config.yaml", "metrics.csv", "predictions.npz"}
    cells = [path.parent for path in files if path.name == "result.json"]
    assert len(cells) == 6
    (failed,) = (path.parent for path in files if path.name == "status.json")
    assert {path.name for path in failed.iterdir()} == {"config.yaml", "status.json"}
    assert all(names <= {path.name for path in cell.iterdir()} <= {*names, "kernels.npz"} for cell in cells)
    assert "7 cells: 6 done, 1 failed" in (out / "README.md").read_text()

    assert _tables(out / "page") == _tables(study / "report")
    assert main(["report", str(out), "--output", str(tmp_path / "again")]) == 0
    assert _tables(tmp_path / "again") == _tables(study / "report")
    for name in ("metrics.csv", "predictions.npz"):
        copies = {path.parent.name: path.read_bytes() for path in out.rglob(name) if "wise" in str(path)}
        assert copies == {path.parent.name: path.read_bytes() for path in study.rglob(name) if "wise" in str(path)}


def test_the_command_of_the_readme_makes_the_same_tables(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "somebody" / "figures.csv"
    own.write_text("dataset,size,backbone,head,top1\n")
    given = ["--baseline", "wise", "--margin", "2"]
    out = tmp_path / "for-others"
    assert main(["report", str(study), *given, "--publish", str(out)]) == 0
    (command,) = re.findall(r"^    wisesr (report .*)$", (out / "README.md").read_text(), re.MULTILINE)
    assert command == "report cells --output report --baseline wise --margin 2"
    monkeypatch.chdir(out)
    assert main(command.split()) == 0
    assert _tables(out / "report") == _tables(out / "page")


def test_a_record_stays_that_of_its_configuration(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["report", str(study), "--publish", str(out)]) == 0
    for cell in read_study([out]).cells:
        record, config = load_record(cell.directory), load_cell(cell.directory)
        if record is None:
            assert cell.state is State.FAILED and cell.reason == "its reason is not published"
            continue
        assert record.config == config
        assert (config["output_dir"], config["dataset"]["root"], config["logger"]) == ("outputs", "data/toy", {})
        assert record.provenance.hardware["host"] == "machine-1"
        assert record.provenance.weights["source"] == "start.pth"
        assert record.provenance.command == () and record.provenance.environment == {}
        assert record.fingerprint.startswith(cell.directory.name.rpartition("-")[2])


def test_a_publication_takes_the_place_of_a_former_one_and_of_nothing_else(study: Path, tmp_path: Path, capsys: Any) -> None:
    out, taken = tmp_path / "out", tmp_path / "taken"
    assert main(["report", str(study), "--publish", str(out)]) == 0
    first = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert main(["report", str(study), "--publish", str(out)]) == 0
    assert sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file()) == first
    (out / "notes.txt").write_text("mine")
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    assert main(["report", str(study), "--no-pictures"]) == 0
    for folder, why in (
        (out, "holds what would be published too: notes.txt. Move it away"),
        (taken, "holds mine.txt, and is no report"),
        (study / "report", "holds a report and no publication"),
    ):
        capsys.readouterr()
        assert main(["report", str(study), "--publish", str(folder)]) == 1
        assert why in capsys.readouterr().err
    for option in (["--output", "x"], ["--evidence"]):
        assert main(["report", str(study), "--publish", str(tmp_path / "new"), *option]) == 1
    assert not (tmp_path / "new").exists()


def test_a_path_that_stands_where_nobody_expects_it_stops_the_publication(study: Path, tmp_path: Path, capsys: Any) -> None:
    (cell,) = (path.parent for path in study.rglob("result.json") if "wise/seed-2" in str(path))
    with np.load(cell / "predictions.npz") as held:
        arrays = dict(held)
    arrays["ids"] = np.array([f"{tmp_path}/somebody/{name}" for name in arrays["ids"]])
    np.savez_compressed(cell / "predictions.npz", **arrays)
    assert main(["report", str(study), "--publish", str(tmp_path / "out")]) == 1
    assert re.search(r"wise/seed-2-\w+/predictions.npz would hold the path .*: nothing was published", capsys.readouterr().err)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.name != ".lock"]


def test_different_paths_stay_different() -> None:
    anonymous = Anonymiser()
    config = {"backbone": {"weights": "/a/x.pth", "more": ["/b/x.pth", "/a/x.pth", "x/y.pth", 3]}, "dataset": {"root": "~/d"}}
    changed = anonymous.config(config, "s")
    assert changed["backbone"] == {"weights": "x.pth", "more": ["2-x.pth", "x.pth", "x/y.pth", 3]}
    assert changed["dataset"] == {"root": "data/dataset"}
    assert anonymous.config(config, "s") == changed
    assert [is_absolute(text) for text in ("/a", "~", "C:\\x", "d:/x", "a/b", "https://a/b", "hf:x", "")] == [True] * 4 + [
        False
    ] * 4


def test_a_path_below_another_need_not_be_looked_for() -> None:
    paths = {"/home/me/out/cell-1", "/home/me/out", "/home/me/out-2/cell", "/", "/scratch/", "/scratch/kept"}
    assert _outermost(paths) == ["/home/me/out", "/home/me/out-2/cell", "/scratch"]
